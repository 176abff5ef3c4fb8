"""A faiss collection builds its structure anew when too much lies beside it; readers see no difference and no gap."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.config import parse_config
from lookalike.errors import ArtifactError
from lookalike.index.faiss import FaissIndex
from lookalike.index.faiss_settings import FaissSettings
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import GalleryBatch, VectorIndex
from tests.index.shop import axis, info, random_gallery

SOON = parse_config(FaissSettings, {"structure": {"kind": "hnsw"}, "exact_rows": 0, "fold_rows": 10}, "folding")


def filled(index: VectorIndex) -> VectorIndex:
    index.create(info())
    index.upsert("shoes", random_gallery(60))
    index.seal("shoes")
    return index


def new(number: int) -> GalleryBatch:
    """One photo that was not there."""
    batch = random_gallery(1, seed=number)
    return GalleryBatch([f"new{number:02}/0"], [f"new{number:02}"], batch.vectors, batch.fields)


def manifest(root: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((root / "shoes" / "collection.json").read_text())
    return values


def test_what_lies_beside_the_structure_stays_below_the_limit_and_answers_stay_exact(tmp_path: Path) -> None:
    index, twin = filled(FaissIndex(tmp_path, SOON)), filled(MemoryIndex())
    segments = set()
    for turn in range(40):
        for each in (index, twin):
            each.upsert("shoes", new(turn))
            if turn % 4 == 0:
                each.delete("shoes", [f"p{turn:03}"])
        assert manifest(tmp_path)["changed"] <= 10
        segments.add(manifest(tmp_path)["segment"])
        queries = random_gallery(3, seed=1_000 + turn).vectors
        assert index.search("shoes", queries, 5) == twin.search("shoes", queries, 5)
    assert len(segments) == 5  # 50 changes, folded whenever there are more than ten
    assert FaissIndex(tmp_path).count("shoes") == twin.count("shoes")


def test_the_same_writes_fold_at_the_same_places(tmp_path: Path) -> None:
    for name in ("one", "other"):
        index = filled(FaissIndex(tmp_path / name, SOON))
        for turn in range(25):
            index.upsert("shoes", new(turn))
    one, other = ({**manifest(tmp_path / name), "born": ""} for name in ("one", "other"))
    assert one == other


def test_the_order_in_which_photos_came_is_not_in_the_files(tmp_path: Path) -> None:
    stored = random_gallery(60)
    order = np.random.default_rng(1).permutation(60)
    fields = {name: [values[row] for row in order] for name, values in stored.fields.items()}
    ids, products = ([values[row] for row in order] for values in (stored.photo_ids, stored.product_ids))
    shuffled = GalleryBatch(ids, products, stored.vectors[order], fields)
    for name, batch in (("one", stored), ("other", shuffled)):
        index = FaissIndex(tmp_path / name, SOON)
        index.create(info())
        index.upsert("shoes", batch)
        index.seal("shoes")
    for name in ("vectors.npy", "rows.parquet"):  # the graph's edges also depend on which thread comes first
        one, other = ((tmp_path / folder / "shoes" / "segment-2" / name).read_bytes() for folder in ("one", "other"))
        assert one == other


def test_a_large_collection_folds_by_its_share(tmp_path: Path) -> None:
    share = SOON.model_copy(update={"fold_rows": 1, "fold_share": 0.5})
    index = filled(FaissIndex(tmp_path, share))
    before = manifest(tmp_path)["segment"]
    for turn in range(30):
        index.upsert("shoes", new(turn))
    assert manifest(tmp_path)["segment"] == before  # 30 of 60 are not more than half
    index.upsert("shoes", new(30))
    assert manifest(tmp_path)["segment"] != before
    assert manifest(tmp_path)["rows"] == 91


def test_readers_see_no_gap_while_the_structure_is_built_anew(tmp_path: Path) -> None:
    writer, reader = filled(FaissIndex(tmp_path, SOON)), FaissIndex(tmp_path)
    done, seen, wrong = threading.Event(), [0], []

    def read() -> None:
        while not done.is_set():
            count = reader.count("shoes")
            [hits] = reader.search("shoes", axis(0), 200)
            if count < seen[0] or len(hits) < count:
                wrong.append((seen[0], count, len(hits)))
            seen[0] = count

    thread = threading.Thread(target=read)
    thread.start()
    for turn in range(60):
        writer.upsert("shoes", new(turn))
    done.set()
    thread.join()
    assert wrong == []
    assert reader.count("shoes") == 120


def test_a_collection_of_another_version_is_named_and_can_be_dropped(tmp_path: Path) -> None:
    index = filled(FaissIndex(tmp_path, SOON))
    values = manifest(tmp_path)
    del values["info"]["model_fingerprint"]
    (tmp_path / "shoes" / "collection.json").write_text(json.dumps(values))
    again = FaissIndex(tmp_path)
    with pytest.raises(ArtifactError, match=r"shoes/collection\.json is of another version"):
        again.describe("shoes")
    again.drop("shoes")
    assert again.collections() == index.collections() == []
    assert np.array_equal(filled(again).vectors("shoes", "p000"), random_gallery(60).vectors[:1])
