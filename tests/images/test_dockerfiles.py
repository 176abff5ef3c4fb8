"""What the Dockerfiles promise, without an engine: their linter is content and nothing runs as root."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cluster.image_steps import ROOT, Step, run_stage_here, stages_of
from components.image import IMAGE, TRAIN_IMAGE
from lookalike.errors import ConfigError

DOCKERFILES = sorted((ROOT / "images").glob("*.Dockerfile"))


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.stem)
def dockerfile(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_hadolint_finds_nothing(dockerfile: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([hadolint, str(dockerfile)], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_what_is_shipped_runs_as_a_numbered_user_that_is_not_root(dockerfile: Path) -> None:
    built_from = {
        step.value.split()[0] for steps in stages_of(dockerfile).values() for step in steps if step.name == "FROM"
    }
    shipped = [steps for name, steps in stages_of(dockerfile).items() if name not in built_from and name != "build"]
    assert shipped
    for steps in shipped:
        users = [step.value for step in steps if step.name == "USER"]
        assert users and re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])  # kubelet can tell a number from root


def test_no_base_image_moves_under_its_tag_from_one_python_to_the_next(dockerfile: Path) -> None:
    assert re.search(r"^ARG PYTHON=python:3\.11\.\d+-slim-bookworm$", dockerfile.read_text(encoding="utf-8"), re.M)
    stages = stages_of(dockerfile)
    bases = {step.value.split()[0] for steps in stages.values() for step in steps if step.name == "FROM"}
    assert bases <= {"${PYTHON}", *stages}


def test_everything_that_is_installed_is_pinned_by_the_lock(dockerfile: Path) -> None:
    installs = [
        command
        for steps in stages_of(dockerfile).values()
        for step in steps
        if step.name == "RUN"
        for command in step.value.split("&&")
        if "pip install" in command
    ]
    assert installs
    for command in installs:  # or only this project itself
        assert "--constraint requirements.lock" in command or re.search(r"--no-deps --no-compile \.$", command.strip())


def test_the_tags_in_the_dockerfiles_are_those_that_pipelines_ask_for() -> None:
    told = "\n".join(path.read_text(encoding="utf-8") for path in DOCKERFILES)
    named = set(re.findall(r"--tag (\S+)", told))
    assert {IMAGE, TRAIN_IMAGE} <= named
    assert all(tag.endswith(IMAGE.partition(":")[2]) for tag in named)


def test_the_transformers_packages_are_all_in_the_lock() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower().replace("_", "-")
    lines = (ROOT / "images" / "transformer.txt").read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if not line.startswith("#")]
    assert names == sorted(names)
    assert [name for name in names if f"\n{name}==" not in lock] == []


def test_a_step_that_fails_says_what_it_was_and_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "# first\nFROM scratch AS build\nCOPY README.md ./\nRUN test -f README.md && \\\n    ls /opt/lookalike/absent\n"
    )
    assert stages_of(tmp_path / "Dockerfile")["build"][1] == Step("COPY", "README.md ./")
    with pytest.raises(ConfigError, match=r"the step `test -f README.md && +ls .*absent` ended with 2: .*absent"):
        run_stage_here(tmp_path / "Dockerfile", "build", tmp_path / "here")
