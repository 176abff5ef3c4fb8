"""Releases that live through windows without drift: what the watch says of each, alone and as one with those before.

Real photos, drawn with replacement: a shop's traffic does not run out of photos, and a reference says of all of them
what it says. All windows of a release are judged against its one reference, so false alarms come in the company in
which they come in service. The years of `benchmarks.drift.years` are lived through with these verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.drift.plan import COMMAND, Measured, MissingInput, Plan
from benchmarks.drift.traffic import Traffic
from benchmarks.drift.trials import Outcome, collect
from benchmarks.drift.watched import ALPHAS, calibrated, settings
from benchmarks.results import RESULTS, Figure
from lookalike.evaluation.bootstrap import draw_resamples, estimate_mean
from lookalike.storage import read_json
from monitoring.calibration import judge
from monitoring.samples import Sample
from monitoring.sequence import SequenceRule
from monitoring.together import LookBack

PURPOSE = 5
STEP = "lives"
RULE = SequenceRule()


@dataclass(frozen=True)
class Life:
    """Verdicts of one release's windows without drift, the oldest first, each with a look-back before it."""

    drifted: tuple[bool, ...]
    """By themselves, at the shipped rate."""
    as_one: tuple[bool, ...]
    """Judged as one with those before."""


def measure(plan: Plan) -> Measured:
    """The verdicts, and how often windows judged as one were called drifted."""
    study, traffic = plan.study, plan.traffic()
    asked = {
        **study.model_dump(include={"reference", "window", "lived_windows", "draws", "seed"}),
        "rule": RULE.model_dump(),
    }
    found = collect(
        plan.places.trials(STEP), asked, range(study.lives), lambda n: _live(plan, traffic, n), "lives of releases"
    )
    first = RULE.m - 1  # from here on there is a look-back
    alarms = {name: [np.flatnonzero(one[name][first:]).tolist() for one in found] for name in ("drifted", "as_one")}
    return Measured(
        {"false_alarm_as_one": _figure(np.array([one["rank"] for one in found]), plan)},
        {"windows": study.lived_windows - first, "lives": alarms},
    )


def recorded(results: Path = RESULTS) -> tuple[Life, ...]:
    """The lives that were measured last. Raises MissingInput where none were."""
    path = results / "drift_details.json"
    known = read_json(path) if path.is_file() else {}
    if STEP not in known:
        raise MissingInput(f"{path} has no {STEP}: run the step {STEP} before")
    told = known[STEP]
    days = np.arange(told["windows"])
    return tuple(
        Life(tuple(np.isin(days, drifted).tolist()), tuple(np.isin(days, as_one).tolist()))
        for drifted, as_one in zip(told["lives"]["drifted"], told["lives"]["as_one"], strict=True)
    )


def _live(plan: Plan, traffic: Traffic, number: int) -> Outcome:
    study, rng = plan.study, np.random.default_rng((plan.study.seed, PURPOSE, number))

    def drawn(rows: int) -> Sample:
        return traffic.usual.take(rng.integers(len(traffic.usual), size=rows))

    reference = drawn(study.reference)
    calibration, look_back = calibrated(reference, study.window, study), LookBack(reference, settings(study))
    threshold = calibration.threshold_at(ALPHAS["1pct"])
    windows: Sequence[Sample] = ()
    said: Outcome = {"drifted": [], "as_one": [], "rank": []}
    for _ in range(study.lived_windows):
        windows = [*windows, drawn(study.window)][-RULE.m :]
        together = look_back.judge(windows)
        score = judge(calibration, reference, windows[-1], settings(study).seed).score
        said["drifted"].append(score > threshold)
        said["as_one"].append(together is not None and together.drifted)
        if together is not None:
            said["rank"].append(together.rank)
    return said


def _figure(ranks: np.ndarray, plan: Plan) -> Figure:
    """`ranks` (releases, windows) of the windows judged as one, before any is left out."""
    study, alarms = plan.study, ranks <= RULE.together
    clusters = np.repeat(np.arange(len(alarms)), alarms.shape[1])
    estimate = estimate_mean(alarms.ravel().astype(float), draw_resamples(clusters, 1_000, 0.95, study.seed))
    return Figure(
        value=float(alarms.mean()),
        unit="share",
        how=f"{len(alarms)} references of {study.reference}, {alarms.shape[1]} times the last {RULE.m} windows of "
        f"{study.window} judged as one against each, photos drawn with replacement; stated {RULE.together:g}, at a "
        f"stated 1 % they raised {np.mean(ranks <= 0.01):.2%}, at 5 % {np.mean(ranks <= 0.05):.2%}; "
        f"{int(alarms.any(axis=1).sum())} of the references raised any; interval by bootstrap over references; counted "
        f"before any window is left out; seed {study.seed}",
        command=COMMAND,
        interval=estimate.interval,
        n=alarms.size,
    )
