"""Time and size: what is slower or larger is refused, whoever else uses the machine."""

from itertools import count

import numpy as np

from lookalike.embedders.memory import MemoryEmbedder
from lookalike.evaluation.cost import Served, compare_costs, judge_cost
from lookalike.evaluation.settings import GateSettings


class Ticking:
    """A clock that an embedder moves on by what it takes; the machine slows both the longer it runs."""

    def __init__(self) -> None:
        self.now, self.turns = 0.0, count()

    def __call__(self) -> float:
        return self.now


class Taking(MemoryEmbedder):
    def __init__(self, clock: Ticking, seconds: float) -> None:
        super().__init__()
        self.clock, self.seconds = clock, seconds

    def embed(self, pixels: np.ndarray):
        self.clock.now += self.seconds * (1 + next(self.clock.turns) / 100)
        return super().embed(pixels)


def compared(ours: float, theirs: float, size: int = 100):
    clock = Ticking()
    served = (Served(Taking(clock, ours), size), Served(Taking(clock, theirs), 100))
    return compare_costs(*served, rounds=40, seed=0, clock=clock)


def test_the_ratio_is_right_on_a_machine_that_gets_slower() -> None:
    assert 1.9 < compared(0.02, 0.01).ratio < 2.1
    assert 0.95 < compared(0.01, 0.01).ratio < 1.05


def test_a_slower_or_larger_model_is_refused_in_words() -> None:
    slow, large = judge_cost(compared(0.02, 0.01, size=200), GateSettings())
    assert not slow.passed
    assert "times as long; 1.25 times is tolerated" in slow.reason
    assert not large.passed
    assert all(verdict.passed for verdict in judge_cost(compared(0.01, 0.01), GateSettings()))


def test_a_model_that_is_not_exported_is_not_judged_and_that_is_said() -> None:
    (verdict,) = judge_cost(None, GateSettings())
    assert verdict.passed
    assert "not exported" in verdict.reason
