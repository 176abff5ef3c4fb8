"""`lookalike keys new`."""

from pathlib import Path

from typer.testing import CliRunner

from app.cli import app
from serving.access.keys import load_keys


def test_a_key_is_shown_once_and_opens_what_the_file_says(tmp_path: Path):
    file = tmp_path / "keys.yaml"
    answer = CliRunner().invoke(app, ["keys", "new", "web", "--file", str(file)])
    assert answer.exit_code == 0
    key = answer.stdout.strip()
    assert load_keys(f"file:{file}").holder(key) == "web"
    assert key not in answer.stderr
    assert key not in file.read_text()
