"""A sharded build killed at any change of a file it makes ends in what it ends in unharmed; and what a kill spares."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

import lookalike.index.embedding as embedding
import lookalike.index.graph as graph
from benchmarks.index.kill_run import Scenario
from benchmarks.index.kill_trial import Reference, Toll, refer, trial, views_of
from lookalike.catalog.images import Preprocessing
from lookalike.config import parse_config
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.protocol import Embeddings
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_folder import FaissFolder
from lookalike.index.faiss_settings import FaissSettings, HnswSettings
from lookalike.index.graph import grow_graph
from lookalike.index.memory import MemoryIndex
from lookalike.index.shards import Shard, embed_shard
from lookalike.storage import SEAL, StageRecord, digest_file, read_seal
from tests.index.shop import info, random_gallery
from tests.index.stages import exported_folder, validated_folder

BATCH, PRODUCTS = 3, range(26)
SETTINGS = IndexSettings(batch=BATCH, rows=7, recall_queries=4, golden=3)
GRAPH = parse_config(FaissSettings, {"structure": {"kind": "hnsw"}, "exact_rows": 0}, "interrupted")
SHARDS = [Shard(1, 2), Shard(2, 2)]


class Interrupted(MemoryEmbedder):
    """Embeds so many batches, then is stopped by hand."""

    def __init__(self, batches: float = float("inf")) -> None:
        super().__init__(Preprocessing(height=32, width=24), dimension=16)
        self.left, self.seen = batches, 0

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        if self.left <= 0:
            raise KeyboardInterrupt
        self.left, self.seen = self.left - 1, self.seen + len(pixels)
        return super().embed(pixels)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "BATCHES", 2)
    monkeypatch.setattr(graph, "STEP", 8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    validated_folder(tmp_path / "validated", PRODUCTS)
    exported_folder(tmp_path / "exported", Interrupted())
    return tmp_path


def embed(root: Path, embedder: MemoryEmbedder, name: str = "shard", batch: int = BATCH) -> StageRecord:
    return embed_shard(root / "validated", root / "exported", root / name, embedder, Shard(1, 1), batch)


class ShardedBuild:
    """Two shards, then the collection of both."""

    name = "sharded build"
    acts: Sequence[str] = ["embed", "embed", "join"]

    def __init__(self, inputs: Path) -> None:
        self._inputs = (inputs / "validated", inputs / "exported")

    def empty(self, root: Path) -> None:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)

    @contextmanager
    def opened(self, root: Path) -> Iterator[Sequence[Callable[[], object]]]:
        faiss.omp_set_num_threads(1)  # forked processes have lost the others
        embedding.BATCHES, graph.STEP = 2, 8
        places = [root / f"shard-{shard.number}" for shard in SHARDS]
        with FaissIndex(root / "faiss", GRAPH) as index:
            yield [
                lambda: embed_shard(*self._inputs, places[0], Interrupted(), SHARDS[0], BATCH),
                lambda: embed_shard(*self._inputs, places[1], Interrupted(), SHARDS[1], BATCH),
                lambda: build_index(*self._inputs, root / "index", index, Interrupted(), SETTINGS, places),
            ]

    def view(self, root: Path) -> Any:
        sealed = {name: _content(root / name) for name in ("shard-1", "shard-2", "index")}
        with FaissIndex(root / "faiss") as index:
            finished = [name for name in index.collections() if FaissFolder(root / "faiss").manifest(name).segment]
            query = np.eye(2, 16, dtype=np.float32)
            told = [[hit.photo_id for hit in hits] for name in finished for hits in index.search(name, query, 5)]
        graphs = [digest_file(path) for path in sorted((root / "faiss").glob("*/segment-*/search.faiss")) if told]
        return {**sealed, "told": told, "graphs": graphs}

    def explain(self, act: int, before: Any, after: Any, seen: Any) -> str:
        if not isinstance(seen, dict):
            return repr(seen)
        wrong = [name for name in seen if seen[name] not in (before[name], after[name])]
        return f"{wrong} are neither as before nor as after" if wrong else ""

    def left(self, root: Path) -> list[str]:
        return [str(path) for path in root.rglob("growing.faiss")]


def _content(folder: Path) -> str | None:
    return read_seal(folder).content if (folder / SEAL).is_file() else None


def killed(scenario: Scenario, root: Path, reference: Reference, kills: int) -> Toll:
    toll, random = Toll(), np.random.default_rng(0)
    while toll.kills < kills and not toll.faults:
        trial(scenario, root, reference, toll, random, ahead=2)
    return toll


@pytest.mark.slow
def test_a_sharded_build_that_is_killed_again_and_again_ends_in_the_same_files_and_answers(root: Path) -> None:
    scenario = ShardedBuild(root)
    reference = refer(scenario, root / "run", views_of(scenario, root / "viewed"))
    steps = {step for _, step in reference.steps.values()}
    for kept in ("vectors.npy", "photo_ids.parquet", "part-#.parquet", "rows.parquet", "growing.faiss", "cells.npz"):
        assert any(kept in step for step in steps), kept  # a kill may come before each of them
    toll = killed(scenario, root / "run", reference, kills=10)
    assert toll.faults == []
    assert {act for act, _ in toll.hits} == set(scenario.acts)


def test_an_interrupted_shard_goes_on_after_its_last_piece_and_is_the_same(root: Path) -> None:
    whole = embed(root, Interrupted(), "whole")
    with pytest.raises(KeyboardInterrupt):
        embed(root, Interrupted(batches=5))  # two pieces of two batches, and one batch that is lost
    again = Interrupted()
    record = embed(root, again)
    assert again.seen == len(PRODUCTS) - 4 * BATCH == record.figures["embedded"]
    assert record.content == whole.content
    assert sorted(path.name for path in root.iterdir()) == ["exported", "shard", "validated", "whole"]


def test_a_shard_that_goes_on_does_not_look_for_its_photos_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        embed(root, Interrupted(batches=3))
    with monkeypatch.context() as during:
        during.setattr("lookalike.index.shards.part_of", _interrupt)
        record = embed(root, Interrupted())
    assert record.content == embed(root, Interrupted(), "whole").content


def test_a_build_without_shards_goes_on_likewise(root: Path) -> None:
    parts = (root / "validated", root / "exported", root / "index")
    with pytest.raises(KeyboardInterrupt):
        build_index(*parts, MemoryIndex(), Interrupted(batches=7), SETTINGS)
    record = build_index(*parts, MemoryIndex(), Interrupted(), SETTINGS)
    assert record.figures["embedded"] == len(PRODUCTS) - 6 * BATCH
    whole = build_index(*parts[:2], root / "whole", MemoryIndex(), Interrupted(), SETTINGS)
    assert record.content == whole.content


@pytest.mark.parametrize("other", ["catalogue", "batch"])
def test_pieces_of_other_work_are_not_taken(root: Path, other: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        embed(root, Interrupted(batches=5))
    if other == "catalogue":
        validated_folder(root / "validated", range(40))
    again = Interrupted()
    embed(root, again, batch=BATCH + (other == "batch"))
    assert again.seen == (40 if other == "catalogue" else len(PRODUCTS))


@pytest.mark.parametrize("stops", [[16], [16, 24, 56]])
def test_a_graph_is_the_same_however_often_its_building_was_interrupted(tmp_path: Path, stops: list[int]) -> None:
    vectors = random_gallery(60, dimension=8).vectors
    for stop in stops:  # all that is left of each is the file
        grow_graph(_empty(), vectors[:stop], tmp_path / "kept")
    again, whole = (grow_graph(_empty(), vectors, tmp_path / name) for name in ("kept", "other"))
    assert faiss.serialize_index(again).tobytes() == faiss.serialize_index(whole).tobytes()


def _empty() -> Any:
    index = faiss.IndexHNSWFlat(8, HnswSettings().m, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 40
    return index


def test_sealing_goes_on_without_reading_the_photos_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = FaissIndex(tmp_path / "faiss", GRAPH)
    index.create(info())
    index.upsert("shoes", random_gallery(60))
    with monkeypatch.context() as during:
        during.setattr("lookalike.index.cells.Cells.build", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            index.seal("shoes")
    again, twin = FaissIndex(tmp_path / "faiss"), MemoryIndex()
    with monkeypatch.context() as during:
        during.setattr(FaissFolder, "change", _interrupt)  # would read a part
        again.seal("shoes")
    twin.create(info())
    twin.upsert("shoes", random_gallery(60))
    twin.seal("shoes")
    queries = random_gallery(5, seed=3).vectors
    assert again.search("shoes", queries, 10) == twin.search("shoes", queries, 10)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_unfinished_collection_counts_its_photos_by_their_ids(tmp_path: Path) -> None:
    index = FaissIndex(tmp_path / "faiss", GRAPH)
    index.create(info())
    index.upsert("shoes", random_gallery(60))
    index.upsert("shoes", random_gallery(40, seed=1))  # the first forty anew
    assert FaissIndex(tmp_path / "faiss").count("shoes") == 60
    index.delete("shoes", ["p003"])
    assert FaissIndex(tmp_path / "faiss").count("shoes") == 59
