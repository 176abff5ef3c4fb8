"""What holds for every VectorIndex, in memory and in Milvus."""

import json
import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from lookalike.errors import VectorIndexError
from lookalike.index.filter_input import parse_where
from lookalike.index.predicates import OneOf
from lookalike.index.protocol import GalleryBatch, Hit, VectorIndex
from tests.index.shop import FIELDS, axis, gallery, info, random_gallery, unit


def ids(hits: list[Hit]) -> list[str]:
    return [hit.photo_id for hit in hits]


def test_the_nearest_photo_comes_first_and_equal_photos_come_by_id(shoes: VectorIndex) -> None:
    (hits,) = shoes.search("shoes", axis(0), 3)
    assert [(hit.photo_id, hit.product_id, hit.score) for hit in hits] == [
        ("a/0", "a", 1.0),
        ("c/0", "c", 1.0),
        ("a/1", "a", pytest.approx(0.8, abs=1e-6)),
    ]


def test_a_hit_carries_its_fields_and_unknown_ones_are_none(shoes: VectorIndex) -> None:
    assert shoes.search("shoes", axis(2), 1)[0][0].fields == {"vertical": "shoe", "colour": None}


def test_how_a_collection_is_searched_is_told_the_same_each_time_as_json(shoes: VectorIndex) -> None:
    told = dict(shoes.structure("shoes"))
    assert told == json.loads(json.dumps(told)) == dict(shoes.structure("shoes"))
    assert told
    with pytest.raises(VectorIndexError, match="boots"):
        shoes.structure("boots")


def test_ties_at_the_last_place_are_decided_by_photo_id(index: VectorIndex) -> None:
    names = [f"{i:02}/0" for i in range(40)]
    same = GalleryBatch(names[::-1], names[::-1], unit([[1, 1, 0, 0]] * 40), {field: ["x"] * 40 for field in FIELDS})
    index.create(info())
    index.upsert("shoes", same)
    index.seal("shoes")
    assert ids(index.search("shoes", axis(0), 3)[0]) == names[:3]


@pytest.mark.parametrize(
    "filters", [{}, {"colour": ["red"]}, {"colour": ["red", "blue"], "vertical": ["v1"]}, {"colour": ["mauve"]}]
)
def test_filtered_answers_equal_a_naive_loop(index: VectorIndex, filters: dict[str, list[str]]) -> None:
    stored, queries = random_gallery(60), random_gallery(5, seed=1).vectors
    index.create(info())
    index.upsert("shoes", stored)
    index.seal("shoes")
    for query, hits in zip(queries, index.search("shoes", queries, 7, parse_where(filters)), strict=True):
        kept = [row for row in range(60) if all(stored.fields[f][row] in v for f, v in filters.items())]
        scores = sorted(((float(stored.vectors[row] @ query), stored.photo_ids[row]) for row in kept), reverse=True)
        assert ids(hits) == [photo for _, photo in scores[:7]]
        assert [hit.score for hit in hits] == pytest.approx([score for score, _ in scores[:7]], abs=2e-6)


def test_more_neighbours_than_photos_gives_all_photos(shoes: VectorIndex) -> None:
    assert Counter(ids(shoes.search("shoes", axis(0), 100)[0])) == Counter(gallery().photo_ids)


def test_a_filter_value_is_text_and_never_an_expression(index: VectorIndex) -> None:
    hostile = ['" or photo_id != "', 'red"] or vertical in ["shoe', "back\\slash", "it's", "l1\nl2\tx", "日本", "%"]
    vectors = unit([[1, i, 0, 0] for i in range(len(hostile))])
    names = [f"{i}/0" for i in range(len(hostile))]
    index.create(info())
    index.upsert("shoes", GalleryBatch(names, names, vectors, {"vertical": ["shoe"] * len(hostile), "colour": hostile}))
    index.seal("shoes")
    for name, value in zip(names, hostile, strict=True):
        (hits,) = index.search("shoes", axis(0), 10, (OneOf("colour", (value,)),))
        assert [(hit.photo_id, hit.fields["colour"]) for hit in hits] == [(name, value)]


