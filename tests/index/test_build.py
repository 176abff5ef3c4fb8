"""Building a release's collection: complete, examined, reused only while it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from lookalike.catalog.colours import colour_histogram, read_histograms
from lookalike.catalog.group_fields import COLOURS, DESIGN, HIDDEN
from lookalike.catalog.groups import product_groups
from lookalike.catalog.images import Preprocessing
from lookalike.catalog.products import load_catalogue
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.model_folder import CHECKPOINT
from lookalike.embedders.protocol import Embeddings
from lookalike.errors import ArtifactError, ReleaseMismatch, VectorIndexError
from lookalike.index.build import IndexSettings, build_index
from lookalike.index.gallery import Gallery, load_gallery
from lookalike.index.memory import MemoryIndex
from lookalike.index.milvus import MilvusIndex
from lookalike.index.predicates import Where
from lookalike.index.proof import measure_recall
from lookalike.index.protocol import Hit, VectorIndex
from lookalike.release.manifest import TRAINED_VECTORS, collection_name, release_id
from lookalike.storage import StageRecord, read_json, read_seal
from lookalike.training.trained import TRAINED
from tests.index.stages import drawn_photo, exported_folder, validated_folder

SMALL = Preprocessing(height=32, width=24)


class CountingEmbedder(MemoryEmbedder):
    """Remembers how many photos it was asked for."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(SMALL, dimension=16, seed=seed)
        self.embedded = 0

    def embed(self, pixels: NDArray[np.uint8]) -> Embeddings:
        self.embedded += len(pixels)
        return super().embed(pixels)


@dataclass
class Shop:
    """One shop's folders, index and model."""

    root: Path
    index: VectorIndex
    embedder: CountingEmbedder
    titles: Sequence[str] | None = None

    def build(self, products: Sequence[int] = range(12), settings: IndexSettings | None = None) -> StageRecord:
        validated = validated_folder(self.root / "validated", products, self.titles)
        exported = exported_folder(self.root / "exported", self.embedder)
        settings = settings or IndexSettings(batch=5, rows=5, recall_queries=6)
        return build_index(validated, exported, self.root / "index", self.index, self.embedder, settings)

    @property
    def collection(self) -> str:
        digest = read_seal(self.root / "validated").content
        return collection_name(release_id(self.embedder.identity.fingerprint, digest))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, MemoryIndex(), CountingEmbedder())


def test_the_collection_holds_every_gallery_photo_and_says_whose_it_is(shop: Shop) -> None:
    record = shop.build()
    release = release_id(shop.embedder.identity.fingerprint, read_seal(shop.root / "validated").content)
    assert read_json(shop.root / "index" / "index.json") == {
        "collection": shop.collection,
        "count": 12,
        "model_fingerprint": shop.embedder.identity.fingerprint,
        "recall_at_10": {"n": 6, "value": 1.0},
        "release_id": release,
    }
    described = shop.index.describe(shop.collection)
    assert (described.release_id, described.fields) == (release, ("vertical", "colour", *HIDDEN))
    assert shop.index.count(shop.collection) == record.figures["count"] == 12
    (hits,) = shop.index.search(shop.collection, load_gallery(shop.root / "index").vectors[[5]], 1)
    groups = product_groups(load_catalogue(shop.root / "validated")).loc["p005"].to_dict()
    fields = {"vertical": "shoe", "colour": None, **groups, COLOURS: hits[0].fields[COLOURS]}
    assert (hits[0].photo_id, hits[0].fields) == ("p005/0", fields)
    pixels = SMALL.pixels(drawn_photo(5))
    assert read_histograms([hits[0].fields[COLOURS]])[0] == pytest.approx(colour_histogram(pixels), abs=1 / 510)


def test_the_same_holds_in_milvus(tmp_path: Path) -> None:
    with MilvusIndex(str(tmp_path / "milvus.db")) as index:
        shop = Shop(tmp_path, index, CountingEmbedder())
        assert shop.build().figures["recall_at_10"] == {"n": 6, "value": 1.0}
        assert index.count(shop.collection) == 12
        assert shop.build().reused


