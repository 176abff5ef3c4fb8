"""The real KFP local runner, read for a person."""

import io
from pathlib import Path

import pytest
from kfp import dsl

from app.local_runner import RunLog, run_pipeline
from lookalike.errors import PipelineError
from lookalike.storage import read_seal

IMAGE = "lookalike/tests:0-python3.11"


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def count(made: dsl.Output[dsl.Dataset], metrics: dsl.Output[dsl.Metrics], ledger: str, upto: int):
    from pathlib import Path

    from components.outcome import log_record
    from lookalike.storage import run_stage

    def work(folder):
        with Path(ledger).open("a") as file:
            file.write("ran\n")
        (folder / "count.txt").write_text(str(upto))
        return {"counted": upto}

    settings = {"upto": upto}
    record = run_stage("count", Path(made.path), inputs={}, settings=settings, content=["count.txt"], work=work)
    log_record(record, metrics)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def refuse(made: dsl.Input[dsl.Dataset], limit: int):
    from pathlib import Path

    from lookalike.errors import CatalogueError

    counted = int((Path(made.path) / "count.txt").read_text())
    if counted > limit:
        raise CatalogueError(f"{counted} is more than {limit}")


@dsl.pipeline(name="counting")
def counting(ledger: str, upto: int, limit: int = 10) -> dsl.Dataset:
    made = count(ledger=ledger, upto=upto).outputs["made"]
    refuse(made=made, limit=limit)
    return made


def test_a_second_run_takes_finished_tasks_from_the_cache(tmp_path: Path) -> None:
    said: list[str] = []
    arguments = {"ledger": str(tmp_path / "ledger"), "upto": 3}
    places = {"root": tmp_path / "root", "log": tmp_path / "log"}
    first = run_pipeline(counting, arguments, **places, say=said.append)
    again = run_pipeline(counting, arguments, **places, say=said.append)
    assert (tmp_path / "ledger").read_text() == "ran\n"
    assert [(task, record.reused) for task, record in first.records] == [("count", False)]
    assert [(stage, record.reused) for stage, record in again.records] == [("count", True)]
    assert read_seal(again.outputs["Output"]).figures == {"counted": 3}
    assert "  ✓ count (reused: same inputs as an earlier run)" in said


def test_a_failing_task_is_named_with_its_reason_and_what_was_done_is_kept(tmp_path: Path) -> None:
    arguments = {"ledger": str(tmp_path / "ledger"), "upto": 30}
    places = {"root": tmp_path / "root", "log": tmp_path / "log"}
    with pytest.raises(PipelineError, match="task refuse failed: 30 is more than 10"):
        run_pipeline(counting, arguments, **places, say=lambda _: None)
    run_pipeline(counting, {**arguments, "limit": 50}, **places, say=lambda _: None)
    assert (tmp_path / "ledger").read_text() == "ran\n"


def test_a_misspelled_argument_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="did you mean 'upto'"):
        run_pipeline(
            counting, {"ledger": "x", "up_to": 3}, root=tmp_path / "root", log=tmp_path / "log", say=lambda _: None
        )
    assert not (tmp_path / "root").exists()


def test_a_long_task_says_how_far_it_is_now_and_then() -> None:
    said: list[str] = []
    log = RunLog(io.StringIO(), said.append, Path("pipeline.log"), Path("failures.json"))
    log.told_at = -1e9
    log.write("    train epoch 2/14:  36%|###6      | 91/250 [00:46<01:25,  1.86it/s]\n")
    log.write("    train epoch 2/14:  37%|###6      | 92/250 [00:46<01:25,  1.86it/s]\n")
    assert said == ["    train epoch 2/14 36 %"]
