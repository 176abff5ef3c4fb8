"""Runs side by side: all are done, and one that fails does not take the others along."""

from functools import partial
from pathlib import Path

from benchmarks.embedding.schedule import run_all


def note(task: int, folder: Path) -> str:
    if task == 1:
        raise ValueError("the second one fails")
    (folder / str(task)).touch()
    return f"{task} done"


def test_a_failing_run_is_told_and_the_others_finish(tmp_path: Path) -> None:
    failures = run_all(partial(note, folder=tmp_path), [0, 1, 2, 3], 2, tmp_path / "logs")
    assert failures == ["1 FAILED: ValueError: the second one fails"]
    assert {path.name for path in tmp_path.iterdir()} == {"0", "2", "3", "logs"}
