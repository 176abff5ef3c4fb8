"""References, ordinary windows and shifted ones, cut from observed photos; no product is on both sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.drift.photos import COARSE, FIRST, PhotoDraw
from benchmarks.drift.settings import Study
from monitoring.samples import Sample, sample_of

SHIFTS = ("unseen_type", "jpeg_quality", "season_mix")
SEASONS = {"Summer": 0.5, "Fall": 1.5, "Winter": 1.5}
"""How a season's share changes: Summer's is halved."""


@dataclass(frozen=True)
class Traffic:
    """P observed products, one photo of each as usual and one more strongly compressed."""

    usual: Sample
    coarse: Sample
    types: NDArray[np.str_]
    """(P,)"""
    seasons: NDArray[np.str_]
    """(P,)"""

    @cached_property
    def season_weights(self) -> NDArray[np.float64]:
        return np.array([SEASONS.get(season, 1.0) for season in self.seasons])

    def common_types(self, rows: int) -> list[str]:
        """Types of at least so many products."""
        names, counts = np.unique(self.types, return_counts=True)
        return list(names[counts >= rows])


@dataclass(frozen=True)
class World:
    """One release: its reference, and the products that ask afterwards."""

    traffic: Traffic
    reference: Sample
    rest: NDArray[np.int64]
    """Products outside the reference that make up ordinary traffic."""
    unseen: NDArray[np.int64]
    """Products of the type that neither the reference nor ordinary traffic shows; empty where there is none."""
    seed: tuple[int, ...]

    def window(self, size: int, number: int, shift: str | None = None, strength: float = 1.0) -> Sample:
        """`size` queries; of a shift of full strength `unseen_type` brings `share` of them, the others all."""
        rng = np.random.default_rng((*self.seed, number))
        usual = rng.permutation(self.rest)[:size]
        if shift is None or strength <= 0:
            return self.traffic.usual.take(usual)
        if shift == "unseen_type":
            new = rng.permutation(self.unseen)[: round(size * strength)]
            return self.traffic.usual.take(np.concatenate([usual[: size - len(new)], new]))
        if shift == "season_mix":
            weights = self.traffic.season_weights[self.rest] ** strength
            return self.traffic.usual.take(rng.choice(self.rest, size, replace=False, p=weights / weights.sum()))
        changed = rng.random(size) < strength
        return _either(self.traffic.usual.take(usual), self.traffic.coarse.take(usual), changed)


def new_world(traffic: Traffic, study: Study, number: int, purpose: int, unseen: bool) -> World:
    """A release with a random reference; with `unseen`, a random type is kept out of it."""
    seed = (study.seed, purpose, number)
    rng = np.random.default_rng(seed)
    hidden = str(rng.choice(traffic.common_types(study.type_rows))) if unseen else ""
    order = rng.permutation(np.flatnonzero(traffic.types != hidden))
    reference = traffic.usual.take(order[: study.reference])
    return World(traffic, reference, order[study.reference :], np.flatnonzero(traffic.types == hidden), seed)


def read_traffic(observed: Path) -> Traffic:
    """The sets `first` and `coarse` in the folder of observed photos."""
    tables = {draw.name: pq.read_table(observed / file_name(draw)) for draw in (FIRST, COARSE)}
    usual = tables[FIRST.name]
    return Traffic(
        sample_of(usual),
        sample_of(tables[COARSE.name]),
        np.array(usual["type"].to_pylist()),
        np.array([str(season) for season in usual["season"].to_pylist()]),
    )


def file_name(draw: PhotoDraw) -> str:
    return f"{draw.name}.parquet"


def strengths(study: Study, shift: str, gradual: bool) -> Mapping[int, float]:
    """Strength by window, 1 for the first after the shift begins."""
    full = study.share if shift == "unseen_type" else 1.0
    return {day: full * (min(1.0, day / study.ramp) if gradual else 1.0) for day in range(1, study.days + 1)}


def apart(windows: Sequence[Sample]) -> list[Sample]:
    """Every photo in the first window that shows it alone, as the watch takes them from the log."""
    vectors = np.concatenate([window.vectors for window in windows])
    first = np.zeros(len(vectors), dtype=bool)
    first[np.unique(vectors, axis=0, return_index=True)[1]] = True
    ends = np.cumsum([0, *map(len, windows)])
    return [window.take(first[end : end + len(window)]) for window, end in zip(windows, ends, strict=False)]


def _either(first: Sample, second: Sample, chosen: NDArray[np.bool_]) -> Sample:
    """Row by row the second where chosen, else the first."""
    return Sample(
        np.where(chosen[:, np.newaxis], second.vectors, first.vectors),
        {name: np.where(chosen, second.numbers[name], values) for name, values in first.numbers.items()},
        {name: np.where(chosen, second.labels[name], values) for name, values in first.labels.items()},
    )
