"""An erased product is nowhere: not in answers, not in any file, not in the next delivery."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lookalike.catalog.erasures import load_erasures
from lookalike.catalog.products import load_catalogue
from lookalike.catalog.splits import SplitSettings, split
from lookalike.catalog.thresholds import ValidationSettings
from lookalike.catalog.validation import validate
from lookalike.embedders.model_folder import CHECKPOINT
from lookalike.errors import ConfigError
from lookalike.features.feast import FeastLookup
from lookalike.features.materialise import materialise
from lookalike.feedback.events import Feedback, feedback_table, read_feedback
from lookalike.index.build import build_index
from lookalike.index.faiss_settings import FaissSettings
from lookalike.index.gallery import load_gallery
from lookalike.index.memory import MemoryIndex
from lookalike.index.milvus import MilvusIndex
from lookalike.lifecycle.erase import Erased, erase
from lookalike.lifecycle.erase_rows import erase_rows
from lookalike.lifecycle.update import update
from lookalike.mining.mine import mine
from lookalike.observation import Observation
from lookalike.release.manifest import TRAINED_VECTORS, Release
from lookalike.release.update_log import UpdateLog
from lookalike.search.query_log import LoggedQuery, query_log_table, read_query_log
from lookalike.selection.scratch import build_collection, sweep_folder
from lookalike.storage import atomic_file, digest_files, read_json, read_seal
from lookalike.training.trained import TRAINED
from lookalike.workspace import Workspace
from tests.catalog.tiny_shop import row, rows, write_shop
from tests.features.shop import DEFINITIONS
from tests.index.stages import exported_folder
from tests.index.test_build import CountingEmbedder
from tests.lifecycle.going_live import go_live
from tests.lifecycle.test_update import SMALL

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
GONE = "secret-31"
LENIENT = ValidationSettings(max_near_duplicates=1)

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # ibis on DuckDB


def delivery() -> list[dict]:  # type: ignore[type-arg]
    """Thirty products and two; the one that will be erased shares its picture with another, so groups bear its name."""
    lines = [*rows(30), row(31, id=GONE)]
    return [*lines, row(5, id="zz-copy-of-the-same-photo", photo=lines[5]["photo"])]


class Shop:
    """A workspace with every kind of file that names or shows a product, live in a real Milvus and Feast."""

    def __init__(self, root: Path, index: MilvusIndex) -> None:
        self.root, self.index, self.embedder = root, index, CountingEmbedder()
        self.place = Workspace(root / "shop")
        self.catalogue = write_shop(root / "delivery", delivery())
        place = self.place
        validate(self.catalogue, place.validated, LENIENT)
        split(place.validated, place.splits, SplitSettings(max_group=1))
        mine(place.validated, place.splits, place.triplets)
        exported = exported_folder(root / "exported", self.embedder)
        (exported / CHECKPOINT).mkdir()
        load_catalogue(place.validated).gallery_photos.to_parquet(exported / CHECKPOINT / TRAINED)
        build_index(place.validated, exported, place.index, index, self.embedder, SMALL)
        digest, fingerprint = read_seal(place.validated).content, self.embedder.identity.fingerprint
        self.release = Release.of(fingerprint, digest, NOW)
        materialise(place.validated, place.features, place.feature_store, self.release.release_id, NOW, DEFINITIONS)
        go_live(place.releases, self.release, place.index)
        self.log_queries()
        gallery = load_gallery(place.index)
        self.vector = gallery.vectors[gallery.photos["product_id"] == GONE]
        self.photo = row(31)["photo"]

    def log_queries(self) -> None:
        seen = Observation([1.0, 0.0], 0.9, 0.1, {"type": "shoe"}, {"type": 0.9}, 48, 64, 900)
        queries = [
            LoggedQuery(NOW, self.release.release_id, self.release.model_fingerprint, 5.0, hits, seen)
            for hits in (("p01", GONE), ("p02",), ())
        ]
        with atomic_file(self.place.query_log / "day=2026-11-21" / "part-1.parquet") as aside:
            pq.write_table(query_log_table(queries), aside)
        events = [Feedback(NOW, None, "r1", product, 0, "click") for product in ("p01", GONE)]
        with atomic_file(self.place.feedback / "day=2026-11-21" / "part-1.parquet") as aside:
            pq.write_table(feedback_table(events), aside)

    def erase(self) -> Erased:
        return erase(self.place, self.index, [GONE], NOW + timedelta(hours=1))

    def traces(self) -> list[str]:
        """Files of the workspace in which the id, the photo's bytes or its vector can be found."""
        gc.collect()  # SQLite folds its log into the database, and removes it, with the last connection
        files = [path for path in self.place.root.rglob("*") if path.is_file()]
        return sorted(str(path.relative_to(self.place.root)) for path in files if self._shows(path))

    def _shows(self, path: Path) -> bool:
        content = b"".join(_contents(path))
        return any(trace in content for trace in (GONE.encode(), self.photo, self.vector.tobytes()))


