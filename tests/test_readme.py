"""What the README promises exists under that name."""

import re
from pathlib import Path

import yaml
from typer.main import get_command

from app.cli import app
from lookalike.catalog.mapping import CatalogueMapping
from lookalike.config import parse_config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_mapping_shown_is_a_valid_mapping() -> None:
    block = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert block is not None
    mapping = parse_config(CatalogueMapping, yaml.safe_load(block[1]), "README.md")
    assert mapping.alike.coarse == ("type",)


def test_the_table_of_verbs_is_the_command_line() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `lookalike ")]
    named = {verb for row in rows for verb in re.findall(r"`(?:lookalike )?([a-z-]+)`", row.split("|")[1])}
    assert named | {"demo"} == set(get_command(app).commands)


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)\b", README))
    assert named <= targets
    assert {"demo", "test"} <= named


def test_every_file_named_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), f"the README links to {target}"
    for column in re.findall(r"^\| `lookalike .*\| ([^|]+) \|$", README, re.MULTILINE):
        for folder in re.findall(r"`([^`]+)`", column):
            assert (ROOT / folder).is_dir(), f"the README names the folder {folder}"


def test_no_placeholder_was_left() -> None:
    assert "@@" not in README


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
