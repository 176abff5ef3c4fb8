"""Which queries are shown, and what beside them: the same as loops over single rows find."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from lookalike.errors import ArtifactError
from lookalike.index.gallery import Gallery
from lookalike.index.trained_vectors import write_trained_vectors
from lookalike.lifecycle.erase_rows import erase_rows
from lookalike.release.manifest import TRAINED_VECTORS
from lookalike.training.trained import TRAINED
from monitoring.page.examples import FAR, NEW, find_examples
from monitoring.page.nearest import TrainedPhotos, read_trained_photos
from monitoring.page.witness import ALIKE, Kernel, choose, witness
from monitoring.slices import Example
from tests.monitoring.shop import World, sample

WORLD = World(3, dimension=32)
REFERENCE, CURRENT = sample(WORLD, 90, 1), sample(WORLD, 60, 2, shift=2.0)


def trained(rows: int = 80) -> TrainedPhotos:
    """Two photos of every product."""
    photos = [{"photo_id": f"p{i // 2}/{i % 2}", "product_id": f"p{i // 2}", "sha256": f"{i}"} for i in range(rows)]
    return TrainedPhotos(pd.DataFrame(photos), WORLD.vectors(rows, 9))


def told(rows: int) -> list[Example]:
    return [Example(time=f"2026-03-01T12:00:{i:02}+00:00", hits=(f"h{i}",)) for i in range(rows)]


def test_the_witness_is_what_two_loops_make_of_it() -> None:
    was, now = REFERENCE.vectors, CURRENT.vectors
    kernel = Kernel(was, now, seed=0)

    def value(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
        return float(kernel(one[np.newaxis], other[np.newaxis])[0, 0])

    found = witness(kernel, was, now)
    for row in range(0, len(now), 7):
        own = np.mean([value(now[row], now[other]) for other in range(len(now)) if other != row])
        assert found[row] == pytest.approx(own - np.mean([value(now[row], one) for one in was]), abs=1e-5)


def test_the_chosen_are_the_largest_of_which_no_two_look_alike() -> None:
    kernel = Kernel(REFERENCE.vectors, CURRENT.vectors, seed=0)
    worth = witness(kernel, REFERENCE.vectors, CURRENT.vectors)
    alike = kernel(CURRENT.vectors, CURRENT.vectors) > ALIKE
    naive: list[int] = []
    for row in np.argsort(-worth, kind="stable"):
        if worth[row] > 0 and not any(alike[row, other] for other in naive):
            naive.append(int(row))
    assert len(naive) > 3
    assert choose(kernel, CURRENT.vectors, worth, 100) == naive
    assert choose(kernel, CURRENT.vectors, worth, 3) == naive[:3]
    assert choose(kernel, CURRENT.vectors, -np.ones(60), 3) == []


def test_queries_that_nobody_sent_before_are_chosen_and_say_how_many_they_stand_for() -> None:
    """A fifth of the window is one new look, opposite to everything the reference knows."""
    new = sample(WORLD, 15, 5)
    look = -REFERENCE.vectors.mean(axis=0)
    new.vectors[:] = look / np.linalg.norm(look)
    window = sample(WORLD, 75, 2)
    window.vectors[60:] = new.vectors
    found = find_examples(REFERENCE, window, told(75), None, seed=0)
    first = found.new[0]
    assert first.told is not None and int(first.told.hits[0][1:]) >= 60
    assert (first.share_before, first.share_now) == (0, pytest.approx(0.2))
    assert (first.neighbours, first.rank, found.far, found.trained) == ([], None, None, 0)
    assert len(found.new) <= NEW


def test_neighbours_are_the_nearest_products_and_the_rank_is_the_reference_s() -> None:
    photos = trained()
    found = find_examples(REFERENCE, CURRENT, told(60), photos, seed=0)
    usual = np.array([max(float(v @ t) for t in photos.vectors) for v in REFERENCE.vectors])
    for query in found.new:
        assert query.told is not None
        vector = CURRENT.vectors[int(query.told.hits[0][1:])]
        best: dict[str, float] = {}
        for product, one in zip(photos.photos["product_id"], photos.vectors, strict=True):
            best[product] = max(best.get(product, -1), float(one @ vector))
        naive = sorted(best, key=lambda product: -best[product])[:3]
        assert [one.product_id for one in query.neighbours] == naive
        assert [one.cosine for one in query.neighbours] == pytest.approx([best[product] for product in naive])
        assert query.rank == pytest.approx((usual <= best[naive[0]] + 1e-6).mean(), abs=0.02)
    limit = np.sort(usual)[int(FAR * 90)]
    now = np.array([max(float(v @ t) for t in photos.vectors) for v in CURRENT.vectors])
    assert found.far == pytest.approx((now < limit).mean(), abs=0.02)
    assert find_examples(REFERENCE, REFERENCE, told(90), photos, seed=0).far == pytest.approx(FAR, abs=0.02)


# ---- what the index stage keeps for it


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Ten photos, of which the model was trained on four; one more was delivered anew since."""
    ids = [f"p{i}" for i in range(10)]
    photos = pd.DataFrame({"photo_id": [f"{i}/0" for i in ids], "product_id": ids, "sha256": [f"s{i}" for i in ids]})
    Gallery(photos, WORLD.vectors(10, 4)).save(tmp_path)
    seen = {"product_id": ["p1", "p3", "p5", "p7", "p8", "gone"], "sha256": ["sp1", "sp3", "sp5", "sp7", "old", "x"]}
    pd.DataFrame(seen).to_parquet(tmp_path / TRAINED)
    return tmp_path


def test_photos_trained_on_are_kept_with_their_vectors(index: Path) -> None:
    assert write_trained_vectors(index, index) == 4
    kept = read_trained_photos(index, 32)
    assert kept is not None and kept.photos["product_id"].tolist() == ["p1", "p3", "p5", "p7"]
    np.testing.assert_allclose(kept.vectors, WORLD.vectors(10, 4)[[1, 3, 5, 7]], atol=5e-4)
    assert write_trained_vectors(index, index, most=2) == 2
    few = read_trained_photos(index, 32)
    assert few is not None and set(few.photos["product_id"]) < {"p1", "p3", "p5", "p7"}


def test_an_erased_product_leaves_them(index: Path) -> None:
    write_trained_vectors(index, index)
    assert erase_rows(index / TRAINED_VECTORS, ["p3"]) == 1
    kept = read_trained_photos(index, 32)
    assert kept is not None and kept.photos["product_id"].tolist() == ["p1", "p5", "p7"]
    np.testing.assert_allclose(kept.vectors, WORLD.vectors(10, 4)[[1, 5, 7]], atol=5e-4)


def test_a_model_that_does_not_say_what_it_was_trained_on_keeps_none(index: Path, tmp_path: Path) -> None:
    (index / TRAINED).unlink()
    assert write_trained_vectors(index, index) == 0
    assert not (index / TRAINED_VECTORS).exists()
    assert read_trained_photos(index, 32) is None


def test_vectors_of_another_size_are_refused(index: Path) -> None:
    write_trained_vectors(index, index)
    with pytest.raises(ArtifactError, match="vectors of 24 numbers"):
        read_trained_photos(index, 24)
    table = pq.read_table(index / TRAINED_VECTORS).drop_columns("vector")
    pq.write_table(table, index / TRAINED_VECTORS)
    with pytest.raises(ArtifactError):
        read_trained_photos(index, 32)
