"""What only files on disk can get wrong: other processes, restarts, killed writers, structures that cannot forget."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.config import parse_config
from lookalike.errors import ConfigError, VectorIndexError
from lookalike.index.comparing import exact
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_settings import FaissSettings
from lookalike.index.filter_input import parse_where
from lookalike.index.memory import MemoryIndex
from lookalike.index.predicates import OneOf
from lookalike.index.protocol import GalleryBatch, Hit, VectorIndex
from tests.index.shop import axis, gallery, info, random_gallery

D = 16


def settings(kind: str, exact_rows: int = 0, **parameters: Any) -> FaissSettings:
    return parse_config(FaissSettings, {"structure": {"kind": kind, **parameters}, "exact_rows": exact_rows}, kind)


def filled(index: VectorIndex, stored: GalleryBatch) -> VectorIndex:
    index.create(info(dimension=stored.vectors.shape[1]))
    index.upsert("shoes", stored)
    index.seal("shoes")
    return index


def shares(found: list[list[Hit]], wanted: list[list[Hit]]) -> float:
    """Part of the wanted photos that were found."""
    pairs = [({hit.photo_id for hit in a}, {hit.photo_id for hit in b}) for a, b in zip(found, wanted, strict=True)]
    return sum(len(a & b) for a, b in pairs) / max(1, sum(len(b) for _, b in pairs))


def test_everything_is_there_after_opening_again_and_nothing_had_to_be_loaded(tmp_path: Path) -> None:
    index = filled(FaissIndex(tmp_path, settings("hnsw")), gallery())
    index.delete("shoes", ["b"])
    index.point_alias("live", "shoes")
    again = FaissIndex(tmp_path)
    assert again.search("live", axis(0), 5) == index.search("live", axis(0), 5)
    assert (again.describe("live"), again.count("shoes"), again.collections()) == (info(), 4, ["shoes"])


def test_another_index_over_the_same_folder_sees_every_write_as_soon_as_it_returned(tmp_path: Path) -> None:
    writer, reader = filled(FaissIndex(tmp_path), gallery()), FaissIndex(tmp_path)
    for turn in range(30):  # many within one tick of the file system's clock
        name = f"new/{turn}"
        writer.upsert("shoes", GalleryBatch([name], [name], axis(3), {"vertical": ["shoe"], "colour": ["red"]}))
        assert name in {hit.photo_id for hit in reader.search("shoes", axis(3), 100)[0]}
        writer.delete("shoes", [name])
        assert reader.count("shoes") == 5
        writer.point_alias("live", "shoes")
    assert reader.resolve_alias("live") == "shoes"


def test_another_process_reads_while_this_one_has_the_index_open(tmp_path: Path) -> None:
    filled(FaissIndex(tmp_path), gallery())
    ask = (
        "from pathlib import Path; import numpy as np; from lookalike.index.faiss import FaissIndex\n"
        f"print(FaissIndex(Path({str(tmp_path)!r})).search('shoes', np.eye(4, dtype='f4')[:1], 1)[0][0].photo_id)"
    )
    asked = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert asked.stdout == "a/0\n"


def test_a_reader_goes_on_while_changes_are_folded_in_and_files_removed(tmp_path: Path) -> None:
    writer, reader = filled(FaissIndex(tmp_path, settings("hnsw")), gallery()), FaissIndex(tmp_path)
    before = reader.search("shoes", axis(0), 2)
    writer.upsert("shoes", GalleryBatch(["z/0"], ["z"], axis(3), {"vertical": ["shoe"], "colour": [None]}))
    writer.seal("shoes")
    assert reader.search("shoes", axis(0), 2) == before
    assert reader.search("shoes", axis(3), 1)[0][0].photo_id == "z/0"
    assert sorted(path.name for path in (tmp_path / "shoes").iterdir()) == ["collection.json", "segment-4"]


def test_a_collection_made_again_under_its_name_is_not_mistaken_for_the_old_one(tmp_path: Path) -> None:
    writer, reader = filled(FaissIndex(tmp_path), gallery()), FaissIndex(tmp_path)
    assert reader.count("shoes") == 5
    writer.drop("shoes")
    with pytest.raises(VectorIndexError, match="no collection 'shoes'"):
        reader.count("shoes")
    other = random_gallery(5, seed=3)
    filled(writer, other)
    assert reader.search("shoes", other.vectors[[4]], 1)[0][0].photo_id == other.photo_ids[4]


def test_files_that_a_killed_writer_left_are_not_seen_and_are_cleared_away(tmp_path: Path) -> None:
    index = filled(FaissIndex(tmp_path), gallery())
    left = [tmp_path / "shoes" / name for name in ("part-3.parquet", "segment-9", ".part-3.parquet.x.partial")]
    left[0].write_bytes(b"half of a file")
    left[1].mkdir()
    left[2].write_bytes(b"half of a file")
    assert FaissIndex(tmp_path).count("shoes") == 5
    index.delete("shoes", ["a"])  # takes the name of the half-written part
    assert FaissIndex(tmp_path).count("shoes") == 3
    index.seal("shoes")
    assert not any(path.exists() for path in left)


def test_many_changes_are_condensed_and_mean_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lookalike.index.faiss.MOST_PARTS", 4)
    index, twin = filled(FaissIndex(tmp_path), random_gallery(30)), filled(MemoryIndex(), random_gallery(30))
    random = np.random.default_rng(5)
    for turn in range(25):
        batch, gone = random_gallery(30, seed=turn), f"p{random.integers(30):03}"
        row = int(random.integers(30))
        one = GalleryBatch(
            [batch.photo_ids[row]],
            [f"p{random.integers(30):03}"],  # a photo may move to another product
            batch.vectors[[row]],
            {name: [values[row]] for name, values in batch.fields.items()},
        )
        for each in (index, twin):
            each.upsert("shoes", one)
            if turn % 3 == 0:
                each.delete("shoes", [gone])
    queries = random_gallery(4, seed=9).vectors
    assert len(json.loads((tmp_path / "shoes" / "collection.json").read_text())["parts"]) <= 6
    for opened in (index, FaissIndex(tmp_path)):
        assert opened.search("shoes", queries, 40) == twin.search("shoes", queries, 40)
    index.seal("shoes")
    assert FaissIndex(tmp_path).search("shoes", queries, 40) == twin.search("shoes", queries, 40)


def test_a_deleted_product_leaves_the_disk_when_purged(tmp_path: Path) -> None:
    stored = random_gallery(30)
    index = filled(FaissIndex(tmp_path, settings("hnsw")), stored)
    index.delete("shoes", ["p007"])
    vector, held = stored.vectors[7].tobytes(), lambda: [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(vector in path.read_bytes() for path in held())
    assert index.purge("shoes") == ""
    assert not any(vector in path.read_bytes() or b"p007" in path.read_bytes() for path in held())


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("hnsw", {}), ("ivf_pq", {"subvectors": 8, "lists": 40, "probes": 20}), ("binary", {"bits": 64})],
)
def test_an_approximate_structure_finds_nearly_all_under_every_filter(
    tmp_path: Path, kind: str, parameters: dict[str, Any]
) -> None:
    stored = random_gallery(3_000, D)
    colours = ["rare" if i % 100 == 0 else "some" if i % 5 == 0 else "most" for i in range(3_000)]
    stored = GalleryBatch(stored.photo_ids, stored.product_ids, stored.vectors, {**stored.fields, "colour": colours})
    index = filled(FaissIndex(tmp_path, settings(kind, **parameters)), stored)
    twin, queries = filled(MemoryIndex(), stored), random_gallery(20, D, seed=1).vectors
    for asked in ({}, {"colour": "most"}, {"colour": "some"}, {"colour": "rare"}, {"colour": {"not_in": ["rare"]}}):
        where = parse_where(asked)
        assert shares(index.search("shoes", queries, 10, where), twin.search("shoes", queries, 10, where)) >= 0.98


def test_a_filter_that_holds_only_far_away_still_fills_the_page(tmp_path: Path) -> None:
    stored = random_gallery(2_000, D)
    far = stored.vectors[:, 0] < np.sort(stored.vectors[:, 0])[60]  # a cap opposite to the query
    colours = ["far" if there else "near" for there in far]
    stored = GalleryBatch(stored.photo_ids, stored.product_ids, stored.vectors, {**stored.fields, "colour": colours})
    index = filled(FaissIndex(tmp_path, settings("hnsw", ef=16)), stored)
    query, where = np.eye(D, dtype=np.float32)[:1], (OneOf("colour", ("far",)),)
    assert len(index.search("shoes", query, 20, where)[0]) == 20


@pytest.mark.parametrize(
    ("kind", "parameters"), [("hnsw", {"ef": 16}), ("ivf_pq", {"subvectors": 8, "lists": 100, "probes": 2})]
)
def test_where_a_filter_is_rarer_around_a_query_than_on_the_whole_everything_that_passes_is_compared(
    tmp_path: Path, kind: str, parameters: dict[str, Any]
) -> None:
    stored, shirts = random_gallery(3_000, D), np.arange(3_000) < 1_500
    vectors = 0.3 * stored.vectors + np.where(shirts[:, np.newaxis], axis_of(D), np.eye(D, dtype=np.float32)[[1]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    colours = ["kept" if not shirt or row < 10 else "other" for row, shirt in enumerate(shirts)]
    stored = GalleryBatch(stored.photo_ids, stored.product_ids, vectors, {**stored.fields, "colour": colours})
    index, twin = filled(FaissIndex(tmp_path, settings(kind, **parameters)), stored), filled(MemoryIndex(), stored)
    queries, where = vectors[100:120], (OneOf("colour", ("kept",)),)  # half of all photos, and hardly a shirt
    assert shares(index.search("shoes", queries, 10, where), twin.search("shoes", queries, 10, where)) == 1


def test_photos_that_a_filter_leaves_far_from_a_query_are_found_cell_by_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, shirts = random_gallery(10_000, D), np.arange(10_000) < 5_000
    vectors = 0.3 * stored.vectors + np.where(shirts[:, np.newaxis], axis_of(D), np.eye(D, dtype=np.float32)[[1]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    colours = ["kept" if not shirt or row % 40 == 0 else "other" for row, shirt in enumerate(shirts)]
    stored = GalleryBatch(stored.photo_ids, stored.product_ids, vectors, {**stored.fields, "colour": colours})
    graph = settings("hnsw", ef=16, ef_construction=40)
    index, twin = filled(FaissIndex(tmp_path, graph), stored), filled(MemoryIndex(), stored)
    compared: list[int] = []

    def counted(vectors: Any, queries: Any, rows: Any, count: int) -> Any:
        compared.append(len(rows))
        return exact(vectors, queries, rows, count)

    for module in ("segment", "cells"):
        monkeypatch.setattr(f"lookalike.index.{module}.exact", counted)
    queries, where = vectors[1:5_000:250], (OneOf("colour", ("kept",)),)  # half of all photos, a fortieth of the shirts
    found, wanted = (each.search("shoes", queries, 10, where) for each in (index, twin))
    assert shares(found, wanted) >= 0.95  # of noise in 16 directions
    assert max(compared) < 1_500  # of 5,125 that pass


def test_new_photos_are_found_beside_a_graph_that_cannot_take_them_and_removed_ones_are_not(tmp_path: Path) -> None:
    stored = random_gallery(500, D)
    index = filled(FaissIndex(tmp_path, settings("hnsw")), stored)
    index.delete("shoes", stored.product_ids[:250])
    moved = GalleryBatch(["p400/0"], ["p400"], stored.vectors[[0]], {"vertical": ["v0"], "colour": ["new"]})
    index.upsert("shoes", moved)
    (hits,) = index.search("shoes", stored.vectors[[0]], 250)
    assert (hits[0].photo_id, hits[0].fields["colour"]) == ("p400/0", "new")
    assert sorted(hit.photo_id for hit in hits) == list(stored.photo_ids[250:])
    index.seal("shoes")
    assert sorted(hit.photo_id for hit in index.search("shoes", axis_of(D), 250)[0]) == list(stored.photo_ids[250:])


def axis_of(dimension: int) -> Any:
    return np.eye(dimension, dtype=np.float32)[:1]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"structure": {"kind": "flat", "m": 16}}, "structure.flat.m"),
        ({"structure": {"kind": "hnsw", "probes": 3}}, "structure.hnsw.probes"),
        ({"structure": {"kind": "ivf_pq", "lists": 4, "probes": 8}}, "probes is 8, but there are only 4 lists"),
        ({"structure": {"kind": "binary", "bits": 100}}, "structure.binary.bits is 100"),
        ({"structure": {"kind": "annoy"}}, "annoy"),
    ],
)
def test_parameters_of_another_kind_or_that_contradict_are_refused(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_config(FaissSettings, values, "index")
    assert named in str(refusal.value)


def test_parameters_that_do_not_fit_the_vectors_leave_the_collection_unfinished(tmp_path: Path) -> None:
    index = FaissIndex(tmp_path, settings("ivf_pq", subvectors=3))
    index.create(info())
    index.upsert("shoes", random_gallery(100))
    with pytest.raises(VectorIndexError, match="subvectors is 3, which does not divide dimension 4"):
        index.seal("shoes")
    with pytest.raises(VectorIndexError, match="unfinished"):
        index.search("shoes", axis(0), 1)


def test_settings_beside_the_collections_hold_for_new_ones(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"structure": {"kind": "binary", "bits": 32}, "exact_rows": 0}')
    filled(FaissIndex(tmp_path), gallery())
    assert (tmp_path / "shoes" / "segment-2" / "rotation.npy").is_file()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    filled(FaissIndex(tmp_path, settings("hnsw")), gallery())
    (tmp_path / "shoes" / "segment-2" / "search.faiss").write_bytes(b"")
    with pytest.raises(VectorIndexError, match="collection shoes cannot be opened"):
        FaissIndex(tmp_path).count("shoes")
