"""The command line: bad input is a sentence and exit code 2, and nothing half-written stays behind."""

import re
from pathlib import Path

import pandas as pd
import pytest

from app.cli import app, main
from lookalike.storage import read_json


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command in this process; returns its exit code."""
    monkeypatch.setattr("sys.argv", ["lookalike", *arguments])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


REFUSED = {
    "a missing catalogue": (["validate", "-c", "nowhere", "-w", "shop"], "nowhere"),
    "an unfinished flow": (["split", "-w", "shop"], "validate"),
    "an unknown recipe": (["train", "-w", "shop", "--recipe", "huge_gpu"], "there is no recipe 'huge_gpu'"),
    "an encoder that is not there": (["demo", "--encoder", "no/such/folder", "--recipe", "nope"], "'nope'"),
    "a malformed override": (["split", "-w", "shop", "--set", "seed=1"], "STAGE.FIELD=VALUE"),
    "a service's malformed setting": (["serve", "-w", "shop", "--set", "port"], "NAME=VALUE or GROUP.NAME=VALUE"),
    "a crop that is none": (["search", __file__, "-w", "shop", "--crop", "all"], "LEFT,TOP,RIGHT,BOTTOM"),
    "a missing settings file": (["split", "-w", "shop", "--settings", "none.yaml"], "none.yaml"),
    "a shard that is none": (["index", "shard", "3/2", "-w", "shop"], "2/8 for the second of eight, is accepted"),
    "a shard of nothing": (["index", "shard", "1/2", "-w", "shop"], "run `lookalike export` first"),
    "nothing to serve": (["pipeline", "refresh", "-c", "nowhere", "-w", "shop"], "nowhere"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_a_sentence(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, word = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == 2
    told = capsys.readouterr().err
    assert word in told
    assert "Traceback" not in told


def test_a_misspelled_column_is_named_with_the_one_that_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({"sku": ["1"], "kind": ["shoe"], "photo": [b"x"]}).to_parquet(tmp_path / "shop.parquet")
    (tmp_path / "mapping.yaml").write_text(
        "{id: sku, image: [photo], vertical: kinds, attributes: {type: kind}, alike: {coarse: [type], fine: [type]}}"
    )
    assert run(monkeypatch, "validate", "-c", str(tmp_path), "-w", str(tmp_path / "out")) == 2
    assert re.search(r"kinds.*kind", capsys.readouterr().err)
    assert not (tmp_path / "out" / "validated").exists()


def test_the_first_stages_run_resume_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, drawn = str(tmp_path / "shop"), str(tmp_path / "drawn")
    assert run(monkeypatch, "draw", drawn, "--products", "30") == 0
    for verb in (["validate", "-c", drawn], ["split"], ["mine"]):
        assert run(monkeypatch, *verb, "-w", shop) == 0
    first = capsys.readouterr().out
    assert "reused" not in first
    for verb in (["validate", "-c", drawn], ["split"], ["mine"]):
        assert run(monkeypatch, *verb, "-w", shop) == 0
    assert capsys.readouterr().out.count("reused, same inputs as before") == 3
    assert read_json(tmp_path / "shop" / "triplets" / "stage.json")["stage"] == "mine"
    assert run(monkeypatch, "feedback", "-w", shop) == 0  # nobody has clicked yet
    assert len(pd.read_parquet(tmp_path / "shop" / "collected_feedback" / "clicks.parquet")) == 0


def test_every_verb_and_option_explains_itself() -> None:
    from typer.main import get_command

    commands = get_command(app).commands
    verbs = {**commands, **{f"pipeline {name}": verb for name, verb in commands["pipeline"].commands.items()}}
    for name, verb in verbs.items():
        assert verb.help, f"{name} has no help"
        unexplained = [option.name for option in verb.params if not getattr(option, "help", None)]
        assert unexplained == [], f"{name} does not explain {unexplained}"
