"""Real photos, embedded by colour: clean windows stay quiet, a new camera is noticed."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import binom

from lookalike.catalog.images import Preprocessing
from lookalike.damage.profiles import damage_photo
from lookalike.embedders.memory import MemoryEmbedder
from monitoring.calibration import calibrate, judge
from monitoring.samples import Sample
from monitoring.settings import DriftSettings

M, N, WINDOWS = 600, 60, 60
SETTINGS = DriftSettings(alpha=0.05, draws=199, proof_draws=0)


@pytest.fixture(scope="module")
def photos(fpi_folder: Path) -> list[bytes]:
    """Photos of the first products in a seeded order, so that no window is all shoes."""
    table = pq.read_table(sorted(fpi_folder.glob("catalog-*.parquet"))[0], columns=["image"])
    contents = [row["bytes"] for row in table["image"].to_pylist()]
    return [contents[i] for i in np.random.default_rng(0).permutation(len(contents))[: M + N * WINDOWS]]


def embed(photos: list[bytes]) -> Sample:
    embedder = MemoryEmbedder(Preprocessing(height=32, width=24))
    return Sample(embedder.embed(embedder.identity.preprocessing.batch(photos)).vectors, {}, {})


def test_real_photos_keep_the_stated_false_alarm_rate_and_a_new_camera_is_found(photos: list[bytes]) -> None:
    clean = embed(photos)
    reference = clean.take(np.arange(M))
    calibration = calibrate(reference, N, SETTINGS)

    def alarms(photos: Sample, first: int, windows: int) -> int:
        rows = [np.arange(start, start + N) for start in range(first, first + windows * N, N)]
        found = [judge(calibration, reference, photos.take(chosen), SETTINGS.seed).score for chosen in rows]
        return sum(score > calibration.threshold for score in found)

    low, high = binom.interval(0.99, WINDOWS, SETTINGS.alpha)
    assert low <= alarms(clean, M, WINDOWS) <= high
    sent = [damage_photo(photo, "new_camera", seed=i) for i, photo in enumerate(photos[M : M + 10 * N])]
    assert alarms(embed(sent), 0, 10) >= 9
