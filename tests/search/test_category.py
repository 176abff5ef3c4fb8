"""Category fusion in a search: what it tells, moves and never hides."""

from collections.abc import Iterator

import pytest

from lookalike.errors import QueryError
from lookalike.fusion import NEIGHBOURS, Fusion, judge_category
from lookalike.search.answer import SearchAnswer
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from tests.search.shop import VERTICALS, Shop, photo


def fusion_of(shop: Shop, **changed: object) -> Fusion:
    values = {
        "model_fingerprint": shop.release.model_fingerprint,
        "verticals": tuple(sorted(VERTICALS)),
        "attribute": "colour",
        "by_value": {"red": (0.9, 0.1), "green": (0.2, 0.8), "blue": (0.5, 0.5)},
        "sharpness": 2.0,
        "head_weight": 0.5,
        "sure": 0.0,
        "boost": 0.5,
    }
    return Fusion(**{**values, **changed})


def engine_of(shop: Shop, fusion: Fusion | None) -> SearchEngine:
    return SearchEngine(shop.embedder, shop.index, shop.features, shop.release, fusion=fusion)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    yield Shop(products=60)


def ask(shop: Shop, fusion: Fusion | None, **asked: object) -> SearchAnswer:
    return engine_of(shop, fusion).search(SearchRequest(**{"photo": photo(7), "k": 60, **asked}))


def products(answer: SearchAnswer) -> list[str]:
    return [hit.product_id for hit in answer.hits]


def verticals(answer: SearchAnswer) -> list[str | None]:
    return [hit.fields["vertical"] for hit in answer.hits]


def test_the_answer_tells_what_head_and_neighbours_say(shop: Shop) -> None:
    fusion = fusion_of(shop, boost=0.0)
    answer = ask(shop, fusion, category="boost")
    identity = shop.embedder.identity
    embedded = shop.embedder.embed(identity.preprocessing.batch([photo(7)]))
    nearest = shop.index.search(shop.release.collection, embedded.vectors, NEIGHBOURS)[0]
    neighbours = [(hit.score, hit.fields["vertical"]) for hit in nearest]
    expected = judge_category(fusion, embedded.attributes["colour"][0], identity.attribute_labels["colour"], neighbours)
    assert answer.category is not None and answer.category.category == expected
    told = answer.as_json()["category"]
    assert told["value"] == expected.fused.value and told["used"] == "nothing"
    assert {"head", "votes"} <= set(told)
    assert told["choices"] == sorted(VERTICALS)


def test_off_asks_nothing_and_tells_nothing(shop: Shop) -> None:
    plain = ask(shop, None)
    assert plain.category is None and "category" not in plain.as_json() and "category" not in plain.timings_ms
    assert products(plain) == products(ask(shop, fusion_of(shop)))


def test_narrowing_puts_the_vertical_first_and_hides_nothing(shop: Shop) -> None:
    plain, narrowed = ask(shop, None), ask(shop, fusion_of(shop), category="narrow")
    assert narrowed.category is not None and narrowed.category.used == "narrowed"
    sure = narrowed.category.category.fused.value
    first = [hit.product_id for hit in plain.hits if hit.fields["vertical"] == sure]
    rest = [hit.product_id for hit in plain.hits if hit.fields["vertical"] != sure]
    assert products(narrowed) == first + rest


def test_an_unsure_photo_is_not_narrowed(shop: Shop) -> None:
    answer = ask(shop, fusion_of(shop, sure=1.0), category="narrow")
    assert answer.category is not None and answer.category.used == "nothing"
    assert products(answer) == products(ask(shop, None))


def test_a_boost_orders_by_score_and_gain_and_hides_nothing(shop: Shop) -> None:
    fusion = fusion_of(shop)
    boosted, plain = ask(shop, fusion, category="boost"), ask(shop, None)
    assert boosted.category is not None and boosted.category.used == "boosted"
    shares = boosted.category.category.probabilities
    keys = [hit.score + fusion.boost * shares[str(hit.fields["vertical"])] for hit in boosted.hits]
    assert keys == sorted(keys, reverse=True)
    assert set(products(boosted)) == set(products(plain)) and products(boosted) != products(plain)


@pytest.mark.parametrize("use", ["auto", "boost", "narrow"])
def test_pages_of_such_a_search_neither_repeat_nor_skip(shop: Shop, use: str) -> None:
    engine, whole = engine_of(shop, fusion_of(shop)), products(ask(shop, fusion_of(shop), category=use))
    told: list[str] = []
    cursor = None
    while True:
        answer = engine.search(SearchRequest(photo=photo(7), k=7, category=use, cursor=cursor))
        told += products(answer)
        cursor = answer.next_cursor
        if cursor is None:
            break
    assert told == whole


def test_the_shoppers_own_vertical_is_believed(shop: Shop) -> None:
    for vertical in VERTICALS:
        assert set(verticals(ask(shop, fusion_of(shop), vertical=vertical))) == {vertical}


def test_a_filter_on_the_vertical_stands_above_what_is_told(shop: Shop) -> None:
    fusion = fusion_of(shop)
    told = ask(shop, fusion, category="narrow").category
    assert told is not None
    other = next(name for name in VERTICALS if name != told.category.fused.value)
    assert set(verticals(ask(shop, fusion, category="narrow", filters={"vertical": [other]}))) == {other}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"vertical": "hats"}, "accepted: bags, shoes"),
        ({"category": "boost", "vertical": "bags"}, "send one of them"),
        ({"category": "boost", "photo": None, "product_id": "p000"}, "category goes by a photo"),
    ],
)
def test_what_cannot_be_told_is_refused(shop: Shop, asked: dict[str, object], sentence: str) -> None:
    with pytest.raises((QueryError, ValueError), match=sentence):
        ask(shop, fusion_of(shop), **asked)


def test_auto_is_a_boost_where_verticals_can_be_told_and_a_plain_search_where_not(shop: Shop) -> None:
    fusion = fusion_of(shop)
    assert products(ask(shop, fusion, category="auto")) == products(ask(shop, fusion, category="boost"))
    plain, auto = ask(shop, None), ask(shop, None, category="auto")
    assert (products(auto), auto.category, auto.next_cursor is None) == (
        products(plain),
        None,
        plain.next_cursor is None,
    )


def test_a_release_without_fusion_says_so(shop: Shop) -> None:
    with pytest.raises(QueryError, match="evaluated without category fusion"):
        ask(shop, None, category="narrow")
