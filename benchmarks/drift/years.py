"""Years without drift, a window a day, through the decision that ships: how many retrains start for nothing?

The watch's p-value of a window without drift is uniform, so a year needs no queries: 365 p-values, each compared with
the false-alarm rate. A threshold is an order statistic of a finite null, though, so every release draws the rate that
its own threshold really has (a beta law), and keeps it. What decides is `monitoring.rules.decide` at its defaults.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.results import Figure
from lookalike.progress import progress
from monitoring.history import StartedRun, WatchHistory
from monitoring.result import DriftResult
from monitoring.rules import Decision, Facts, decide
from monitoring.settings import DecisionSettings, DriftSettings

DAYS = 365
MOST_PER_YEAR = 1.0
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOURS_TO_RELEASE = 6
"""From a retrain's start until its model is in service; every retrain is promoted, so that what follows begins anew."""


@dataclass(frozen=True)
class YearsPlan:
    """What is simulated."""

    years: int = 1000
    alpha: float = DriftSettings().alpha
    draws: int = DriftSettings().draws
    seed: int = 0
    settings: DecisionSettings = field(default_factory=DecisionSettings)


class Year:
    """One shop for one year: a window a day, its history, its releases."""

    def __init__(self, plan: YearsPlan, rng: np.random.Generator) -> None:
        self.plan, self.rng = plan, rng
        self.history = WatchHistory()
        self.asked: Counter[str] = Counter()
        self._release(0, BEGIN)

    def live(self) -> Counter[str]:
        """Runs that were asked for, by the kind of their first cause: drift or age."""
        p_values: NDArray[np.float64] = self.rng.random(DAYS)
        for day, p_value in enumerate(p_values):
            self._watch(day, bool(p_value <= self.rate))
        return self.asked

    def _watch(self, day: int, drifted: bool) -> None:
        now = BEGIN + timedelta(days=day + 1)
        window = _window(day, self.release_id, drifted)
        facts = Facts(now, self.release_id, self.born, "catalogue", "catalogue")
        decision = decide(window, self.history, facts, self.plan.settings)
        self.history = self.history.seeing(window, self.plan.settings.calm_windows)
        if decision.run is not None:
            self._retrain(day, now, decision)

    def _retrain(self, day: int, now: datetime, decision: Decision) -> None:
        self.asked[decision.causes[0].split("-")[0]] += 1
        run = StartedRun(
            name=decision.run or "",
            action=decision.action,
            causes=decision.causes,
            started=now,
            state="succeeded",
            run_id=decision.run,
            hours=HOURS_TO_RELEASE,
        )
        self.history = self.history.starting(run)
        self._release(day + 1, now + timedelta(hours=HOURS_TO_RELEASE))

    def _release(self, day: int, born: datetime) -> None:
        """The rate of a threshold that `exceeding` of `draws` null scores reach (Beta law of an order statistic)."""
        self.release_id, self.born = f"{day:012d}", born
        exceeding = int(self.plan.alpha * (self.plan.draws + 1))
        self.rate = float(self.rng.beta(exceeding, self.plan.draws + 1 - exceeding))


def false_retrains(plan: YearsPlan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Retrains that drift and age asked for, per year: two arrays (years,)."""
    rng = np.random.default_rng(plan.seed)
    lived = [Year(plan, rng).live() for _ in progress(range(plan.years), "years")]
    return np.array([year["drift"] for year in lived]), np.array([year["age"] for year in lived])


def measure(plan: Plan) -> Measured:
    """Years at the shipped settings."""
    return Measured(figures(YearsPlan(years=plan.study.years, seed=plan.study.seed)))


def figures(plan: YearsPlan) -> dict[str, Figure]:
    """The figures of `benchmarks/results/drift.json` that this module answers for."""
    drift, age = false_retrains(plan)
    rule = plan.settings
    stated = math.comb(rule.of_windows - 1, rule.drifted_windows - 1) * plan.alpha**rule.drifted_windows
    said = (
        f"{plan.years:,} years of daily windows without drift, seed {plan.seed}: uniform p-values, the alpha "
        f"{plan.alpha:g} of every release as its {plan.draws} draws really make it, {rule.drifted_windows} of "
        f"{rule.of_windows} windows, episodes end after {rule.calm_windows}, cooldown {rule.cooldown_days:g} days, at "
        f"most {rule.most_retrains} retrains in {rule.budget_days:g} days; every retrain is released"
    )
    per_year, low, high = _mean(drift)
    per_thousand = [1000 / DAYS * value for value in (per_year, low, high)]
    return {
        "false_retrains_per_year": Figure(
            per_year,
            "retrains",
            f"{said}; at most {drift.max()} in one year, none in {np.mean(drift == 0):.1%}. Besides, age asked for "
            f"{age.mean():.2f} a year, as the settings say.",
            COMMAND,
            goal=f"<= {MOST_PER_YEAR:g}",
            met=high <= MOST_PER_YEAR,
            interval=(low, high),
            n=plan.years,
        ),
        "none_retrains_decided": Figure(
            per_thousand[0],
            "retrains per 1,000 windows",
            f"The same years, as the deciding half of the drill without a shift: {said}. Stated: a window completes "
            "the rule with probability C(m-1, k-1) alpha^k at most, if windows were independent.",
            COMMAND,
            goal=f"<= {1000 * stated:.3g}, as stated",
            met=per_thousand[1] <= 1000 * stated,
            interval=(per_thousand[1], per_thousand[2]),
            n=plan.years * DAYS,
        ),
    }


def _mean(counts: NDArray[np.int64]) -> tuple[float, float, float]:
    """Mean and its 95 % interval over years, which are independent."""
    mean, error = float(counts.mean()), float(counts.std(ddof=1) / math.sqrt(len(counts)))
    return mean, max(0.0, mean - 1.96 * error), mean + 1.96 * error


def _window(day: int, release_id: str, drifted: bool) -> DriftResult:
    """The queries of one day; the last minute is left out, so that days share none."""
    first = BEGIN + timedelta(days=day)
    return DriftResult(
        outcome="measured",
        drifted=drifted,
        summary="Drifted." if drifted else "No drift.",
        release_id=release_id,
        model_fingerprint="model",
        window=f"day {day}",
        first=first.isoformat(),
        last=(first + timedelta(hours=23, minutes=59)).isoformat(),
        measured=first.isoformat(),
        n_reference=1000,
        n_current=1000,
        excluded={},
        alpha=0.0,
        detector="none",
    )
