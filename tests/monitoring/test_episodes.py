"""One drift episode starts one run: whatever is killed, repeated, done at once or failing."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lookalike.errors import BackendUnavailable
from lookalike.storage import run_stage, write_json
from monitoring.decision import decide_action
from monitoring.history import StartedRun, WatchHistory, read_history
from monitoring.requests import request_for
from monitoring.result import DRIFT
from monitoring.runs.protocol import RunRequest, RunState
from monitoring.settings import DecisionSettings
from monitoring.starting import start_asked
from tests.monitoring.shop import NOW, World, make_release, observations
from tests.monitoring.test_rules import told, window

SETTINGS = DecisionSettings(calm_windows=2, cooldown_days=0, most_attempts=3)


class Ledger:
    """Runs that outlive the process that starts them: a file each, as a server would keep them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.away = False

    def start(self, request: RunRequest) -> str:
        if self.away:
            raise BackendUnavailable("nobody answers")
        self.folder.mkdir(exist_ok=True)
        run = f"{len(self.started()) + 1}-{request.name}"
        (self.folder / run).write_text(json.dumps({"phase": "running"}))
        return run

    def state(self, run_id: str) -> RunState:
        return RunState(**json.loads((self.folder / run_id).read_text()))

    def find(self, name: str) -> str | None:
        return next((run for run in reversed(self.started()) if run.split("-", 1)[1] == name), None)

    def started(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*")) if self.folder.is_dir() else []

    def end(self, run_id: str, phase: str) -> None:
        reason = "out of memory" if phase == "failed" else ""
        (self.folder / run_id).write_text(json.dumps({"phase": phase, "reason": reason, "hours": 1.0}))


class Watcher:
    """A shop's watch over windows that are given; nothing is kept in memory between two watches."""

    def __init__(self, root: Path) -> None:
        self.root, self.history, self.runs = root, root / "watch_history.json", Ledger(root / "runs")

    def measured(self, day: int, drifted: bool = True) -> None:
        """The newest window is that of a day."""
        release = json.loads((self.release / "release.json").read_text())["release_id"]
        result = told(window(day, drifted, release=release), self.seen().windows)

        def work(folder: Path) -> dict:
            write_json(folder / DRIFT, result.model_dump(mode="json"))
            return {}

        run_stage("drift", self.root / "drift", inputs={}, settings={"day": day}, content=[DRIFT], work=work)

    @property
    def release(self) -> Path:
        (folder,) = [path.parent for path in self.root.glob("releases/*/release.json")]
        return folder

    def watch(self, now: datetime = NOW, output: str = "decision") -> list[StartedRun]:
        folders = (self.root / "drift", self.root / output, self.release, self.history)
        decide_action(*folders, SETTINGS, now, self.runs)
        return start_asked(self.history, self.runs, lambda run: request_for(run, {}, "", "live"))

    def seen(self) -> WatchHistory:
        return read_history(self.history)


@pytest.fixture
def watcher(tmp_path: Path) -> Watcher:
    """Drift has lasted one window, and the second one is measured: the next watch starts a run."""
    make_release(tmp_path / "shop" / "releases", observations(World(1, dimension=32).vectors(2, 1), 1))
    watcher = Watcher(tmp_path / "shop")
    watcher.measured(day=0)
    watcher.watch()
    watcher.measured(day=1)
    return watcher


def test_a_run_is_started_once_however_often_the_watch_comes_back(watcher: Watcher) -> None:
    assert len(watcher.watch()) == 1
    for day in range(2, 6):
        assert watcher.watch() == []
        watcher.measured(day)
        assert watcher.watch(NOW + timedelta(days=40)) == []
    assert len(watcher.runs.started()) == 1


def test_watches_at_once_start_one_run(watcher: Watcher) -> None:
    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(lambda number: watcher.watch(output=f"decision-{number}"), range(8)))
    assert sum(len(runs) for runs in started) == 1
    assert len(watcher.runs.started()) == 1


class Killer:
    """Ends the process without a clean-up at the n-th file it opens, renames, makes or removes in a folder."""

    def __init__(self) -> None:
        self.folder, self.left = "", 0

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.left or event not in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"):
            return
        if str(arguments[0]).startswith(self.folder):
            self.left -= 1
            if not self.left:
                os._exit(9)


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    killer = Killer()
    sys.addaudithook(killer)  # for the rest of the process; it sleeps unless told a folder and a number
    yield killer
    killer.left = 0


