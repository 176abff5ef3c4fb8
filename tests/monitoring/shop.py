"""A small world of queries: clustered unit vectors, a release folder with its reference, and a query log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.observation import Observation, observations_table
from lookalike.release.manifest import Release, save_release
from lookalike.search.query_log import LoggedQuery, day_folder, query_log_table
from lookalike.storage import digest_json
from monitoring.samples import Sample, sample_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLOURS = ("black", "blue", "red", "white")


@dataclass(frozen=True)
class World:
    """Queries around 30 looks in 24 latent axes (between-look s.d. 1, within 0.5), turned into D dimensions."""

    seed: int
    dimension: int = 64

    def vectors(self, rows: int, seed: int, shift: float = 0.0) -> NDArray[np.float32]:
        """(rows, D) unit vectors; `shift` moves the first latent axis by so many between-look s.d."""
        fixed = np.random.default_rng(self.seed)
        looks = fixed.normal(size=(30, 24))
        basis = np.linalg.qr(fixed.normal(size=(self.dimension, 24)))[0]
        rng = np.random.default_rng((self.seed, seed))
        latent = looks[rng.integers(30, size=rows)] + 0.5 * rng.normal(size=(rows, 24))
        latent[:, 0] += shift
        vectors = latent @ basis.T + 0.05 * rng.normal(size=(rows, self.dimension))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def observations(
    vectors: NDArray[np.float32],
    seed: int,
    margin: float = 0.1,
    shares: Sequence[float] = (0.4, 0.3, 0.2, 0.1),
    quality: float = 90.0,
) -> list[Observation]:
    """One observation per vector; `margin` is the mean margin, `shares` those of the predicted colours."""
    rng = np.random.default_rng(seed)
    return [
        Observation(
            vector=vector.tolist(),
            top1_score=float(rng.normal(0.8, 0.05)),
            margin=float(rng.exponential(margin)),
            attributes={"colour": str(rng.choice(COLOURS, p=shares))},
            confidence={"colour": float(rng.uniform(0.5, 1.0))},
            photo_width=60,
            photo_height=80,
            photo_bytes=int(rng.normal(2000, 200)),
            jpeg_quality=quality,
            sharpness=float(rng.gamma(4.0, 100.0)),
        )
        for vector in vectors
    ]


def make_release(releases: Path, reference: Sequence[Observation], name: str = "first") -> tuple[Release, Path]:
    """A release with its reference, as promotion leaves it."""
    model, catalogue = digest_json([name, "model"]), digest_json([name, "catalogue"])
    release = Release.of(model, catalogue, NOW - timedelta(days=30))
    folder = save_release(releases, release)
    pq.write_table(observations_table(reference), folder / "reference.parquet")
    return release, folder


def log_queries(
    query_log: Path,
    release: Release,
    rows: Sequence[Observation],
    end: datetime = NOW,
    fingerprint: str | None = None,
    hits: tuple[str, ...] = (),
) -> None:
    """Append one part to the query log: a query a minute, the newest at `end`."""
    day = day_folder(query_log, end.date())
    day.mkdir(parents=True, exist_ok=True)
    queries = [
        LoggedQuery(
            time=end - timedelta(minutes=len(rows) - 1 - i),
            release_id=release.release_id,
            model_fingerprint=fingerprint or release.model_fingerprint,
            latency_ms=12.0,
            hits=hits,
            observation=row,
        )
        for i, row in enumerate(rows)
    ]
    pq.write_table(query_log_table(queries), day / f"part-{len(list(day.iterdir())):04d}.parquet")


def sample(world: World, rows: int, seed: int, shift: float = 0.0, **shown: Any) -> Sample:
    """Observations of a world as arrays; see `observations` for what may be shown."""
    return sample_of(observations_table(observations(world.vectors(rows, seed, shift), seed, **shown)))
