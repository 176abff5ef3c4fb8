"""What the repository's own files say: names in code, file names, options of modules."""

import re
from functools import cache
from pathlib import Path

from tests.docs.pages import ROOT

KINDS = {".py", ".yaml", ".json", ".js", ".css", ".html", ".sh", ".toml", ".lock", ".csv", ".pbtxt", ".Dockerfile", ""}
ROOMS = (
    "app", "benchmarks", "components", "deploy", "feature_repo", "images", "lookalike", "monitoring", "notebooks",
    "pipelines", "serving", "tests",
)  # fmt: skip
NAME = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+")
ENDINGS = r"\.(?:json|yaml|parquet|npy|html|md|py|sh|onnx|pbtxt|prom|png|lock|ipynb|Dockerfile)\b"
FILE = re.compile(rf"(?<![\w./<>-])[\w-]+{ENDINGS}")
ANY_FILE = re.compile(rf"[\w-]+{ENDINGS}")


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository that is no page; the tests of the pages, which plant mistakes, left out."""
    inside = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*")) if path.is_file()]
    kept = [path for path in inside if path.parent != Path(__file__).parent and "__pycache__" not in path.parts]
    return (*kept, *(path for path in ROOT.iterdir() if path.is_file() and path.suffix != ".md"))


@cache
def source() -> str:
    """All of their text."""
    texts = [path.read_text(encoding="utf-8", errors="ignore") for path in files() if path.suffix in KINDS]
    return "\n".join(texts)


@cache
def names() -> frozenset[str]:
    """Every name with an underscore in them: settings, fields, figures, variables, values."""
    return frozenset(NAME.findall(source()))


@cache
def file_names() -> frozenset[str]:
    """Names of the repository's files, and those that its code reads or writes."""
    here = {path.name for path in files()} | {path.name for path in (ROOT / "docs").rglob("*")}
    return frozenset(here | {name.rpartition("/")[2] for name in ANY_FILE.findall(source())})


@cache
def options_in(folder: Path) -> frozenset[str]:
    """Options that argparse or Typer is given in the modules of a folder, and in what its modules share above it."""
    shared = folder.parent.glob("*.py") if folder.parent != ROOT else ()
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*folder.rglob("*.py"), *shared])
    return frozenset(re.findall(r"\"(--[a-z][a-z0-9-]*)", text)) | {"--help"}
