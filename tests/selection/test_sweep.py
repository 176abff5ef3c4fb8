"""What a sweep measures is true, and a killed one goes on where it stopped."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lookalike.errors import VectorIndexError
from lookalike.index.faiss import FaissIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.selection.candidates import Candidate, candidates
from lookalike.selection.sweep import sweep
from lookalike.selection.truth import FineLabels
from tests.selection.shop import QUICKLY, Ticking, candidate, clustered

N, Q, K = 400, 40, 10
VECTORS, QUERIES = clustered(N), clustered(Q, seed=1)
LABELS = FineLabels(
    np.random.default_rng(2).integers(2, size=(N, 2)).astype(np.int32),
    np.random.default_rng(3).integers(-1, 2, size=(Q, 2)).astype(np.int32),
)
TRIED = [
    candidate("flat"),
    candidate("binary", bits=32, shortlist=12),
    candidate("binary", bits=32, shortlist=100),
    candidate("binary", bits=32, shortlist=12, rotation="learned"),
    candidate("scalar", bits=4, axes=8, shortlist=12),
    candidate("ivf_pq", lists=8, probes=1, subvectors=8, shortlist=20),
]


def answered(tried: Candidate, folder: Path) -> list[list[int]]:
    """The rows that an ordinary index of these settings answers."""
    ids = [f"{row:03}" for row in range(N)]
    with FaissIndex(folder, tried.settings) as index:
        index.create(CollectionInfo("shoes", "r", "m", VECTORS.shape[1], ()))
        index.upsert("shoes", GalleryBatch(ids, ids, VECTORS, {}))
        index.seal("shoes")
        return [[int(hit.photo_id) for hit in hits] for hits in index.search("shoes", QUERIES, K)]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    scratch = tmp_path_factory.mktemp("sweep")
    return sweep(VECTORS, QUERIES, TRIED, scratch=scratch, settings=QUICKLY, labels=LABELS, clock=Ticking())


@pytest.mark.parametrize("place", range(len(TRIED)))
def test_recall_and_precision_are_those_of_a_naive_loop(table: pd.DataFrame, place: int, tmp_path: Path) -> None:
    exact = [set(sorted(range(N), key=lambda row: -float(query @ VECTORS[row]))[:K]) for query in QUERIES]
    answers = answered(TRIED[place], tmp_path)
    found = sum(len(set(rows) & wanted) for rows, wanted in zip(answers, exact, strict=True)) / (K * Q)
    assert table["name"][place] == TRIED[place].name
    assert table["recall"][place] == pytest.approx(found)
    alike = [
        (LABELS.gallery[row] == asked).all()
        for rows, asked in zip(answers, LABELS.queries, strict=True)
        for row in rows[:4]
        if (asked >= 0).all()
    ]
    assert table["precision_at_4"][place] == pytest.approx(np.mean(alike))


def test_only_flat_finds_everything_and_a_longer_shortlist_finds_more(table: pd.DataFrame) -> None:
    recall = table.set_index("name")["recall"]
    assert recall["flat"] == 1
    assert (recall.drop("flat") < 1).all()
    assert recall[TRIED[2].name] > recall[TRIED[1].name]


def test_times_come_from_the_clock_that_was_given(table: pd.DataFrame) -> None:
    """Every timed call takes one tick, a second."""
    assert (table[["p50_ms", "p99_ms", "updating_p50_ms", "updating_p99_ms"]] == 1_000).all(axis=None)
    assert (table["queries_per_second"] == Q).all()
    assert (table["upsert_seconds_per_1000"] == 1_000 / 50).all()
    assert (table["build_seconds"] == 1).all()


def test_memory_is_that_of_the_codes_and_of_everything(table: pd.DataFrame) -> None:
    sizes = table.set_index("name")[["scanned_bytes", "total_bytes"]]
    floats = VECTORS.nbytes
    flat, binary = sizes.loc["flat"], sizes.loc[TRIED[1].name]
    assert floats <= flat["scanned_bytes"] <= floats + 128
    codes, rotation = N * 32 // 8, 33 * 32 * 4
    assert codes + rotation <= binary["scanned_bytes"] <= codes + rotation + 256
    assert (sizes["total_bytes"] > sizes["scanned_bytes"] + floats).all()


def test_candidates_that_differ_in_search_alone_share_a_build() -> None:
    short, long = TRIED[1], TRIED[2]
    assert short.build == long.build
    assert short.build != TRIED[3].build
    graphs = [candidate("scalar", graph={"kind": "hnsw", "m": m, "ef": ef}) for m, ef in ((8, 16), (8, 32), (16, 16))]
    assert graphs[0].build == graphs[1].build != graphs[2].build


class Interrupted(Exception):
    pass


class Breaking(Ticking):
    """A clock that stops the sweep when it is read for the `last` time."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self._left = last

    def __call__(self) -> float:
        self._left -= 1
        if not self._left:
            raise Interrupted
        return super().__call__()


def test_a_killed_sweep_goes_on_and_measures_nothing_twice(tmp_path: Path) -> None:
    tried = TRIED[:3]
    with pytest.raises(Interrupted):
        sweep(VECTORS, QUERIES, tried, scratch=tmp_path, settings=QUICKLY, clock=Breaking(1_000))
    done = len(list(tmp_path.glob("*/*.json")))
    assert 0 < done < len(tried)
    table = sweep(VECTORS, QUERIES, tried, scratch=tmp_path, settings=QUICKLY, clock=Ticking(2.0))
    assert table["p50_ms"].tolist() == [1_000.0] * done + [2_000.0] * (len(tried) - done)
    assert not [path for path in tmp_path.glob("*/*") if path.is_dir()], "no collection is left behind"
    again = sweep(VECTORS, QUERIES, tried, scratch=tmp_path, settings=QUICKLY, clock=Breaking(1))
    pd.testing.assert_frame_equal(again, table)


def test_other_vectors_are_another_study(tmp_path: Path) -> None:
    flat = TRIED[:1]
    sweep(VECTORS, QUERIES, flat, scratch=tmp_path, settings=QUICKLY, clock=Ticking())
    other = sweep(VECTORS[1:], QUERIES, flat, scratch=tmp_path, settings=QUICKLY, clock=Ticking(2.0))
    assert other["p50_ms"].tolist() == [2_000.0]


def test_a_sweep_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VectorIndexError, match="0 queries"):
        sweep(VECTORS, QUERIES[:0], TRIED, scratch=tmp_path)


@pytest.mark.parametrize("dimension", [8, 20, 32, 96, 128, 192])
def test_every_candidate_has_a_name_of_its_own_and_all_kinds_are_tried(dimension: int) -> None:
    tried = candidates(100_000, dimension)
    assert len({one.name for one in tried}) == len(tried)
    assert {one.kind for one in tried} == {"flat", "hnsw", "ivf_pq", "binary", "scalar"}
    quick = candidates(100_000, dimension, quick=True)
    assert {one.kind for one in quick} == {one.kind for one in tried}
    assert {one.name for one in quick} < {one.name for one in tried}


def test_a_collection_that_is_always_compared_exactly_has_one_candidate() -> None:
    assert [one.kind for one in candidates(5_000, 64)] == ["flat"]
