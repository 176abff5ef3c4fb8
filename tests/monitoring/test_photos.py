"""Real photos, embedded by colour: clean windows stay quiet, a new camera is noticed."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from lookalike.catalog.images import Preprocessing
from lookalike.damage.profiles import damage_photo
from lookalike.embedders.memory import MemoryEmbedder
from monitoring.calibration import calibrate
from monitoring.detectors import MmdDetector
from monitoring.settings import DriftSettings

M, N, WINDOWS = 600, 60, 60
SETTINGS = DriftSettings(draws=199)


@pytest.fixture(scope="module")
def photos(fpi_folder: Path) -> list[bytes]:
    """Photos of the first products in a seeded order, so that no window is all shoes."""
    table = pq.read_table(sorted(fpi_folder.glob("catalog-*.parquet"))[0], columns=["image"])
    contents = [row["bytes"] for row in table["image"].to_pylist()]
    return [contents[i] for i in np.random.default_rng(0).permutation(len(contents))[: M + N * WINDOWS]]


def embed(photos: list[bytes]) -> NDArray[np.float32]:
    embedder = MemoryEmbedder(Preprocessing(height=32, width=24))
    return embedder.embed(embedder.identity.preprocessing.batch(photos)).vectors


def test_real_photos_keep_the_stated_false_alarm_rate_and_a_new_camera_is_found(photos: list[bytes]) -> None:
    clean = embed(photos)
    reference, windows = clean[:M], clean[M:].reshape(WINDOWS, N, -1)
    detector = MmdDetector()
    threshold = calibrate(detector, reference, N, SETTINGS).threshold
    alarms = sum(detector.score(reference, window) > threshold for window in windows)
    low, high = binom.interval(0.99, WINDOWS, SETTINGS.alpha)
    assert low <= alarms <= high
    sent = [damage_photo(photo, "new_camera", seed=i) for i, photo in enumerate(photos[M : M + 10 * N])]
    shifted = embed(sent).reshape(10, N, -1)
    assert sum(detector.score(reference, window) > threshold for window in shifted) >= 9
