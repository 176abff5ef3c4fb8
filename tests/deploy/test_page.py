"""docs/deploy.md names commands, folders and settings that exist."""

import re
import shlex
from pathlib import Path

import pytest
from typer.core import TyperGroup

from app.manifests.commands import Call, parse
from app.manifests.pods import Pod

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
LINES = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
OURS = [line for line in LINES if line.startswith("lookalike ")]


@pytest.mark.parametrize("line", OURS)
def test_a_command_of_ours_is_one_that_the_command_line_takes(line: str, root: TyperGroup) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    assert parse(root, Call(Pod("docs/deploy.md", {}, {}), {}, arguments)).verb.name


def test_every_folder_and_file_named_exists() -> None:
    named = set(re.findall(r"(?:deploy|monitoring|app|benchmarks)/[\w./-]+\w", PAGE))
    assert {name for name in named if not (ROOT / name).exists()} == set()
    assert {name for name in re.findall(r"\]\((\w+\.md)\)", PAGE) if not (ROOT / "docs" / name).exists()} == set()


def test_every_secret_that_is_made_is_one_that_an_overlay_says_is_made_beforehand() -> None:
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "deploy").rglob("*.yaml")]
    made = set(re.findall(r"create secret generic ([\w-]+)", PAGE))
    assert made == {name for text in texts for name in re.findall(r"Secret/([\w-]+):", text)}


def test_no_placeholder_was_left() -> None:
    assert "@@" not in PAGE
