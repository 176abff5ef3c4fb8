"""Answers against brute force over every photo, with the parts in memory."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.catalog.photo_quality import photo_header
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.errors import BackendUnavailable, ImageError, QueryError, ReleaseMismatch
from lookalike.features.memory import MemoryFeatures
from lookalike.features.protocol import FeatureValue
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.index.ranking import round_scores
from lookalike.search.engine import SearchEngine, SearchLimits
from lookalike.search.query import SearchRequest
from tests.search.shop import Shop, photo, unknown

SHOP = Shop()


def engine(shop: Shop = SHOP, **parts: object) -> SearchEngine:
    given = {"embedder": shop.embedder, "index": shop.index, "features": shop.features, "release": shop.release}
    return SearchEngine(**{**given, **parts})  # type: ignore[arg-type]


def brute_force(
    queries: NDArray[np.float32], filters: Mapping[str, Sequence[str]], without: str | None = None
) -> list[tuple[str, str, float]]:
    """(product, best photo, score) of every product, best first: the long way round."""
    best: dict[str, tuple[float, str]] = {}
    for row, photo_id in enumerate(SHOP.photos):
        product = photo_id.split("/")[0]
        fields = SHOP.fields_of(product)
        if product == without or any(fields[name] not in accepted for name, accepted in filters.items()):
            continue
        score = float(round_scores(queries @ SHOP.vectors[row]).max())
        best[product] = min(best.get(product, (2.0, "")), (-score, photo_id))
    ranked = sorted((score, photo_id, product) for product, (score, photo_id) in best.items())
    return [(product, photo_id, -score) for score, photo_id, product in ranked]


def vectors_of(content: bytes) -> NDArray[np.float32]:
    return SHOP.embedder.embed(SHOP.embedder.identity.preprocessing.batch([content])).vectors


@pytest.mark.parametrize("k", [1, 3, 10, 100])
@pytest.mark.parametrize("filters", [{}, {"colour": ["red"]}, {"colour": ["red", "blue"], "vertical": ["bags"]}])
def test_an_answer_is_what_brute_force_finds(k: int, filters: dict) -> None:
    for seed in range(5):
        answer = engine().search(SearchRequest(photo=photo(seed), k=k, filters=filters))
        found = [(hit.product_id, hit.photo_id, pytest.approx(hit.score, abs=5e-6)) for hit in answer.hits]
        assert found == brute_force(vectors_of(photo(seed)), filters)[:k]


def test_every_answer_is_a_different_product_unless_photos_are_asked_for() -> None:
    grouped = engine().search(SearchRequest(photo=photo(1), k=100)).hits
    assert sorted(hit.product_id for hit in grouped) == [f"p{number:03d}" for number in range(30)]
    photos = engine().search(SearchRequest(photo=photo(1), k=100, group="photo")).hits
    assert sorted(hit.photo_id for hit in photos) == sorted(SHOP.photos)


def test_many_photos_of_one_product_do_not_push_others_off_the_page() -> None:
    """100 photos of one product stand nearest; the page still holds ten products."""
    shop = Shop()
    vector = vectors_of(photo(7))
    crowd = [f"crowd/{n}" for n in range(100)]
    batch = GalleryBatch(crowd, ["crowd"] * 100, np.repeat(vector, 100, axis=0), unknown(100))
    shop.index.upsert(shop.release.collection, batch)
    hits = engine(shop).search(SearchRequest(photo=photo(7), k=10)).hits
    assert hits[0].product_id == "crowd"
    assert [hit.product_id for hit in hits[1:]] == [found[0] for found in brute_force(vector, {})[:9]]


def test_ties_are_ordered_by_photo_id_whatever_the_order_of_storing() -> None:
    shop = Shop(products=1)
    vector, names = vectors_of(photo(3)), ["c/0", "a/1", "b/0", "a/0"]
    for name in names:
        shop.index.upsert(shop.release.collection, GalleryBatch([name], [name[0]], vector, unknown(1)))
    hits = engine(shop).search(SearchRequest(photo=photo(3))).hits
    assert [hit.photo_id for hit in hits[:3]] == ["a/0", "b/0", "c/0"]


@pytest.mark.parametrize("k", [1, 5, 29, 100])
def test_a_product_query_answers_with_what_looks_like_any_of_its_photos(k: int) -> None:
    answer = engine().search(SearchRequest(product_id="p007", k=k))
    queries = np.stack([SHOP.vectors[row] for row, name in enumerate(SHOP.photos) if name.startswith("p007/")])
    assert len(queries) == 3
    found = [(hit.product_id, hit.photo_id, pytest.approx(hit.score, abs=5e-6)) for hit in answer.hits]
    assert found == brute_force(queries, {}, without="p007")[:k]
    assert answer.predicted == {}


def test_an_unknown_product_is_the_callers_mistake() -> None:
    with pytest.raises(QueryError, match="'p999' is not in the catalogue"):
        engine().search(SearchRequest(product_id="p999"))


def test_an_unknown_filter_is_refused_before_any_work() -> None:
    with pytest.raises(QueryError, match="cannot filter by color; accepted: colour, size, vertical"):
        engine().search(SearchRequest(photo=b"not looked at", filters={"color": ["red"]}))


def test_a_filter_that_nothing_passes_gives_an_empty_answer() -> None:
    answer = engine().search(SearchRequest(photo=photo(1), filters={"colour": ["mauve"]}))
    assert answer.hits == ()


@pytest.mark.parametrize("content", [b"", b"GIF89a", photo(1)[:60], b"\xff\xd8\xff" + bytes(100), photo(1, side=8)])
def test_a_photo_that_cannot_be_decoded_gives_a_typed_error(content: bytes) -> None:
    with pytest.raises(ImageError, match="the photo is"):
        engine().search(SearchRequest(photo=content))


def test_the_answer_says_what_the_model_sees_and_which_fields_agree() -> None:
    answer = engine().search(SearchRequest(photo=photo(2), k=30))
    embedded = SHOP.embedder.embed(SHOP.embedder.identity.preprocessing.batch([photo(2)]))
    for name, labels in SHOP.embedder.identity.attribute_labels.items():
        seen = answer.predicted[name]
        assert seen.value == labels[int(embedded.attributes[name][0].argmax())]
        assert seen.confidence == pytest.approx(float(embedded.attributes[name].max()))
    colour = answer.predicted["colour"].value
    assert {hit.product_id for hit in answer.hits if hit.matched == ("colour",)} == {
        f"p{number:03d}" for number in range(30) if SHOP.fields_of(f"p{number:03d}")["colour"] == colour
    }


# ---- features


def test_features_arrive_in_one_lookup_and_missing_ones_are_marked() -> None:
    asked: list[Sequence[str]] = []

    class Counting(MemoryFeatures):
        def lookup(self, product_ids: Sequence[str], deadline_seconds: float) -> Mapping:
            asked.append(product_ids)
            return super().lookup(product_ids, deadline_seconds)

    answer = engine(features=Counting(SHOP.prices)).search(SearchRequest(photo=photo(4), k=12))
    assert asked == [[hit.product_id for hit in answer.hits]]
    for hit in answer.as_json()["hits"]:
        if int(hit["product_id"][1:]) % 2:
            assert hit["features_absent"] is True and "features" not in hit
        else:
            assert hit["features"] == {"price": 10.0 + int(hit["product_id"][1:])} and "features_absent" not in hit


def test_late_features_are_left_out_and_the_answer_stays() -> None:
    release = threading.Event()

    class Late:
        def lookup(self, product_ids: Sequence[str], deadline_seconds: float) -> dict[str, dict[str, FeatureValue]]:
            release.wait(30)
            return {product: {"price": 1.0} for product in product_ids}

    late = engine(features=Late(), limits=SearchLimits(feature_deadline_seconds=0.02))
    try:
        answers = [late.search(SearchRequest(photo=photo(5))) for _ in range(12)]  # more than the lookup threads
    finally:
        release.set()
    expected = engine().search(SearchRequest(photo=photo(5)))
    for answer in answers:
        assert [hit.product_id for hit in answer.hits] == [hit.product_id for hit in expected.hits]
        assert all(hit.features is None for hit in answer.hits)


@pytest.mark.parametrize("failure", [BackendUnavailable("Feast does not answer"), RuntimeError("a bug"), KeyError("x")])
def test_a_broken_feature_store_never_fails_an_answer(failure: Exception) -> None:
    class Broken:
        def lookup(self, product_ids: Sequence[str], deadline_seconds: float) -> dict[str, dict[str, FeatureValue]]:
            raise failure

    answer = engine(features=Broken()).search(SearchRequest(photo=photo(6)))
    assert len(answer.hits) == 10 and all(hit.features is None for hit in answer.hits)


# ---- releases


def test_parts_of_another_release_are_refused_at_once() -> None:
    other_model = MemoryEmbedder(SHOP.embedder.identity.preprocessing, 16, seed=1)
    with pytest.raises(ReleaseMismatch, match="the serving model is"):
        engine(embedder=other_model)
    with pytest.raises(ReleaseMismatch, match="belongs to model"):
        engine(release=SHOP.release.model_copy(update={"model_fingerprint": "f" * 64}))
    with pytest.raises(ReleaseMismatch, match="belongs to release"):
        engine(release=SHOP.release.model_copy(update={"release_id": "e" * 64}))


def test_a_collection_that_changes_its_release_is_refused_per_query() -> None:
    shop = Shop(products=4)
    serving = engine(shop)
    serving.search(SearchRequest(photo=photo(1)))
    info: CollectionInfo = shop.index.describe(shop.release.collection)
    shop.index.drop(info.name)
    shop.index.create(replace(info, release_id="another"))
    shop.index.seal(info.name)
    with pytest.raises(ReleaseMismatch, match="belongs to release another"):
        serving.search(SearchRequest(photo=photo(1)))


def test_a_silent_backend_is_named_as_such() -> None:
    class Silent(MemoryIndex):
        def search(self, *request: object, **more: object) -> list:
            raise BackendUnavailable("Milvus does not answer")

    silent = Silent()
    silent.__dict__ = SHOP.index.__dict__
    with pytest.raises(BackendUnavailable):
        engine(index=silent).search(SearchRequest(photo=photo(1)))


# ---- what is kept of a query


def test_an_answer_carries_what_drift_detection_keeps() -> None:
    answer = engine().search(SearchRequest(photo=photo(8, side=32), k=1))
    seen = answer.observation
    assert seen is not None
    best = brute_force(vectors_of(photo(8, side=32)), {})
    np.testing.assert_allclose(seen.vector, vectors_of(photo(8, side=32))[0], atol=1e-6)
    assert seen.top1_score == pytest.approx(best[0][2], abs=1e-6)
    assert seen.margin == pytest.approx(best[0][2] - best[1][2], abs=1e-6)  # although one answer was asked for
    assert seen.attributes == {name: value.value for name, value in answer.predicted.items()}
    assert (seen.photo_width, seen.photo_height, seen.photo_bytes) == (32, 32, len(photo(8, side=32)))
    assert seen.jpeg_quality == photo_header(photo(8, side=32)).jpeg_quality
    assert seen.sharpness is not None
    assert "observation" not in answer.as_json() and "vector" not in answer.as_json()


def test_a_filter_lowers_scores_by_itself_so_a_filtered_search_keeps_none() -> None:
    seen = engine().search(SearchRequest(photo=photo(8), filters={"colour": ["red"]})).observation
    assert seen is not None and seen.top1_score is None and seen.margin is None


def test_a_product_query_leaves_nothing_to_watch() -> None:
    assert engine().search(SearchRequest(product_id="p001")).observation is None


def test_timings_name_every_stage_and_add_up() -> None:
    ticks = iter(range(1000))
    answer = engine(clock=lambda: float(next(ticks))).search(SearchRequest(photo=photo(1)))
    assert list(answer.timings_ms) == ["release", "decode", "embed", "search", "features", "total"]
    stages = [spent for stage, spent in answer.timings_ms.items() if stage != "total"]
    assert stages == [1000.0] * 5 and answer.timings_ms["total"] == 11000.0