def test_storing_a_photo_again_replaces_it(shoes: VectorIndex) -> None:
    moved = GalleryBatch(["c/0"], ["c"], axis(3), {"vertical": ["shoe"], "colour": ["green"]})
    shoes.upsert("shoes", moved)
    assert shoes.count("shoes") == 5
    assert ids(shoes.search("shoes", axis(3), 1)[0]) == ["c/0"]
    assert shoes.search("shoes", axis(0), 1)[0][0].photo_id == "a/0"


def test_a_removed_product_is_gone_with_all_its_photos(shoes: VectorIndex) -> None:
    shoes.delete("shoes", ["a", "never-there"])
    assert shoes.count("shoes") == 3
    assert Counter(ids(shoes.search("shoes", axis(0), 100)[0])) == Counter(["b/0", "c/0", "d/0"])
    assert shoes.vectors("shoes", "a").shape == (0, 4)


def test_a_write_is_seen_by_every_search_that_starts_after_it_returned(shoes: VectorIndex) -> None:
    for turn in range(5):
        name = f"new-{turn}"
        shoes.upsert("shoes", GalleryBatch([name], [name], axis(3), {"vertical": ["shoe"], "colour": ["red"]}))
        assert ids(shoes.search("shoes", axis(3), 1)[0]) == [name]
        assert ids(shoes.search("shoes", axis(3), 1, (OneOf("colour", ("red",)),))[0]) == [name]
        shoes.delete("shoes", [name])
        assert name not in ids(shoes.search("shoes", axis(3), 100)[0])
        assert shoes.count("shoes") == 5


def test_storing_the_same_again_in_another_order_changes_nothing(index: VectorIndex) -> None:
    stored, queries = random_gallery(40), random_gallery(4, seed=1).vectors
    index.create(info())
    index.upsert("shoes", stored)
    index.seal("shoes")
    before = index.search("shoes", queries, 40)
    order = np.random.default_rng(2).permutation(40)
    fields = {name: [values[row] for row in order] for name, values in stored.fields.items()}
    names = [stored.photo_ids[row] for row in order], [stored.product_ids[row] for row in order]
    index.upsert("shoes", GalleryBatch(*names, stored.vectors[order], fields))
    assert index.search("shoes", queries, 40) == before
    index.seal("shoes")
    assert index.search("shoes", queries, 40) == before
    assert index.count("shoes") == 40


def test_the_vectors_of_a_product_come_back_by_photo_id(shoes: VectorIndex) -> None:
    np.testing.assert_allclose(shoes.vectors("shoes", "a"), unit([[1, 0, 0, 0], [0.8, 0.6, 0, 0]]), atol=1e-6)


def test_the_photos_of_a_product_come_back_by_photo_id_with_their_fields(shoes: VectorIndex) -> None:
    fields = {"vertical": "shoe", "colour": "blue"}
    assert shoes.photos("shoes", "a") == [("a/0", fields), ("a/1", fields)]
    assert shoes.photos("shoes", "d") == [("d/0", {"vertical": "shoe", "colour": None})]
    shoes.delete("shoes", ["d"])
    assert shoes.photos("shoes", "d") == shoes.photos("shoes", 'a" or "1') == []


def test_a_collection_knows_its_release_and_model(shoes: VectorIndex) -> None:
    assert shoes.describe("shoes") == info()
    assert shoes.collections() == ["shoes"]


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 2.0])
def test_vectors_that_are_not_finite_unit_vectors_are_refused(shoes: VectorIndex, value: float) -> None:
    bad = np.full((1, 4), value, dtype=np.float32)
    with pytest.raises(VectorIndexError, match=r"row 0 (holds a value that is not finite|has length)"):
        shoes.upsert("shoes", GalleryBatch(["x/0"], ["x"], bad, {"vertical": ["shoe"], "colour": ["red"]}))
    with pytest.raises(VectorIndexError, match=r"row 0 (holds a value that is not finite|has length)"):
        shoes.search("shoes", bad, 1)
    assert shoes.count("shoes") == 5


