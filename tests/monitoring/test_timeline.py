"""The timeline: every window of the release where time and score put it, once."""

from datetime import timedelta
from math import log1p

import pytest

from monitoring.episode import SeenWindow
from monitoring.history import StartedRun, WatchHistory
from monitoring.page.timeline import HEIGHT, SHOWN, WIDTH, draw_timeline
from tests.monitoring.shop import NOW
from tests.monitoring.test_rules import SILENCE, window


def seen(day: float, score: float | None = 1.0, name: str = "", release: str = "r1", **changes: bool) -> SeenWindow:
    last = NOW + timedelta(days=day)
    return SeenWindow(
        window=name or f"{day}",
        release_id=release,
        first=(last - timedelta(hours=9)).isoformat(),
        last=last.isoformat(),
        drifted=None if score is None else score > 2,
        score=score,
        threshold=None if score is None else 2.0,
        **changes,
    )


def asked(day: float, action: str) -> StartedRun:
    return StartedRun(name=f"{action}-x", action=action, causes=("x",), started=NOW + timedelta(days=day))  # type: ignore[arg-type]


def test_windows_and_runs_are_where_a_naive_computation_puts_them() -> None:
    windows = [seen(0, 1.5), seen(1, 3.0), seen(4, 40.0, believed=True)]
    drawn = draw_timeline(windows, [asked(-1, "retrain"), asked(2, "reindex"), asked(5, "retrain")], seen(8, 7.0))
    assert drawn is not None
    for point, day, score in zip(drawn.points, (0, 1, 4, 8), (1.5, 3.0, 40.0, 7.0), strict=True):
        assert point.x == pytest.approx(WIDTH * day / 8, abs=0.06)
        assert point.y == pytest.approx(HEIGHT - 0.95 * HEIGHT * log1p(score) / log1p(40), abs=0.06)
        assert point.threshold == pytest.approx(HEIGHT - 0.95 * HEIGHT * log1p(2) / log1p(40), abs=0.06)
    assert [point.kind for point in drawn.points] == ["calm", "drifted", "drifted", "drifted"]
    assert [point.believed for point in drawn.points] == [False, False, True, False]
    assert [point.newest for point in drawn.points] == [False, False, False, True]
    assert [(run.x, run.letter) for run in drawn.runs] == [(WIDTH * 2 / 8, "I"), (WIDTH * 5 / 8, "R")]
    assert [level for _, level in drawn.levels] == [0, 1, 2, 3, 5, 10, 30]
    assert drawn.times == [(0.0, "2026-03-01 12:00"), (WIDTH, "2026-03-09 12:00")]
    assert "4 windows of this release" in drawn.words and "3 drifted; 1 did not" in drawn.words


def test_the_newest_window_is_there_once_whether_history_holds_it_or_not() -> None:
    before, newest = [seen(0), seen(1)], seen(2)
    without, within = (draw_timeline(windows, [], newest) for windows in (before, [*before, newest]))
    assert without == within
    assert without is not None and len(without.points) == 3


def test_other_releases_windows_are_left_out() -> None:
    drawn = draw_timeline([seen(0, release="r0"), seen(1)], [], seen(2))
    assert drawn is not None and [point.seen.window for point in drawn.points] == ["1", "2"]


def test_one_window_alone_stands_in_the_middle() -> None:
    drawn = draw_timeline([], [], seen(0, 3.0))
    assert drawn is not None
    assert [point.x for point in drawn.points] == [WIDTH / 2]
    assert drawn.times == [(WIDTH / 2, "2026-03-01 12:00:00")]


def test_a_window_without_traffic_has_no_height_and_no_queries_at_all_no_timeline() -> None:
    drawn = draw_timeline([seen(0, None)], [], seen(1))
    assert drawn is not None and (drawn.points[0].kind, drawn.points[0].y) == ("unmeasured", None)
    assert draw_timeline([], [], seen(0).model_copy(update={"last": None})) is None


def test_the_newest_windows_are_drawn_when_there_are_too_many() -> None:
    drawn = draw_timeline([seen(day) for day in range(300)], [], seen(300))
    assert drawn is not None and len(drawn.points) == SHOWN
    assert [drawn.points[i].seen.window for i in (0, -1)] == ["181", "300"]


def test_the_history_remembers_scores_and_what_was_believed() -> None:
    measured = window(0, drifted=True).model_copy(update={"score": 3.5, "threshold": 2.5})
    windows = WatchHistory().seeing(measured, 3).seeing(window(1, drifted=False, outcome=SILENCE), 3).windows
    assert [(one.score, one.threshold, one.drifted) for one in windows] == [(3.5, 2.5, True), (None, None, None)]
    assert not windows[0].believed  # no rule was asked
    old = {"windows": [{"window": "w", "release_id": "r", "first": None, "last": None, "drifted": True}]}
    assert WatchHistory.model_validate(old).windows[0].score is None
