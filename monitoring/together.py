"""The last windows judged as one: the calibrated comparison of a single window, on all of their queries."""

from collections.abc import Sequence
from functools import reduce
from math import ceil

from monitoring.calibration import Calibration, calibrate, judge
from monitoring.samples import Sample, pooled
from monitoring.sequence import Together
from monitoring.settings import DriftSettings


class LookBack:
    """Windows as one against one reference; calibrations are kept, and sizes beyond half of it share theirs."""

    def __init__(self, reference: Sample, settings: DriftSettings) -> None:
        self._reference, self._rule, self._min_rows = reference, settings.rule, settings.min_rows
        alpha = settings.rule.together or settings.alpha
        draws = max(settings.draws, ceil(1 / alpha) - 1)  # a rank can be as small as it has to be
        self._settings = settings.model_copy(update={"alpha": alpha, "draws": draws, "proof_draws": 0})
        self._calibrations: dict[int, Calibration] = {}

    def judge(self, windows: Sequence[Sample]) -> Together | None:
        """The verdict over the last m windows, which share no photo; None where there are fewer or one is too small."""
        rule = self._rule
        if not rule.looks_back or len(windows) < rule.m or min(map(len, windows)) < self._min_rows:
            return None
        score, rank = self._judged(windows)
        without = None
        if rank <= rule.together:
            others = [[*windows[:left_out], *windows[left_out + 1 :]] for left_out in range(len(windows))]
            without = max(self._judged(rest)[1] for rest in others)
        return Together(
            rows=sum(map(len, windows)),
            score=score,
            rank=rank,
            rank_without=without,
            drifted=without is not None and without <= rule.without_any,
        )

    def _judged(self, windows: Sequence[Sample]) -> tuple[float, float]:
        """Score and rank of windows as one."""
        rows = reduce(pooled, windows)
        size = min(len(rows), len(self._reference) // 2)
        if size not in self._calibrations:
            self._calibrations[size] = calibrate(self._reference, len(rows), self._settings)
        calibration = self._calibrations[size]
        score = judge(calibration, self._reference, rows, self._settings.seed).score
        return score, calibration.rank(score)
