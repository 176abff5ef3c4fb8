"""One alarm is a number; several of the last few windows are a finding: what is believed, and how seldom it errs.

Two rules stand side by side. `k` of the last `m` windows drifted: a large shift shows in every window. Or those `m`
judged as one window drifted: a small or growing shift shows in none of them alone. The second is a moving sum (Bauer
and Hackl, The use of MOSUMs for quality control, Technometrics 20, 1978) whose threshold is calibrated anew for its
size, reference included; it is believed only if no single window makes it so, since one bad day is no drift.

With windows that are independent without drift, the first rule is a Markov chain over the last m-1 verdicts, so its
mean time between false alarms is computed and not simulated (Fu and Lou, Distribution theory of runs and patterns,
2003, chapter 2). The second errs at most at its stated rate per window, on average over releases, however windows
depend on one another. Rates add up to at most their sum (Boole). Windows of one release share its reference, though,
which makes the first rule's false alarms come in company: the mean is as good as the reference is large beside them.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from lookalike.config import StrictConfig
from lookalike.errors import ConfigError


class Together(StrictConfig):
    """The last m windows judged as one."""

    rows: int
    """Queries in them."""
    score: float
    """Their surprise, in powers of ten."""
    rank: float
    """Share of so many queries without drift that score at least this much: a p-value."""
    rank_without: float | None
    """The largest such share with any one window left out; null where all together are not surprising enough."""
    drifted: bool
    """Whether both are small enough."""


class SequenceState(StrictConfig):
    """Where the rules stand after a window."""

    k: int
    """So many windows ..."""
    m: int
    """... of the last so many must have drifted."""
    recent: tuple[bool, ...]
    """Verdicts of the last windows, oldest first, at most m of them; windows without traffic are no verdict."""
    drifted: int
    """How many of them drifted."""
    together: Together | None
    """Those windows judged as one; null where there are fewer than m of them."""
    fired: bool
    """Whether either is enough: drift is believed."""
    mean_windows_between_false_alarms: float
    """Without drift, at least; the first rule's share supposes independent windows."""
    words: str
    """The state in a sentence."""


class SequenceRule(StrictConfig):
    """Drift is believed when `k` of the last `m` windows drifted, or when they did judged as one."""

    k: int = Field(default=2, ge=1)
    """How many windows."""
    m: int = Field(default=3, ge=1, le=12)
    """Of how many."""
    together: float = Field(default=0.001, ge=0, lt=1)
    """False-alarm rate of the last m windows judged as one; 0 leaves that out."""
    without_any: float = Field(default=0.05, gt=0, lt=1)
    """Whichever of them is left out, the others must still be as unlikely as this: one bad day is no drift."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.k > self.m:
            raise ValueError(f"{self.k} of the last {self.m} windows can never drift; k is at most m")
        return self

    @property
    def looks_back(self) -> bool:
        """Whether there are several windows to judge as one."""
        return self.together > 0 and self.m > 1

    def after(self, verdicts: Sequence[bool], alpha: float, together: Together | None = None) -> SequenceState:
        """The state after these verdicts of one release, oldest first."""
        recent = tuple(verdicts[-self.m :])
        between = 1 / (1 / mean_windows_between(self.k, self.m, alpha) + (self.together if self.looks_back else 0.0))
        fired = sum(recent) >= self.k or (together is not None and together.drifted)
        return SequenceState(
            k=self.k,
            m=self.m,
            recent=recent,
            drifted=sum(recent),
            together=together,
            fired=fired,
            mean_windows_between_false_alarms=between,
            words=f"{sum(recent)} of the last {len(recent)} windows drifted, {self.k} of {self.m} are needed"
            f"{self._judged_as_one(together)}; without drift, and if windows are independent, this comes once in "
            f"{between:,.0f} windows",
        )

    def _judged_as_one(self, together: Together | None) -> str:
        if together is None:
            return ""
        verdict = "they drifted" if together.drifted else "they did not drift"
        rest = "" if together.rank_without is None else f", p = {together.rank_without:.2g} with one left out"
        return f"; judged as one {verdict} (p = {together.rank:.2g}, {self.together:g} is needed{rest})"


@lru_cache
def mean_windows_between(k: int, m: int, alpha: float) -> float:
    """Mean number of windows until k of the last m drifted by chance, each with probability alpha, from a fresh start.

    Raises ConfigError for k beyond m.
    """
    if k > m:
        raise ConfigError(f"{k} of the last {m} windows can never drift; k is at most m")
    states = list(product((False, True), repeat=m - 1))  # verdicts of the last m-1 windows, oldest first
    place = {state: i for i, state in enumerate(states)}
    stay = np.zeros((len(states), len(states)))  # probabilities of going on without the rule firing
    for state in states:
        for verdict, probability in ((False, 1 - alpha), (True, alpha)):
            if sum(state) + verdict < k:
                stay[place[state], place[(*state, verdict)[1:]]] += probability
    reached = [place[state] for state in states if sum(state) < k]  # the others fired before
    within = np.ix_(reached, reached)
    waiting = np.linalg.solve(np.eye(len(reached)) - stay[within], np.ones(len(reached)))
    return float(waiting[reached.index(place[(False,) * (m - 1)])])