def test_cached_vectors_are_those_the_model_gives(shop: Shop) -> None:
    shop.build()
    gallery = load_gallery(shop.root / "index")
    contents = load_catalogue(shop.root / "validated").photo_contents(gallery.photos["photo_id"].tolist())
    vectors = shop.embedder.embed(SMALL.batch(list(contents.values()))).vectors
    np.testing.assert_array_equal(gallery.vectors, vectors)


def test_photos_the_model_was_trained_on_are_kept_apart_where_it_says_which(shop: Shop) -> None:
    assert shop.build().figures["trained_vectors"] == 0
    assert not (shop.root / "index" / TRAINED_VECTORS).exists()
    photos = load_catalogue(shop.root / "validated").gallery_photos
    (shop.root / "exported" / CHECKPOINT).mkdir()
    photos[3:7].to_parquet(shop.root / "exported" / CHECKPOINT / TRAINED)
    shop.index.drop(shop.collection)  # or the index is reused
    assert shop.build().figures["trained_vectors"] == 4
    kept, gallery = pd.read_parquet(shop.root / "index" / TRAINED_VECTORS), load_gallery(shop.root / "index")
    assert kept["photo_id"].tolist() == photos["photo_id"].tolist()[3:7]
    np.testing.assert_allclose(np.stack(kept["vector"].tolist()), gallery.vectors[3:7], atol=1e-3)


def test_an_unchanged_index_is_reused(shop: Shop) -> None:
    shop.build()
    before = shop.embedder.embedded
    assert shop.build().reused
    assert shop.embedder.embedded == before


@pytest.mark.parametrize("damage", ["drop", "delete"])
def test_a_record_whose_collection_is_gone_or_incomplete_is_not_reused(shop: Shop, damage: str) -> None:
    shop.build()
    if damage == "drop":
        shop.index.drop(shop.collection)
    else:
        shop.index.delete(shop.collection, ["p003"])
    record = shop.build()
    assert not record.reused
    assert record.figures["embedded"] == 0  # the vectors of the earlier run are still good
    assert shop.index.count(shop.collection) == 12


def test_only_new_photos_are_embedded_when_the_catalogue_changes(shop: Shop) -> None:
    shop.build(range(12))
    old = shop.collection
    record = shop.build(range(2, 15))
    assert record.figures["embedded"] == 3
    assert shop.collection != old
    assert (shop.index.count(old), shop.index.count(shop.collection)) == (12, 13)
    gallery = load_gallery(shop.root / "index")
    fresh = shop.embedder.embed(
        SMALL.batch(
            list(load_catalogue(shop.root / "validated").photo_contents(list(gallery.photos.photo_id)).values())
        )
    )
    np.testing.assert_allclose(gallery.vectors, fresh.vectors, atol=1e-6)


def test_another_model_of_the_same_dimension_embeds_everything_anew_into_its_own_collection(shop: Shop) -> None:
    shop.build()
    first, shop.embedder = shop.collection, CountingEmbedder(seed=1)
    assert shop.build().figures["embedded"] == 12
    fingerprints = {name: shop.index.describe(name).model_fingerprint for name in (first, shop.collection)}
    assert len(set(fingerprints.values())) == 2


def test_an_embedder_that_is_not_the_exported_model_is_refused(shop: Shop) -> None:
    validated = validated_folder(shop.root / "validated", range(3))
    exported = exported_folder(shop.root / "exported", CountingEmbedder(seed=1))
    with pytest.raises(ReleaseMismatch, match="cannot be compared"):
        build_index(validated, exported, shop.root / "index", shop.index, shop.embedder)
    assert shop.index.collections() == []


class ForgetfulIndex(MemoryIndex):
    """Loses every photo whose id ends in an odd product number, as a badly built search structure would."""

    def search(self, collection: str, queries: NDArray[np.float32], k: int, where: Where = ()) -> list[list[Hit]]:
        return [
            [hit for hit in hits if int(hit.product_id[1:]) % 2 == 0] for hits in super().search(collection, queries, k)
        ]


