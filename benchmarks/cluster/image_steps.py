"""The install steps of a Dockerfile, run on this machine in a folder of their own: no engine is needed to see that they
work, what they install and how large it is."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockerfile_parse import DockerfileParser

from lookalike.errors import ConfigError

ROOT = Path(__file__).parents[2]
PREFIX = "/opt/lookalike"
"""Where the images have their environment."""
IGNORED = ROOT / ".dockerignore"


@dataclass(frozen=True)
class Step:
    """One instruction."""

    name: str
    value: str


def stages_of(dockerfile: Path) -> dict[str, list[Step]]:
    """Instructions by stage, in order; the last stage is called "" where it has no name. `FROM` is its first."""
    stages: dict[str, list[Step]] = {}
    with dockerfile.open("rb") as file:
        for line in DockerfileParser(fileobj=file).structure:
            step = Step(line["instruction"], line["value"])
            if step.name == "FROM":
                words = step.value.split()
                current = stages.setdefault(words[-1] if "AS" in words else "", [])
            if step.name == "COMMENT" or not stages:
                continue
            current.append(step)
    return stages


def run_stage_here(dockerfile: Path, stage: str, folder: Path) -> Path:
    """Run a stage's COPY and RUN steps below `folder`; returns the environment they make.

    Called again with a stage that is built FROM it, it goes on in the same environment.
    Raises ConfigError for a step that fails, with what it said.
    """
    build, environment = folder / "build", folder / "environment"
    build.mkdir(parents=True, exist_ok=True)
    for step in stages_of(dockerfile)[stage]:
        if step.name == "COPY":
            _copy(step.value.split(), build)
        elif step.name == "RUN" and PREFIX in step.value:  # users and groups are the engine's business
            _run(step.value.replace(PREFIX, str(environment)), build)
    return environment


def size_of(environment: Path) -> int:
    """Bytes of its files; links count nothing."""
    return sum(path.stat().st_size for path in environment.rglob("*") if path.is_file() and not path.is_symlink())


def _run(command: str, build: Path) -> None:
    command = command.replace("python -m venv", f"{sys.executable} -m venv")
    ran = subprocess.run(["bash", "-euc", command], cwd=build, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise ConfigError(f"the step `{command}` ended with {ran.returncode}: {ran.stderr[-2_000:]}")


def _copy(words: list[str], build: Path) -> None:
    *sources, target = words
    for source in sources:
        if source == ".":
            for path in _context():
                (build / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / path, build / path)
        else:
            shutil.copyfile(ROOT / source, build / target / Path(source).name)


def _context() -> Iterator[Path]:
    """What .dockerignore lets through, which names everything that is let in."""
    lines = IGNORED.read_text(encoding="utf-8").splitlines()
    for name in (line[1:] for line in lines if line.startswith("!")):
        found = ROOT / name
        paths = [found] if found.is_file() else [path for path in found.rglob("*") if path.is_file()]
        yield from (path.relative_to(ROOT) for path in paths if "__pycache__" not in path.parts)