def _contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and those of a table's cells, which parquet may have compressed."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        yield b"\0".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in _cells(path))
        vectors = pq.read_table(path)
        if "vector" in vectors.column_names:
            yield np.array(vectors["vector"].to_pylist(), dtype=np.float32).tobytes()


def _cells(path: Path) -> Iterator[object]:
    for column in pq.read_table(path).columns:
        yield from column.to_pylist()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop before and after: `before` and `done` tell what the erasure found."""
    root = tmp_path_factory.mktemp("erasing")
    with MilvusIndex(str(root / "shop" / "milvus.db")) as index:
        made = Shop(root, index)
        made.before = made.traces()  # type: ignore[attr-defined]
        made.done = made.erase()  # type: ignore[attr-defined]
        yield made


def test_before_the_erasure_the_product_is_all_over_the_workspace(shop: Shop) -> None:
    folders = {trace.split("/")[0] for trace in shop.before}  # type: ignore[attr-defined]
    assert {str(Path(trace).name) for trace in shop.before} >= {TRAINED_VECTORS}  # type: ignore[attr-defined]
    assert folders >= {
        "validated",
        "splits",
        "triplets",
        "index",
        "releases",
        "feature_store",
        "query_log",
        "milvus.db",
    }


def test_no_file_names_it_or_shows_it_afterwards(shop: Shop) -> None:
    assert shop.traces() == []


def test_no_search_finds_it_and_the_others_are_still_there(shop: Shop) -> None:
    [hits] = shop.index.search(shop.release.collection, shop.vector, 100)
    assert {hit.product_id for hit in hits} == {line["id"] for line in delivery()} - {GONE}
    assert len(shop.index.vectors(shop.release.collection, GONE)) == 0
    served = FeastLookup(shop.place.feature_store, shop.release.feature_service).lookup([GONE, "p01"], 10)
    assert set(served) == {"p01"}


def test_artifacts_are_whole_and_sealed_again_with_a_note(shop: Shop) -> None:
    for folder in (shop.place.validated, shop.place.splits, shop.place.triplets, shop.place.index):
        record = read_seal(folder)
        assert record.figures["erased"] > 0
        assert record.content == digest_files(folder, read_json(folder / "stage.json")["files"])
    catalogue = load_catalogue(shop.place.validated)
    assert len(catalogue.products) == len(catalogue.photos) == len(delivery()) - 1
    assert len(load_gallery(shop.place.index).vectors) == len(delivery()) - 1
    assert len(read_query_log(shop.place.query_log)) == 2
    assert read_feedback(shop.place.feedback)["product_id"].to_pylist() == ["p01"]


def test_what_cannot_be_erased_is_named(shop: Shop) -> None:
    said = " ".join(shop.done.left)  # type: ignore[attr-defined]
    for place in ("trained weights", "the delivery", "backups", "--cache"):
        assert place in said
    assert shop.done.removed[f"collection {shop.release.collection}, photos"] == 1  # type: ignore[attr-defined]


def test_a_later_delivery_does_not_bring_it_back_silently(shop: Shop, tmp_path: Path) -> None:
    erased = tuple(load_erasures(shop.place.erasures).erased)
    record = validate(shop.catalogue, tmp_path / "again", LENIENT.model_copy(update={"erased": erased}))
    quarantine = pd.read_parquet(tmp_path / "again" / "quarantine.parquet")
    assert quarantine[["product_id", "reason"]].values.tolist() == [[None, "erased"]]
    assert record.figures["erased"] == 1
    assert GONE not in set(load_catalogue(tmp_path / "again").products["product_id"])
    changed = update(
        tmp_path / "again",
        shop.place.releases,
        shop.index,
        shop.embedder,
        lambda *_: 0,
        NOW + timedelta(hours=2),
        SMALL,
    )
    assert changed is None or (changed.added, changed.removed) == (0, 0)
    assert len(shop.index.vectors(shop.release.collection, GONE)) == 0


def test_erasing_again_finds_nothing_more(shop: Shop) -> None:
    before = {path: path.stat().st_mtime_ns for path in shop.place.validated.iterdir()}
    assert dict(shop.erase().removed) == {}
    assert {path: path.stat().st_mtime_ns for path in shop.place.validated.iterdir()} == before
    assert UpdateLog(shop.place.releases, shop.release).last().erased == 1  # type: ignore[union-attr]


def test_an_empty_request_is_refused(shop: Shop) -> None:
    for ids in ([], ["p01", ""]):
        with pytest.raises(ConfigError, match="one id or more"):
            erase(shop.place, shop.index, ids, NOW)


def test_a_folder_that_a_kill_left_without_its_name_gets_it_back_before_it_is_cleared(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    (place.root / ".index.abcd1234.old" / "was").mkdir(parents=True)
    (place.root / ".index.abcd1234.old" / "was" / "kept").write_text("all there is")
    erase(place, MemoryIndex(), [GONE], NOW)
    assert (place.index / "kept").read_text() == "all there is"
    assert not list(place.root.glob(".*.old"))


def test_decoded_photos_that_training_kept_are_gone_with_their_folder_named(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for name in ("a.npy", "a.json"):
        (cache / name).write_bytes(b"pixels")
    done = erase(Workspace(tmp_path / "shop"), MemoryIndex(), [GONE], NOW, cache)
    assert list(cache.iterdir()) == []
    assert not any("--cache" in sentence for sentence in done.left)


def test_copies_of_pages_that_a_pipeline_kept_are_gone(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    copies = [place.pipeline_root / "watch-1" / step for step in ("detect-drift/report", "validate-catalogue/summary")]
    for path in copies:
        path.parent.mkdir(parents=True)
        path.write_text("photos")
    erase(place, MemoryIndex(), [GONE], NOW)
    assert not any(path.exists() for path in copies)


def test_the_vectors_of_a_selection_that_was_killed_are_gone(tmp_path: Path) -> None:
    """They bear no ids, so nobody can say which of them are the product's."""
    place = Workspace(tmp_path)
    vectors = np.eye(32, dtype=np.float32)
    build_collection(sweep_folder(place.index_selection) / "study" / "flat", vectors, FaissSettings(), lambda: 0.0)
    assert list(place.root.rglob("vectors.npy"))
    erase(place, MemoryIndex(), [GONE], NOW)
    assert not list(place.root.rglob("vectors.npy")) and not sweep_folder(place.index_selection).exists()


def test_a_group_called_after_an_erased_product_takes_another_member_s_name(tmp_path: Path) -> None:
    path = tmp_path / "splits.parquet"
    groups = {"product_id": ["a", "bb", "b", "c"], "group_id": ["a", "a", "a", "c"], "split": ["test"] * 4}
    pq.write_table(pa.table(groups), path)
    assert erase_rows(path, ["a"]) == 1
    assert pq.read_table(path).to_pydict() == {
        "product_id": ["bb", "b", "c"], "group_id": ["b", "b", "c"], "split": ["test"] * 3,
    }  # fmt: skip