def test_wrong_requests_are_refused_by_name(shoes: VectorIndex) -> None:
    with pytest.raises(VectorIndexError, match=r"shape \(1, 3\).*stores \(N, 4\)"):
        shoes.search("shoes", np.eye(3, dtype=np.float32)[:1], 1)
    with pytest.raises(VectorIndexError, match="k is 0"):
        shoes.search("shoes", axis(0), 0)
    with pytest.raises(VectorIndexError, match=r"no field 'size'.*\['colour', 'vertical'\]"):
        shoes.search("shoes", axis(0), 1, (OneOf("size", ("9",)),))
    with pytest.raises(VectorIndexError, match=r"no collection 'boots'.*\['shoes'\]"):
        shoes.search("boots", axis(0), 1)
    with pytest.raises(VectorIndexError, match="'a/0' occurs twice"):
        shoes.upsert("shoes", replace(gallery(), photo_ids=["a/0"] * 5))
    with pytest.raises(VectorIndexError, match="batch has fields"):
        shoes.upsert("shoes", replace(gallery(), fields={"vertical": ["shoe"] * 5}))
    with pytest.raises(VectorIndexError, match="must be a letter"):
        shoes.create(replace(info(), name="no; drop"))


def test_an_unfinished_collection_is_replaced_and_a_finished_one_is_not(index: VectorIndex) -> None:
    index.create(info())
    index.upsert("shoes", gallery())
    with pytest.raises(VectorIndexError, match="unfinished"):
        index.search("shoes", axis(0), 1)
    index.create(info())
    assert index.count("shoes") == 0
    index.upsert("shoes", gallery())
    index.seal("shoes")
    with pytest.raises(VectorIndexError, match="finished already"):
        index.create(info())
    assert index.count("shoes") == 5


def test_an_alias_is_followed_moved_and_protects_its_collection(shoes: VectorIndex) -> None:
    assert shoes.resolve_alias("live") is None
    shoes.point_alias("live", "shoes")
    assert shoes.resolve_alias("live") == "shoes"
    assert shoes.describe("live") == info()
    assert shoes.count("live") == 5
    assert ids(shoes.search("live", axis(1), 1)[0]) == ["b/0"]
    with pytest.raises(VectorIndexError, match="in use by alias live"):
        shoes.drop("shoes")
    shoes.create(info("boots"))
    shoes.seal("boots")
    shoes.point_alias("live", "boots")
    assert shoes.search("live", axis(1), 1) == [[]]
    shoes.drop("shoes")
    assert shoes.collections() == ["boots"]


def test_readers_of_an_alias_see_the_old_or_the_new_release_and_never_a_mix(index: VectorIndex) -> None:
    for name in ("old", "new"):
        batch = random_gallery(30)
        photos = [f"{name}-{photo}" for photo in batch.photo_ids]
        index.create(info(name))
        index.upsert(name, replace(batch, photo_ids=photos))
        index.seal(name)
    index.point_alias("live", "old")
    seen: list[set[str]] = []
    done = threading.Event()

    def read() -> None:
        queries = random_gallery(8, seed=2).vectors
        while not done.is_set() or len(seen) < 20:
            answers = index.search("live", queries, 5)
            seen.append({hit.photo_id.split("-")[0] for hits in answers for hit in hits})

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(20):
        index.point_alias("live", ("new", "old")[turn % 2])
    index.point_alias("live", "new")
    done.set()
    reader.join(timeout=60)
    assert all(len(releases) == 1 for releases in seen)
    assert {hit.photo_id.split("-")[0] for hit in index.search("live", axis(0), 5)[0]} == {"new"}
