"""One alarm is a number; several of the last few windows are a finding: the k-of-m rule and how seldom it errs.

With windows that are independent without drift, the rule is a Markov chain over the last m-1 verdicts, so its mean
time between false alarms is computed and not simulated (Fu and Lou, Distribution theory of runs and patterns, 2003,
chapter 2). Windows of one release share its reference, which makes false alarms come in company: the time is an
average over releases, and only as good as the reference is large beside the window.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.errors import ConfigError


class SequenceState(StrictConfig):
    """Where the rule stands after a window."""

    k: int
    """So many windows ..."""
    m: int
    """... of the last so many must have drifted."""
    recent: tuple[bool, ...]
    """Verdicts of the last windows, oldest first, at most m of them; windows without traffic are no verdict."""
    drifted: int
    """How many of them drifted."""
    fired: bool
    """Whether that is enough."""
    mean_windows_between_false_alarms: float
    """Without drift, if windows were independent; then the rule begins anew."""
    words: str
    """The state in a sentence."""


class SequenceRule(StrictConfig):
    """Drift is believed when `k` of the last `m` windows drifted."""

    k: int = Field(default=2, ge=1)
    """How many windows."""
    m: int = Field(default=3, ge=1, le=12)
    """Of how many."""

    def after(self, verdicts: Sequence[bool], alpha: float) -> SequenceState:
        """The state after these verdicts of one release, oldest first. Raises ConfigError for k beyond m."""
        recent = tuple(verdicts[-self.m :])
        between = mean_windows_between(self.k, self.m, alpha)
        fired = sum(recent) >= self.k
        words = (
            f"{sum(recent)} of the last {len(recent)} windows drifted; {self.k} of {self.m} are needed, which without "
            f"drift happens once in {between:,.0f} windows"
        )
        return SequenceState(
            k=self.k,
            m=self.m,
            recent=recent,
            drifted=sum(recent),
            fired=fired,
            mean_windows_between_false_alarms=between,
            words=words,
        )


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
