"""`lookalike veto`, as a person types it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from typer.testing import CliRunner

from app.cli import app
from lookalike.workspace import Workspace
from monitoring.veto import read_veto


def typed(*words: str) -> str:
    result = CliRunner().invoke(app, ["veto", *words])
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_a_veto_is_set_told_and_lifted(tmp_path: Path) -> None:
    here = ["--workspace", str(tmp_path)]
    assert typed(*here) == "nothing is held back"
    assert typed("sale weekend", *here) == "held back: sale weekend"
    assert typed(*here) == "held back: sale weekend"
    assert typed("--lift", *here) == "nothing is held back"
    assert typed("--lift", *here) == "nothing is held back"


def test_a_veto_may_end_by_itself(tmp_path: Path) -> None:
    assert typed("sale weekend", "--days", "2", "--workspace", str(tmp_path)).startswith("held back until 20")
    veto = read_veto(Workspace(tmp_path).veto)
    assert veto is not None and veto.until is not None
    assert timedelta(days=1.9) < veto.until - datetime.now(UTC) <= timedelta(days=2)
