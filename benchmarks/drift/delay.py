"""Windows from a shift to the moment when the watch believes it, sudden and gradual."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.drift.settings import Study
from benchmarks.drift.traffic import SHIFTS, Traffic, World, apart, new_world, strengths
from benchmarks.drift.trials import Outcome, collect
from benchmarks.drift.watched import ALPHAS, calibrated, settings, verdict
from benchmarks.results import Figure
from monitoring.samples import Sample
from monitoring.sequence import SequenceRule
from monitoring.together import LookBack

PURPOSE = 4
BEFORE = 1_000
"""Number of the first window before the shift; those after it are numbered from 1."""
KINDS = {"sudden": 3, "gradual": 8}
"""Most windows that may pass."""
MISSED = {
    "sudden": "; missed: one window of {0} is too small a witness to be called every time at 1 %",
    "gradual": "; missed: {0} reaches the size that power_{0}_1pct is measured at only with window {1}, and is smaller "
    "before",
}
"""Why a goal is not reached, by kind: the slowest shift and the windows over which it grows."""
RATE = "1pct"
"""The shipped false-alarm rate of a window."""
RULE = SequenceRule()


def measure(plan: Plan) -> Measured:
    """A day is a window; the days before the shift are ordinary ones of the same release."""
    study, traffic = plan.study, plan.traffic()
    chosen = study.model_dump(include={"reference", "window", "draws", "seed", "share", "type_rows", "days", "ramp"})
    asked = {**chosen, "rule": RULE.model_dump()}
    found = collect(
        plan.places.trials("delay"), asked, range(study.episodes), lambda n: _episode(study, traffic, n), "episodes"
    )
    waited = {kind: {shift: [delay(one[kind][shift]) for one in found] for shift in SHIFTS} for kind in KINDS}
    figures = {f"delay_{kind}": _figure(kind, waits, study) for kind, waits in waited.items()}
    return Measured(figures, {kind: {"days": study.days, "waited": waits} for kind, waits in waited.items()})


def delay(believed: Sequence[bool]) -> int | None:
    """Windows until drift is believed; None where it was not."""
    return believed.index(True) + 1 if True in believed else None


class Watch:
    """One release under the watch, from its ordinary windows on."""

    def __init__(self, world: World, study: Study) -> None:
        self._world, self._study = world, study
        self._calibration = calibrated(world.reference, study.window, study)
        self._look_back = LookBack(world.reference, settings(study))
        self._before = [world.window(study.window, BEFORE + day) for day in range(RULE.m - 1)]
        self._verdicts_before = [self._drifted(window) for window in self._before]

    def believes(self, shifted: Iterable[Sample]) -> list[bool]:
        """Whether drift is believed with each of these windows after the ordinary ones, until it is."""
        windows, verdicts, believed = [*self._before], [*self._verdicts_before], []
        for window in shifted:
            windows.append(window)
            verdicts.append(self._drifted(window))
            believed.append(self._fires(windows[-RULE.m :], verdicts))
            if believed[-1]:
                break
        return believed

    def _fires(self, windows: Sequence[Sample], verdicts: Sequence[bool]) -> bool:
        alpha = ALPHAS[RATE]
        return (  # what is believed window by window need not be judged as one
            RULE.after(verdicts, alpha).fired
            or RULE.after(verdicts, alpha, self._look_back.judge(apart(windows))).fired
        )

    def _drifted(self, window: Sample) -> bool:
        return bool(verdict(self._calibration, self._world.reference, window, self._study)[RATE])


def _episode(study: Study, traffic: Traffic, number: int) -> Outcome:
    world = new_world(traffic, study, number, PURPOSE, unseen=True)
    watch = Watch(world, study)

    def said(shift: str, gradual: bool) -> list[bool]:
        days = strengths(study, shift, gradual).items()
        return watch.believes(world.window(study.window, day, shift, strength) for day, strength in days)

    return {kind: {shift: said(shift, kind == "gradual") for shift in SHIFTS} for kind in KINDS}


def _figure(kind: str, waited: Mapping[str, Sequence[int | None]], study: Study) -> Figure:
    """The slowest shift's mean; an episode that was never believed counts as one day more than were lived through."""
    means = {shift: float(np.mean(_counted(waits, study))) for shift, waits in waited.items()}
    slowest = max(means, key=lambda shift: means[shift])
    counted = _counted(waited[slowest], study)
    low, high = _interval(counted, study.seed)
    told = "; ".join(
        f"{shift}: mean {means[shift]:.2f}, 95 % within {np.quantile(_counted(waited[shift], study), 0.95):.0f}, "
        f"{sum(wait is None for wait in waited[shift])} not within {study.days}"
        for shift in waited
    )
    missed = "" if means[slowest] <= KINDS[kind] else MISSED[kind].format(slowest, study.ramp)
    ramp = f", growing over {study.ramp} windows to the size of the sudden one" if kind == "gradual" else ""
    return Figure(
        value=means[slowest],
        unit="windows",
        how=f"mean over {len(counted)} episodes of the slowest of the three shifts ({slowest}{ramp}); windows of "
        f"{study.window} after {RULE.m - 1} ordinary ones, believed when {RULE.k} of {RULE.m} windows drifted at 1 %, "
        f"or judged as one at {RULE.together:.1%} whichever is left out. {told}{missed}",
        command=COMMAND,
        goal=f"<= {KINDS[kind]}",
        met=means[slowest] <= KINDS[kind],
        interval=(low, high),
        n=len(counted),
    )


def _counted(waits: Sequence[int | None], study: Study) -> list[int]:
    return [study.days + 1 if wait is None else wait for wait in waits]


def _interval(values: Sequence[int], seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    drawn = np.random.default_rng(seed).choice(values, (2_000, len(values))).mean(axis=1)
    return float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))
