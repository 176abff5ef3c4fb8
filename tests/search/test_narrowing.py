"""Predicted attributes narrow a search and let go one by one, the least certain first."""

import pytest

from lookalike.index.predicates import Missing, OneOf
from lookalike.index.protocol import Hit
from lookalike.search.answer import Narrowing, Prediction, SearchAnswer
from lookalike.search.engine import SearchEngine, SearchLimits
from lookalike.search.narrowing import NarrowingLimits, believed, narrowing, relaxations
from lookalike.search.query import search_request
from tests.search.shop import Shop, photo
from tests.search.test_engine import brute_force, vectors_of

SHOP = Shop()
SEEN = {
    "colour": Prediction("red", 0.85),
    "type": Prediction("shoe", 0.99),
    "gender": Prediction("men", 0.85),
    "usage": Prediction("casual", 0.79),
    "heel": Prediction("flat", 1.0),
}
FIELDS = ("vertical", "colour", "gender", "type", "usage")
COLOUR, GENDER, TYPE = OneOf("colour", ("red",)), OneOf("gender", ("men",)), OneOf("type", ("shoe",))


def ask(confidence: float, **values: object) -> SearchAnswer:
    limits = SearchLimits(narrowing=NarrowingLimits(confidence=confidence))
    engine = SearchEngine(SHOP.embedder, SHOP.index, SHOP.features, SHOP.release, limits)
    return engine.search(search_request({"photo": photo(2), **values}))


# ---- which predictions count


def test_sure_predictions_of_stored_fields_count_the_most_certain_first() -> None:
    assert believed(SEEN, FIELDS, (), NarrowingLimits(confidence=0.8)) == (TYPE, COLOUR, GENDER)


def test_what_the_shopper_filters_by_is_left_to_the_shopper() -> None:
    filters = (OneOf("colour", ("blue",)), Missing("gender"))
    assert believed(SEEN, FIELDS, filters, NarrowingLimits()) == (TYPE,)


def test_a_prediction_at_the_threshold_counts() -> None:
    assert OneOf("usage", ("casual",)) in believed(SEEN, FIELDS, (), NarrowingLimits(confidence=0.79))


# ---- how they are let go


def test_the_least_certain_is_let_go_first() -> None:
    steps = list(relaxations((TYPE, COLOUR, GENDER)))
    assert steps == [(TYPE, COLOUR, GENDER), (TYPE, COLOUR), (TYPE,), ()]


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ([("shoe", "red", "men")], Narrowing(("type", "colour", "gender"), ())),
        ([("shoe", "red", "men"), ("shoe", "red", "women")], Narrowing(("type", "colour"), ("gender",))),
        ([("shoe", "red", "men"), ("shoe", "blue", None)], Narrowing(("type",), ("gender", "colour"))),
        ([("shoe", "blue", "men")], Narrowing(("type",), ("gender", "colour"))),
        ([], Narrowing(("type", "colour", "gender"), ())),
    ],
)
def test_an_answer_says_what_it_was_narrowed_by_and_what_was_let_go(page: list, told: Narrowing) -> None:
    hits = [Hit("p/0", "p", 0.5, dict(zip(("type", "colour", "gender"), values, strict=True))) for values in page]
    assert narrowing((TYPE, COLOUR, GENDER), hits) == told


# ---- the whole search


def test_products_that_agree_stand_first_and_the_rest_fill_the_page() -> None:
    answer = ask(0.0, k=25, narrow=True)  # the shop knows no sizes, so that one is let go
    colour = answer.predicted["colour"].value
    agree = brute_force(vectors_of(photo(2)), {"colour": [colour]})
    others = [found for found in brute_force(vectors_of(photo(2)), {}) if found not in agree]
    assert [(hit.product_id, hit.photo_id) for hit in answer.hits] == [found[:2] for found in (agree + others)[:25]]
    assert 0 < len(agree) < 25


def test_fewer_answers_than_agree_leave_the_attribute_in_use() -> None:
    answer = ask(0.0, k=5, narrow=True, filters={"vertical": "bags"})
    assert {hit.fields["colour"] for hit in answer.hits} == {answer.predicted["colour"].value}
    surest = max(answer.predicted, key=lambda name: answer.predicted[name].confidence)
    used, relaxed = (("colour",), ("size",)) if surest == "colour" else ((), ("colour", "size"))
    assert answer.as_json()["narrowing"] == {"used": list(used), "relaxed": list(relaxed)}


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("k", [1, 10, 29, 100])
def test_a_narrowed_search_is_never_shorter_than_a_plain_one(confidence: float, k: int) -> None:
    assert len(ask(confidence, k=k, narrow=True).hits) == len(ask(confidence, k=k).hits) == min(k, 30)


@pytest.mark.parametrize("group", ["photo", "product", "design"])
def test_pages_of_a_narrowed_search_neither_repeat_nor_skip(group: str) -> None:
    values = {"narrow": True, "group": group}
    turned = [ask(0.0, k=4, **values)]
    while turned[-1].next_cursor is not None:
        turned.append(ask(0.0, k=4, **values, cursor=turned[-1].next_cursor))
    assert [hit for page in turned for hit in page.hits] == list(ask(0.0, k=100, **values).hits)


def test_without_a_sure_prediction_a_narrowed_search_is_the_plain_one() -> None:
    assert ask(1.0, narrow=True).hits == ask(1.0).hits
    assert ask(1.0, narrow=True).narrowing == Narrowing((), ())
    assert "narrowing" not in ask(1.0).as_json()


def test_narrowing_changes_scores_so_it_leaves_none_to_watch() -> None:
    seen = ask(0.0, narrow=True).observation
    assert seen is not None and seen.top1_score is None
