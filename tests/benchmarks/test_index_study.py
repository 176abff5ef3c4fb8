"""The index study: its vectors, its filters, its page."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.index.built import LOTS, lot_name, lots
from benchmarks.index.grown import calibrated, grow, local_dimension, neighbours
from benchmarks.index.plan import Places, Plan
from benchmarks.index.real import principal_axes
from benchmarks.index.report import write_report
from benchmarks.index.settings import QUICK
from benchmarks.index.steps import MEASURES, SUBJECT, measure
from benchmarks.index.tables import TABLES
from benchmarks.index.timing import Rates
from benchmarks.pages import MARKERS, fill
from benchmarks.results import RESULTS
from benchmarks.study import DOCS, Destination
from lookalike.index.faiss_settings import BinarySettings, HnswSettings, IvfPqSettings
from lookalike.index.structure_bytes import structure_bytes
from lookalike.storage import read_json
from tests.index.shop import random_gallery


def surface(count: int, seed: int = 0) -> np.ndarray:
    """(N, 12) unit vectors on a curved surface of two dimensions."""
    random = np.random.default_rng(seed)
    waves = random.uniform(-1, 1, (count, 2)) @ np.random.default_rng(9).standard_normal((2, 12))
    vectors = np.cos(waves + np.arange(12)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_grown_vectors_lie_as_close_together_and_in_as_few_directions_as_those_they_are_grown_from() -> None:
    real, random = surface(1_500), np.random.default_rng(0)
    near = neighbours(real, real, 17)[1][:, 1:]
    scale = calibrated(real, near, random)
    grown = grow(real, near, random.integers(len(real), size=len(real)), scale, random)

    def apart(vectors: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(2 - 2 * neighbours(vectors, vectors, 21)[0], 0))[:, 1:]

    assert np.median(apart(grown)[:, 9]) == pytest.approx(np.median(apart(real)[:, 9]), rel=0.1)
    assert local_dimension(apart(real)) < local_dimension(apart(grown)) < local_dimension(apart(real)) + 1.5
    np.testing.assert_allclose(np.linalg.norm(grown, axis=1), 1, atol=1e-5)


def test_principal_axes_keep_the_cosines_of_vectors_that_lie_in_few_directions() -> None:
    vectors = random_gallery(300, 5).vectors @ np.linalg.qr(np.random.default_rng(0).standard_normal((20, 5)))[0].T
    fewer, kept = principal_axes(vectors.astype(np.float32), 5)
    np.testing.assert_allclose(fewer @ fewer.T, vectors @ vectors.T, atol=1e-4)
    assert kept == pytest.approx(1, abs=1e-4)


def test_lots_cut_any_share_out_of_the_photos() -> None:
    drawn = lots(100_000, seed=0)
    assert sorted(map(lot_name, range(LOTS))) == [lot_name(lot) for lot in range(LOTS)]
    for share in (0.001, 0.05, 0.99):
        assert (drawn < share * LOTS).mean() == pytest.approx(share, rel=0.25)


def test_a_ratio_is_that_of_turns_side_by_side_even_where_the_machine_slows_down() -> None:
    raw = np.array([100.0, 50.0, 10.0])
    assert Rates(0.9 * raw, raw).ratio == pytest.approx(0.9)
    assert Rates(0.9 * raw, raw).interval() == pytest.approx((0.9, 0.9))


def test_the_sizing_formula_counts_vectors_links_and_codes() -> None:
    assert structure_bytes(HnswSettings(m=16), 128) == pytest.approx(512 + 128 + 4 * 16 / 15 + 12)
    assert structure_bytes(IvfPqSettings(), 128) == 32 + 8
    assert structure_bytes(BinarySettings(bits=256), 128) == 32


def test_the_page_has_every_table_once_and_shows_the_committed_numbers() -> None:
    page = (DOCS / SUBJECT.page).read_text(encoding="utf-8")
    assert sorted(name for _, name, _ in MARKERS.findall(page)) == sorted(TABLES)
    if (RESULTS / SUBJECT.details).is_file():
        assert (
            fill(
                page,
                read_json(RESULTS / f"{SUBJECT.name}.json")["figures"],
                read_json(RESULTS / SUBJECT.details),
                TABLES,
            )
            == page
        )


@pytest.mark.slow
def test_every_step_runs_on_a_drawn_shop(tmp_path: Path) -> None:
    plan = Plan(
        catalogue="",
        encoders=tmp_path,
        places=Places(tmp_path),
        study=QUICK,
        destination=Destination(tmp_path, tmp_path),
        quick=True,
    )
    for step in MEASURES:
        if step not in ("lifecycle", "kills"):
            measure(plan, step)
    write_report(plan)
    figures = read_json(tmp_path / f"{SUBJECT.name}.json")["figures"]
    assert {"faiss_ratio", "milvus_ratio", "filtered_recall_min", "qps_at_099_1m", "binary_recall"} <= set(figures)
    assert figures["binary_memory_ratio"]["value"] == pytest.approx(1 / 16, rel=0.01)
    assert "not measured yet" not in (tmp_path / SUBJECT.page).read_text(encoding="utf-8")
