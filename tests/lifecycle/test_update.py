"""A changed catalogue is applied to the live release in place: only what changed, seen at once, safe to repeat."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.errors import BackendUnavailable, ReleaseError, ReleaseMismatch, VectorIndexError
from lookalike.features.memory import MemoryFeatures
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.memory import MemoryIndex
from lookalike.index.milvus import MilvusIndex
from lookalike.index.protocol import GalleryBatch, VectorIndex
from lookalike.index.stored import find_changes
from lookalike.lifecycle.update import update
from lookalike.release.manifest import Release
from lookalike.release.update_log import PENDING, Update, UpdateLog
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from lookalike.storage import read_seal
from tests.index.stages import exported_folder, validated_folder
from tests.index.test_build import CountingEmbedder
from tests.lifecycle.going_live import go_live

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SMALL = IndexSettings(batch=5, rows=3, recall_queries=4)


@dataclass
class Shop:
    """A live release over products 0 to 7, whose features are only remembered."""

    root: Path
    index: VectorIndex = field(default_factory=MemoryIndex)
    embedder: CountingEmbedder = field(default_factory=CountingEmbedder)
    refreshed: list[tuple[datetime, list[str]]] = field(default_factory=list)
    clock: datetime = NOW

    def __post_init__(self) -> None:
        validated = self.catalogue(range(8))
        exported, built = exported_folder(self.root / "exported", self.embedder), self.root / "index"
        build_index(validated, exported, built, self.index, self.embedder, SMALL)
        self.release = Release.of(self.embedder.identity.fingerprint, read_seal(validated).content, NOW)
        go_live(self.releases, self.release, built)
        self.embedder.embedded = 0

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    def catalogue(self, products: Sequence[int]) -> Path:
        return validated_folder(self.root / f"validated-{'-'.join(map(str, products))}", products)

    def update(self, products: Sequence[int]) -> Update | None:
        self.clock += timedelta(minutes=1)
        validated = self.catalogue(products)
        return update(validated, self.releases, self.index, self.embedder, self.refresh, self.clock, SMALL)

    def refresh(self, catalogue: Catalogue, since: datetime, gone: Sequence[str]) -> int:
        self.refreshed.append((since, list(gone)))
        return 0

    def found(self) -> dict[str, str]:
        """Photo and product of everything the collection answers."""
        query = np.eye(1, 16, dtype=np.float32)
        [hits] = self.index.search(self.release.collection, query, 100)
        return {hit.photo_id: hit.product_id for hit in hits}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def photos(products: Sequence[int]) -> dict[str, str]:
    return {f"p{number:03}/0": f"p{number:03}" for number in products}


def test_new_products_are_found_and_removed_ones_are_not(shop: Shop) -> None:
    done = shop.update([0, 1, 2, 3, 4, 5, 8, 9])
    assert done is not None
    assert (done.number, done.added, done.changed, done.removed, done.photos_embedded) == (1, 2, 0, 2, 2)
    assert shop.found() == photos([0, 1, 2, 3, 4, 5, 8, 9])
    assert shop.embedder.embedded == 2
    assert shop.refreshed == [(NOW, ["p006", "p007"])]


def test_the_same_holds_in_milvus(tmp_path: Path) -> None:
    with MilvusIndex(str(tmp_path / "milvus.db")) as index:
        shop = Shop(tmp_path, index)
        assert shop.update([0, 1, 2, 3, 8]) is not None
        assert shop.found() == photos([0, 1, 2, 3, 8])
        assert shop.update([0, 1, 2, 3, 8]) is None


def test_what_was_stored_is_what_a_rebuild_would_store(shop: Shop) -> None:
    products = [0, 2, 4, 6, 8, 10]
    shop.update(products)
    contents = load_catalogue(shop.catalogue(products)).photo_contents([f"p{number:03}/0" for number in products])
    batch = shop.embedder.identity.preprocessing.batch(list(contents.values()))
    for photo, vector in zip(contents, shop.embedder.embed(batch).vectors, strict=True):
        [stored] = shop.index.vectors(shop.release.collection, photo.split("/")[0])
        np.testing.assert_allclose(stored, vector, atol=1e-6)


def test_the_same_catalogue_twice_changes_nothing_and_says_so(shop: Shop) -> None:
    assert shop.update(range(8)) is None
    assert shop.update([1, 2, 3]) is not None
    before = UpdateLog(shop.releases, shop.release).last()
    assert shop.update([1, 2, 3]) is None
    assert UpdateLog(shop.releases, shop.release).last() == before
    assert len(shop.refreshed) == 1


def test_updates_are_numbered_and_say_which_catalogue_the_release_holds(shop: Shop) -> None:
    log = UpdateLog(shop.releases, shop.release)
    assert (log.last(), log.catalogue_digest()) == (None, shop.release.catalogue_digest)
    first, second = shop.update([1, 2, 3]), shop.update(range(8))
    assert first is not None and second is not None
    assert (first.number, second.number) == (1, 2)
    assert second.catalogue_digest == log.catalogue_digest() == shop.release.catalogue_digest
    assert second.added == 5
    assert shop.index.describe(shop.release.collection).release_id == shop.release.release_id


class FailingIndex(MemoryIndex):
    """Loses the connection after a number of writes."""

    writes = 10**6

    def upsert(self, collection: str, batch: GalleryBatch) -> None:
        self._count()
        super().upsert(collection, batch)

    def delete(self, collection: str, product_ids: Sequence[str]) -> None:
        self._count()
        super().delete(collection, product_ids)

    def _count(self) -> None:
        if self.writes == 0:
            raise BackendUnavailable("the connection is lost")
        self.writes -= 1


@pytest.mark.parametrize("writes", [0, 1, 2])
@pytest.mark.parametrize("then", [[0, 1, 8, 9, 10, 11], [0, 1, 2, 3, 4, 5, 6, 7], [0, 9]])
def test_an_interrupted_update_is_finished_by_the_next_one(tmp_path: Path, writes: int, then: list[int]) -> None:
    shop = Shop(tmp_path, FailingIndex())
    shop.index.writes = writes  # type: ignore[attr-defined]
    with pytest.raises(BackendUnavailable):
        shop.update([0, 1, 8, 9, 10, 11])
    shop.index.writes = 10**6  # type: ignore[attr-defined]
    assert shop.update(then) is not None
    assert shop.found() == photos(then)
    assert shop.update(then) is None
    assert UpdateLog(shop.releases, shop.release).pending() == set()


def test_an_answer_says_which_update_it_has_seen(shop: Shop) -> None:
    log = UpdateLog(shop.releases, shop.release)
    engine = SearchEngine(shop.embedder, shop.index, MemoryFeatures({}), shop.release, updates=log.number)
    for number in range(3):
        answer = engine.search(SearchRequest(product_id="p001"))
        assert (answer.update, answer.as_json()["update"]) == (number, number)
        assert ("p008" in {hit.product_id for hit in answer.hits}) == (number == 1)
        shop.update([0, 1, 8] if number == 0 else [0, 1])


def test_a_record_half_written_is_none(shop: Shop) -> None:
    (shop.releases / shop.release.release_id / "updates").mkdir()
    (shop.releases / shop.release.release_id / "updates" / ".000001.json.x1y2z3w4.partial.json").write_text("{")
    assert UpdateLog(shop.releases, shop.release).last() is None
    done = shop.update([0, 1])
    assert done is not None and done.number == 1


def test_an_update_killed_after_its_record_is_finished(shop: Shop) -> None:
    done = shop.update([0, 1, 2])
    assert done is not None
    pending = shop.releases / shop.release.release_id / "updates" / PENDING.format(done.number)
    pd.DataFrame({"product_id": ["p000"]}).to_parquet(pending)  # it was noted before the first write
    assert UpdateLog(shop.releases, shop.release).pending() == set()
    assert shop.update([0, 1, 2]) is None
    assert shop.update([0, 1]) is not None
    assert not pending.exists()


def test_a_release_whose_collection_something_else_changed_is_refused(shop: Shop) -> None:
    shop.index.delete(shop.release.collection, ["p003"])
    with pytest.raises(VectorIndexError, match="holds 7 photos, its release recorded 8"):
        shop.update([1, 2])
    assert UpdateLog(shop.releases, shop.release).last() is None


def test_another_model_or_no_release_is_refused(shop: Shop) -> None:
    shop.embedder = CountingEmbedder(seed=1)
    with pytest.raises(ReleaseMismatch):
        shop.update([1, 2])
    (shop.releases / "live.json").unlink()
    with pytest.raises(ReleaseError, match="nothing is in service"):
        shop.update([1, 2])


def test_two_updates_at_once_are_refused(shop: Shop) -> None:
    with UpdateLog(shop.releases, shop.release).alone(), pytest.raises(ReleaseError, match="by another process"):
        shop.update([1, 2])


def table(*rows: str) -> pd.DataFrame:
    """Photos written as 'product/position bytes fields'."""
    parts = [row.split() for row in rows]
    return pd.DataFrame(
        [(photo, photo.split("/")[0], content, fields) for photo, content, fields in parts],
        columns=["photo_id", "product_id", "sha256", "fields"],
    )


def test_a_photo_is_stored_again_when_its_bytes_its_product_s_fields_or_its_place_changed() -> None:
    have = table("a/0 x red", "b/0 y red", "c/0 z red", "c/1 w red", "d/0 v red")
    want = table("a/0 x red", "b/0 y blue", "c/0 z red", "e/0 v red")
    changes = find_changes(have, want, set())
    assert changes.store["photo_id"].tolist() == ["b/0", "c/0", "e/0"]
    assert changes.clear == ["c"]  # it loses a photo
    assert (changes.added, changes.changed, changes.removed) == (["e"], ["b", "c"], ["d"])
    assert find_changes(want, want, set()).touched == []
    unsure = find_changes(want, want, {"a", "q"})
    assert (unsure.clear, unsure.store["photo_id"].tolist(), unsure.removed) == (["a"], ["a/0"], ["q"])
