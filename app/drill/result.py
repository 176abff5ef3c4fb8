"""What a drill came to: the content of `drill.json`."""

from datetime import datetime

from app.drill.scenario import ORDINARY, Scenario
from app.drill.service import Traffic
from lookalike.config import StrictConfig
from monitoring.history import Action

DRILL = "drill.json"
BEHIND_VALIDATION = {"catalogue", "delivery"}
"""Watchers that see a delivery only once the validate stage let it pass."""


class Said(StrictConfig):
    """What one watcher said of a window."""

    watcher: str
    """Its name; see `scenario.Watcher`."""
    spoke: bool
    """Whether it found something."""
    words: str
    """What, or that there was nothing."""


class WatchedWindow(StrictConfig):
    """One simulated day."""

    number: int
    """From 1."""
    begin: datetime
    """When its traffic began."""
    shifted: bool
    """Whether the scenario was in force."""
    traffic: Traffic
    """What became of its searches."""
    outcome: str
    """`measured`, `not enough traffic`, or `not watched` where the delivery was refused before."""
    drifted: bool
    """The verdict on this window alone."""
    score: float | None
    """Surprise, in powers of ten."""
    threshold: float | None
    """A score above it is drift."""
    moved: tuple[str, ...]
    """Streams that moved, in words."""
    said: tuple[Said, ...]
    """Every watcher, the silent ones too."""
    action: Action
    """What was decided."""
    reasons: tuple[str, ...]
    """Why."""
    started: tuple[str, ...]
    """Names of the runs that were started, in the drill's memory only."""


class Drill(StrictConfig):
    """One drill of one release."""

    scenario: str
    """Its name."""
    sentence: str
    """What happened to the traffic or the catalogue."""
    release_id: str
    """The release in service whose model answered."""
    queries: int
    """Searches per window."""
    seed: int
    """Every draw of photos, damage and deliveries."""
    early: int
    """Ordinary searches before the first window, kept as the release's early traffic."""
    windows: tuple[WatchedWindow, ...]
    """In the order of time."""
    expected: str
    """Who should have spoken and what should have been started."""
    as_expected: bool
    """Whether it came so."""
    conclusion: str
    """What happened, and what differs from what was expected."""


def expectation(scenario: Scenario) -> str:
    """In words."""
    speaks = f"{' and '.join(scenario.speaks)} should speak" if scenario.speaks else "nobody needs to speak"
    besides = f", a {' or a '.join(scenario.may_start)} may" if scenario.may_start else ""
    if scenario.starts:
        return f"{speaks}; a {' and a '.join(scenario.starts)} should start{besides}"
    return f"{speaks}; {'no retrain' if besides else 'nothing'} should start{besides}"


def conclude(scenario: Scenario, windows: tuple[WatchedWindow, ...]) -> tuple[bool, str]:
    """Whether everything came as the scenario says, and what happened in a sentence or two."""
    wrong = [*_too_early(windows), *_silent(scenario, windows), *_runs(scenario, windows)]
    spoke = sorted({said.watcher for window in windows if window.shifted for said in window.said if said.spoke})
    runs = [f"{window.action} with window {window.number}" for window in windows if window.started]
    happened = f"{' and '.join(spoke) or 'nobody'} spoke during the shift; started: {', '.join(runs) or 'nothing'}."
    if scenario.shift == ORDINARY:
        happened = f"{_alarms(windows)} of {len(windows)} windows drifted; started: {', '.join(runs) or 'nothing'}."
    verdict = f"NOT as expected: {'; '.join(wrong)}." if wrong else "As expected."
    return not wrong, f"{happened[0].upper()}{happened[1:]} {verdict}"


def _alarms(windows: tuple[WatchedWindow, ...]) -> int:
    return sum(window.drifted for window in windows)


def _too_early(windows: tuple[WatchedWindow, ...]) -> list[str]:
    first = next((window.number for window in windows if window.shifted), 0)
    early = [window for window in windows if window.started and window.number < first]
    return [f"window {window.number} started a {window.action} before the shift" for window in early]


def _silent(scenario: Scenario, windows: tuple[WatchedWindow, ...]) -> list[str]:
    """Watchers that should have spoken; of a delivery that validation refused, those behind it cannot know."""
    spoke = {said.watcher for window in windows if window.shifted for said in window.said if said.spoke}
    spoke |= BEHIND_VALIDATION if "validation" in spoke else set()
    return [f"{watcher} was silent" for watcher in scenario.speaks if watcher not in spoke]


def _runs(scenario: Scenario, windows: tuple[WatchedWindow, ...]) -> list[str]:
    """Runs that are missing, that are too many, and that were started twice."""
    started = [window.action for window in windows if window.started]
    missing = [f"no {action} was started" for action in scenario.starts if action not in started]
    allowed = {*scenario.starts, *scenario.may_start}
    besides = [f"a {action} was started" for action in sorted({*started} - allowed)]
    twice = [f"a {action} was started {started.count(action)} times" for action in sorted({*started} & allowed)]
    return [*missing, *besides, *(words for words in twice if not words.endswith(" 1 times"))]
