"""What a model costs to serve: the time of one photo on one thread, and its bytes, both of the exported file.

Two models are timed in turn, photo by photo, so that whatever else the machine does slows both.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.deadline import Clock
from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.guardrails import Verdict
from lookalike.evaluation.settings import GateSettings

DRAWS = 1_000
"""Bootstrap draws behind the interval of the ratio."""


@dataclass(frozen=True)
class CostComparison:
    """Challenger beside champion."""

    champion_ms: float
    """Median time of one photo."""
    challenger_ms: float
    ratio: float
    """Median over the rounds of challenger over champion."""
    low: float
    """Lower end of the ratio's 95 % interval."""
    champion_bytes: int
    challenger_bytes: int


@dataclass(frozen=True)
class Served:
    """A model as it would be served."""

    embedder: Embedder
    size: int
    """Bytes of its file."""

    @classmethod
    def of_folder(cls, folder: Path) -> "Served":
        """An exported model, on one thread."""
        return cls(OnnxEmbedder(folder, threads=1), onnx_file(folder, load_model(folder)).stat().st_size)


def compare_costs(
    challenger: Served, champion: Served, rounds: int, seed: int, clock: Clock = time.perf_counter
) -> CostComparison:
    """Time two models against one another and weigh their files."""
    spent = time_in_turn([challenger.embedder, champion.embedder], rounds, seed, clock)
    ratios = spent[:, 0] / spent[:, 1]  # (rounds,)
    draws = np.random.default_rng(seed).choice(ratios, (DRAWS, rounds))
    ours, theirs = (1000 * np.median(spent, axis=0)).tolist()
    low = float(np.quantile(np.median(draws, axis=1), 0.025))
    return CostComparison(theirs, ours, float(np.median(ratios)), low, champion.size, challenger.size)


def time_in_turn(embedders: list[Embedder], rounds: int, seed: int, clock: Clock) -> NDArray[np.float64]:
    """(rounds, models) seconds of one photo; who goes first changes from round to round."""
    rng = np.random.default_rng(seed)
    work = [_photo_of(embedder, rng) for embedder in embedders]
    for once in work:
        once()  # the first run allocates
    spent = np.empty((rounds, len(work)))
    for turn in range(rounds):
        for place in np.roll(np.arange(len(work)), turn):
            started = clock()
            work[place]()
            spent[turn, place] = clock() - started
    return spent


def judge_cost(cost: CostComparison | None, settings: GateSettings) -> list[Verdict]:
    """Refuses what is slower or larger than the settings allow."""
    if cost is None:
        return [Verdict(True, "speed and size decide nothing: the challenger is not exported")]
    slow = cost.ratio > settings.latency_ratio and cost.low > 1
    large = cost.challenger_bytes > settings.size_ratio * cost.champion_bytes
    time_said = (
        f"one photo takes {cost.challenger_ms:.2f} ms against the champion's {cost.champion_ms:.2f}, "
        f"{cost.ratio:.2f} times as long; {settings.latency_ratio:g} times is tolerated"
    )
    size_said = (
        f"the model has {cost.challenger_bytes / 1e6:.1f} MB against the champion's {cost.champion_bytes / 1e6:.1f}; "
        f"{settings.size_ratio:g} times is tolerated"
    )
    return [Verdict(not slow, time_said), Verdict(not large, size_said)]


def _photo_of(embedder: Embedder, rng: np.random.Generator) -> Callable[[], object]:
    size = embedder.identity.preprocessing
    pixels = rng.integers(0, 256, (1, size.height, size.width, 3), dtype=np.uint8)
    return lambda: embedder.embed(pixels)