def killed(watcher: Watcher, killer: Killer, step: int) -> bool:
    """Let a watch run in a process of its own that is killed at a step; whether it came so far."""
    child = os.fork()
    if child == 0:
        killer.folder, killer.left = str(watcher.root), step
        try:
            watcher.watch()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_a_watch_killed_at_any_step_starts_one_run_in_the_end(watcher: Watcher, killer: Killer, tmp_path: Path) -> None:
    step = 1
    while True:
        copy = Watcher(tmp_path / f"copy-{step}")
        shutil.copytree(watcher.root, copy.root)
        if not killed(copy, killer, step):
            break
        copy.watch()
        (run,) = copy.seen().runs
        assert [run.run_id] == copy.runs.started(), f"killed at step {step}"
        assert run.state == "running"
        step += 1
    assert step > 15, "the watch has more steps than that"


def test_a_killed_watch_killed_again_starts_one_run_in_the_end(
    watcher: Watcher, killer: Killer, tmp_path: Path
) -> None:
    for first, second in [(first, second) for first in range(10, 40, 9) for second in range(2, 40, 9)]:
        copy = Watcher(tmp_path / f"copy-{first}-{second}")
        shutil.copytree(watcher.root, copy.root)
        killed(copy, killer, first)
        killed(copy, killer, second)
        copy.watch()
        assert len(copy.runs.started()) == 1, f"killed at step {first}, then at {second}"


def test_a_run_that_failed_is_taken_back_and_tried_again_until_a_person_must_look(watcher: Watcher) -> None:
    names = []
    for _ in range(SETTINGS.most_attempts):
        (run,) = watcher.watch()
        names.append(run.name)
        assert watcher.watch() == [], "it is under way"
        watcher.runs.end(run.run_id or "", "failed")
    assert watcher.watch() == []
    assert watcher.watch() == []
    assert names == [names[0], f"{names[0]}-2", f"{names[0]}-3"]
    assert [(run.state, run.note, run.hours) for run in watcher.seen().runs] == [
        ("withdrawn", "out of memory", 1.0)
    ] * 3
    reasons = json.loads((watcher.root / "decision" / "decision.json").read_text())["reasons"]
    assert reasons[0].endswith("3 runs came to nothing, a person must look: out of memory")


def test_a_run_that_succeeded_answers_the_episode_for_good(watcher: Watcher) -> None:
    (run,) = watcher.watch()
    watcher.runs.end(run.run_id or "", "succeeded")
    assert watcher.watch() == []
    assert [(one.state, one.hours) for one in watcher.seen().runs] == [("succeeded", 1.0)]


def test_a_place_that_is_away_is_told_and_the_run_starts_under_its_name_later(watcher: Watcher) -> None:
    watcher.runs.away = True
    for _ in range(2):
        with pytest.raises(BackendUnavailable, match="nobody answers"):
            watcher.watch()
    watcher.runs.away = False
    (run,) = watcher.watch()
    assert watcher.runs.started() == [f"1-{run.name}"]
    assert [one.name for one in watcher.seen().runs] == [run.name] * 3
    assert [one.state for one in watcher.seen().runs] == ["withdrawn", "withdrawn", "running"]


def test_a_run_that_was_accepted_unnoticed_is_the_run(watcher: Watcher) -> None:
    """The server took it and the answer was lost: asking for the name again finds it."""
    accept = watcher.runs.start

    def lost(request: RunRequest) -> str:
        accept(request)
        raise BackendUnavailable("the answer was lost")

    watcher.runs.start = lost  # type: ignore[method-assign]
    with pytest.raises(BackendUnavailable):
        watcher.watch()
    (run,) = watcher.watch()
    assert [run.run_id] == watcher.runs.started()


def test_after_calm_windows_a_new_episode_starts_a_run_of_its_own(watcher: Watcher) -> None:
    (first,) = watcher.watch()
    watcher.runs.end(first.run_id or "", "succeeded")
    for day, drifted in enumerate([False, False, True, True], start=2):
        watcher.measured(day, drifted)
        started = watcher.watch(NOW + timedelta(days=day))
    (second,) = started
    assert second.name != first.name
    assert len(watcher.runs.started()) == 2
