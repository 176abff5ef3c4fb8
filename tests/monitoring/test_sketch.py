"""What a release is compared with: its evaluation's queries, and its own early traffic."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lookalike.catalog.images import Preprocessing
from lookalike.embedders.model_folder import ExportedModel
from lookalike.errors import ArtifactError
from lookalike.storage import write_json
from monitoring.drift import detect_drift
from monitoring.result import DriftResult
from monitoring.settings import DriftSettings
from monitoring.sketch import EARLY, keep_early_traffic, read_reference
from tests.monitoring.shop import NOW, World, log_queries, make_release, observations

WORLD = World(8, dimension=32)
SETTINGS = DriftSettings(draws=199, proof_draws=0, early_rows=150)


class Released:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.release, self.folder = make_release(root / "releases", observations(WORLD.vectors(300, 1), 1))

    def asked(self, rows: int, seed: int, shift: float = 0.0, days: int = 0) -> None:
        shown = observations(WORLD.vectors(rows, seed, shift), seed)
        log_queries(self.root / "log", self.release, shown, NOW + timedelta(days=days), hits=("p1",))

    def keep(self) -> bool:
        return keep_early_traffic(self.root / "log", self.release, self.folder, SETTINGS, NOW + timedelta(days=9))


@pytest.fixture
def released(tmp_path: Path) -> Released:
    return Released(tmp_path)


def test_early_traffic_is_kept_once_there_is_enough_and_never_again(released: Released) -> None:
    released.asked(149, 2)
    assert not released.keep()
    assert not (released.folder / EARLY).exists()
    released.asked(1, 3, days=1)
    assert released.keep()
    kept = (released.folder / EARLY).read_bytes()
    released.asked(150, 4, days=2)
    assert not released.keep()
    assert (released.folder / EARLY).read_bytes() == kept


def test_early_traffic_that_looks_like_the_evaluation_joins_it(released: Released) -> None:
    released.asked(150, 3)
    released.keep()
    reference = read_reference(released.folder, SETTINGS)
    np.testing.assert_array_equal(reference.sample.vectors[300:], WORLD.vectors(150, 3))
    assert len(reference.sample) == 450
    assert reference.words.startswith("300 queries of the evaluation and 150 early ones; early traffic looked like")
    assert reference.since == NOW


def test_early_traffic_that_looks_otherwise_stands_alone(released: Released) -> None:
    released.asked(150, 2, shift=1.5)
    released.keep()
    reference = read_reference(released.folder, SETTINGS)
    assert len(reference.sample) == 150
    assert "did not look like the evaluation's queries" in reference.words


def test_the_evaluation_says_nothing_about_how_shoppers_photos_are_made(released: Released) -> None:
    before = read_reference(released.folder, SETTINGS)
    assert np.isnan(before.sample.numbers["photo_bytes"]).all()
    released.asked(150, 3)
    released.keep()
    photos = read_reference(released.folder, SETTINGS).sample.numbers["photo_bytes"]
    assert np.isnan(photos[:300]).all()
    assert np.isfinite(photos[300:]).all()


def rounded(folder: Path) -> None:
    model = ExportedModel(
        name="m", fingerprint="f", weights="w", preprocessing=Preprocessing(), dimension=32, attribute_labels=[],
        max_batch_size=1, opset=18, onnx_sha256="s", parity={}, precision="int8", rounded_from="full",
    )  # fmt: skip
    write_json(folder / "model.json", model.model_dump(mode="json"))


def test_a_rounded_model_is_compared_with_its_own_traffic_only_and_says_so(released: Released) -> None:
    rounded(released.folder)
    released.asked(100, 2)
    detect_drift(released.root / "log", released.folder, released.root / "drift", SETTINGS, NOW)
    result = DriftResult.model_validate_json((released.root / "drift" / "drift.json").read_text())
    assert result.outcome == "not enough traffic"
    assert "the model in service is a rounded copy (int8) of the one evaluated" in result.summary
    released.asked(50, 3, days=1)
    assert released.keep()
    reference = read_reference(released.folder, SETTINGS)
    assert len(reference.sample) == 150


def test_a_large_reference_is_thinned_the_same_way_every_time(released: Released) -> None:
    settings = SETTINGS.model_copy(update={"max_reference_rows": 60})
    first, second = (read_reference(released.folder, settings) for _ in range(2))
    assert len(first.sample) == 60
    np.testing.assert_array_equal(first.sample.vectors, second.sample.vectors)
    assert first.digest == second.digest


def test_a_reference_of_3500_rows_is_a_few_megabytes(tmp_path: Path) -> None:
    rows = observations(World(1, dimension=192).vectors(3500, 1), 1)
    _, folder = make_release(tmp_path, rows)
    assert (folder / "reference.parquet").stat().st_size < 5_000_000


def test_a_missing_or_damaged_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no reference\.parquet"):
        read_reference(tmp_path, SETTINGS)
    pq.write_table(pa.table({"vector": [[1.0]]}), tmp_path / "reference.parquet")
    with pytest.raises(ArtifactError, match="lacks the columns attributes, confidence"):
        read_reference(tmp_path, SETTINGS)
    broken = observations(np.array([[np.nan] * 32], np.float32), 1)
    _, folder = make_release(tmp_path, broken)
    with pytest.raises(ArtifactError, match="missing or not numbers"):
        read_reference(folder, SETTINGS)