def test_a_collection_that_fails_its_examination_is_dropped_and_nothing_is_written(shop: Shop) -> None:
    shop.index = ForgetfulIndex()
    with pytest.raises(VectorIndexError, match="does not find photo"):
        shop.build()
    assert shop.index.collections() == []
    assert not (shop.root / "index").exists()


def test_a_build_that_fails_leaves_the_earlier_output_as_it_was(shop: Shop) -> None:
    shop.build(range(12))
    before, stored = read_seal(shop.root / "index"), shop.index
    shop.index = ForgetfulIndex()
    with pytest.raises(VectorIndexError, match="does not find photo"):
        shop.build(range(14))
    assert read_seal(shop.root / "index") == before
    assert stored.count(read_json(shop.root / "index" / "index.json")["collection"]) == 12


def test_low_recall_is_refused_with_the_figure(shop: Shop) -> None:
    shop.index = ForgetfulIndex()
    even = IndexSettings(golden=1, recall_queries=6, seed=next(s for s in range(99) if _first(s) % 2 == 0))
    with pytest.raises(VectorIndexError, match=r"finds 0\.\d\d\d of the exact ten nearest photos over 6 queries"):
        shop.build(range(20), even)


def _first(seed: int) -> int:
    return int(np.random.default_rng(seed).permutation(20)[0])


def test_recall_counts_ties_as_found_and_lost_photos_as_lost(shop: Shop) -> None:
    shop.build(range(20))
    gallery = load_gallery(shop.root / "index")
    exact = measure_recall(shop.index, shop.collection, gallery, gallery.vectors)
    assert (exact.value, exact.k, exact.n) == (1.0, 10, 20)
    doubled = Gallery(gallery.photos, gallery.vectors.copy())
    doubled.vectors[1] = gallery.vectors[0]  # the truth now ties where the index still holds another photo
    assert measure_recall(shop.index, shop.collection, doubled, gallery.vectors[:1], k=1).value == 1.0
    shop.index.delete(shop.collection, [f"p{number:03}" for number in range(10)])
    lost = measure_recall(shop.index, shop.collection, gallery, gallery.vectors[10:], k=1)
    assert lost.value == 1.0
    assert measure_recall(shop.index, shop.collection, gallery, gallery.vectors[:10], k=1).value == 0.0


def by_title(asked: bool) -> IndexSettings:
    return IndexSettings(batch=5, rows=5, recall_queries=6, titles=asked)


def designs(shop: Shop) -> dict[str, str | None]:
    """Each product's design as the collection has it."""
    ids = [f"p{number:03}" for number in range(12)]
    return {product: shop.index.photos(shop.collection, product)[0].fields[DESIGN] for product in ids}


@pytest.fixture
def colourful(shop: Shop) -> Shop:
    """Products 2 and 5 are one design in two colours, which their titles alone tell."""
    shop.titles = [{2: "Mule red", 5: "Mule blue"}.get(number, f"Boot {number}") for number in range(12)]
    return shop


@pytest.mark.parametrize("first", [True, False])
def test_a_collection_folded_by_another_setting_is_built_anew(colourful: Shop, first: bool) -> None:
    colourful.build(settings=by_title(first))
    before, embedded = designs(colourful), colourful.embedder.embedded
    assert (before["p002"] == before["p005"]) is first
    assert colourful.build(settings=by_title(not first)).figures["embedded"] == 0
    after = designs(colourful)
    assert (after["p002"] == after["p005"]) is not first
    assert colourful.embedder.embedded - embedded == 6  # the photos of its examination alone
    groups = product_groups(load_catalogue(colourful.root / "validated"), not first)
    assert after == groups[DESIGN].to_dict()


def test_a_live_collection_is_not_folded_otherwise(colourful: Shop) -> None:
    colourful.build(settings=by_title(True))
    colourful.index.point_alias("live", colourful.collection)
    before = designs(colourful)
    with pytest.raises(VectorIndexError, match=r"in use by alias live, and folds products otherwise than .*titles"):
        colourful.build(settings=by_title(False))
    assert designs(colourful) == before
    assert colourful.build(settings=by_title(True)).reused


def test_an_empty_gallery_is_refused(shop: Shop) -> None:
    with pytest.raises(ArtifactError, match="no gallery photos"):
        shop.build([])
