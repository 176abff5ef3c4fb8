"""Latencies of several readers side by side, in turns, so that a busy moment of the machine falls on all of them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.features.readers import Read
from lookalike.progress import progress

RESAMPLES = 2000


@dataclass(frozen=True)
class Timed:
    """Milliseconds of every call, (turns, calls), of one reader at one number of ids."""

    ms: NDArray[np.float64]

    def percentile(self, at: float) -> float:
        return float(np.percentile(self.ms, at))

    def percentile_interval(self, at: float, seed: int = 0) -> tuple[float, float]:
        """95 %, by drawing turns anew."""
        return _span([np.percentile(self.ms[drawn], at) for drawn in _draws(len(self.ms), seed)])

    def ratio(self, floor: "Timed", at: float, seed: int = 0) -> tuple[float, tuple[float, float]]:
        """Of a percentile to that of the floor, with its 95 % interval by drawing turns of both anew, together."""
        drawn = [
            np.percentile(self.ms[turns], at) / np.percentile(floor.ms[turns], at)
            for turns in _draws(len(self.ms), seed)
        ]
        return self.percentile(at) / floor.percentile(at), _span(drawn)


def time_readers(
    read: Mapping[str, Read], ids: Sequence[str], counts: Sequence[int], turns: int, calls: int, seed: int
) -> dict[int, dict[str, Timed]]:
    """By number of ids and reader; in a turn all read the same products, one reader after the other."""
    rng = np.random.default_rng(seed)
    found = {count: {name: list[list[float]]() for name in read} for count in counts}
    for turn in progress(range(turns), "turns"):
        for count in counts:
            asked = [[ids[row] for row in rng.integers(0, len(ids), count)] for _ in range(calls)]
            names = list(read)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                found[count][name].append([_milliseconds(read[name], wanted) for wanted in asked])
    return {
        count: {name: Timed(np.array(spent)) for name, spent in by_reader.items()}  # (turns, calls)
        for count, by_reader in found.items()
    }


def _milliseconds(read: Read, ids: Sequence[str]) -> float:
    started = time.perf_counter()
    read(ids)
    return (time.perf_counter() - started) * 1000


def _draws(turns: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, turns, (RESAMPLES, turns))


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
