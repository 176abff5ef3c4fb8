"""Years without drift, a window a day, through the decision that ships: how many retrains start for nothing?

A release lives with the verdicts of real windows against one real reference, as `benchmarks.drift.lives` measured
them: every release draws one of those lives. What believes is the shipped rule over several windows, and what decides
is `monitoring.rules.decide` at its defaults.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.days import BEGIN, told
from benchmarks.drift.lives import Life, recorded
from benchmarks.drift.plan import COMMAND, Measured, Plan
from benchmarks.results import Figure
from lookalike.progress import progress
from monitoring.history import StartedRun, WatchHistory
from monitoring.result import DriftResult
from monitoring.rules import Decision, Facts, decide
from monitoring.sequence import SequenceRule, Together
from monitoring.settings import DecisionSettings, DriftSettings

DAYS = 365
MOST_PER_YEAR = 1.0
ALPHA = DriftSettings().alpha
BLOCKS = 20
"""Blocks of years; each draws anew from the lives that were measured, which are few."""
HOURS_TO_RELEASE = 6
"""From a retrain's start until its model is in service; every retrain is promoted, so that what follows begins anew."""


@dataclass(frozen=True)
class YearsPlan:
    """What is simulated."""

    years: int = 1000
    seed: int = 0
    settings: DecisionSettings = field(default_factory=DecisionSettings)
    rule: SequenceRule = field(default_factory=SequenceRule)
    lives: Sequence[Life] = field(default_factory=recorded)
    """What releases may live through. One that lives longer goes on with another life: as if its reference changed,
    which lets fewer false alarms come in company, that is in one episode."""


class Year:
    """One shop for one year: a window a day, its history, its releases."""

    def __init__(self, plan: YearsPlan, lives: Sequence[Life], rng: np.random.Generator) -> None:
        self.plan, self.lives, self.rng = plan, lives, rng
        self.history = WatchHistory()
        self.asked: Counter[str] = Counter()
        self.life = lives[0]
        self._release(0, BEGIN)

    def live(self) -> Counter[str]:
        """Runs that were asked for, by the kind of their first cause: drift or age."""
        for day in range(DAYS):
            self._watch(day)
        return self.asked

    def _watch(self, day: int) -> None:
        now = BEGIN + timedelta(days=day + 1)
        window = self._window(day)
        facts = Facts(now, self.release_id, self.born, "catalogue", "catalogue")
        decision = decide(window, self.history, facts, self.plan.settings)
        self.history = self.history.seeing(window, self.plan.settings.calm_windows)
        if decision.run is not None:
            self._retrain(day, now, decision)

    def _window(self, day: int) -> DriftResult:
        """What the drift stage says of a day: the verdict, and where the rule stands."""
        place = len(self.verdicts) % len(self.life.drifted)
        if place == 0:
            self.life = self.lives[int(self.rng.integers(len(self.lives)))]
        self.verdicts.append(self.life.drifted[place])
        as_one = Together(rows=0, score=0, rank=0, rank_without=None, drifted=self.life.as_one[place])
        return told(day, self.release_id, self.plan.rule.after(self.verdicts, ALPHA, as_one), ALPHA)

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
        """Another release, another life."""
        self.release_id, self.born = f"{day:012d}", born
        self.verdicts: list[bool] = []


def false_retrains(plan: YearsPlan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Retrains that drift and age asked for, per year: two arrays (years,), in blocks that draw the lives anew."""
    rng, lived = np.random.default_rng(plan.seed), []
    for block in progress(_blocks(np.arange(plan.years)), "years"):
        lives = [plan.lives[int(i)] for i in rng.integers(len(plan.lives), size=len(plan.lives))]
        lived += [Year(plan, lives, rng).live() for _ in block]
    return np.array([year["drift"] for year in lived]), np.array([year["age"] for year in lived])


def measure(plan: Plan) -> Measured:
    """Years at the shipped settings."""
    lives = recorded(plan.destination.results)
    return Measured(figures(YearsPlan(years=plan.study.years, seed=plan.study.seed, lives=lives)))


def figures(plan: YearsPlan) -> dict[str, Figure]:
    """The figures of `benchmarks/results/drift.json` that this module answers for."""
    drift, age = false_retrains(plan)
    rule, settings = plan.rule, plan.settings
    stated = math.comb(rule.m - 1, rule.k - 1) * ALPHA**rule.k + rule.together
    said = (
        f"{plan.years:,} years of daily windows without drift, seed {plan.seed}; every release lives with the verdicts "
        f"of real windows against a real reference ({len(plan.lives)} such lives of {len(plan.lives[0].drifted)} "
        f"windows, see false_alarm_as_one): {rule.k} of {rule.m} windows at {ALPHA:.0%}, or judged as one at "
        f"{rule.together:.1%}; episodes end after {settings.calm_windows}, cooldown {settings.cooldown_days:g} days, "
        f"at most {settings.most_retrains} retrains in {settings.budget_days:g} days; every retrain is released"
    )
    per_year, low, high = _mean(drift)
    few = f"; not proven: {len(plan.lives)} lives are few, more would narrow the interval"
    few = few if per_year <= MOST_PER_YEAR < high else ""
    per_thousand = [1000 / DAYS * value for value in (per_year, low, high)]
    return {
        "false_retrains_per_year": Figure(
            per_year,
            "retrains",
            f"{said}; interval by drawing the lives anew; at most {drift.max()} in one year, "
            f"none in {np.mean(drift == 0):.1%}. Besides, age asked for "
            f"{age.mean():.2f} a year, as the settings say{few}.",
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
            "the first rule with probability C(m-1, k-1) alpha^k at most, if windows were independent, and judged as "
            "one it is believed with its own rate at most.",
            COMMAND,
            goal=f"<= {1000 * stated:.3g}, as stated",
            met=per_thousand[1] <= 1000 * stated,
            interval=(per_thousand[1], per_thousand[2]),
            n=plan.years * DAYS,
        ),
    }


def _mean(counts: NDArray[np.int64]) -> tuple[float, float, float]:
    """Mean and its 95 % interval: as far as blocks of years, which draw the lives anew, are from one another."""
    mean, error = float(counts.mean()), float(np.std([block.mean() for block in _blocks(counts)], ddof=1))
    return mean, max(0.0, mean - 1.96 * error), mean + 1.96 * error


def _blocks(years: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return np.array_split(years, min(BLOCKS, len(years)))
