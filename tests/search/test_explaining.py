"""Every answer can say why it stands where it does, and its reasons are the order's own."""

from itertools import pairwise

import pytest

from lookalike.catalog.colours import colour_histogram, intersection
from lookalike.fusion import Fusion
from lookalike.index.ranking import round_scores
from lookalike.search.answer import SearchAnswer
from lookalike.search.engine import SearchEngine, SearchLimits
from lookalike.search.narrowing import NarrowingLimits
from lookalike.search.query import search_request
from lookalike.search.why import Compared, Why
from tests.search.shop import VERTICALS, Shop, photo

SHOP = Shop()
FUSION = Fusion(
    model_fingerprint=SHOP.release.model_fingerprint,
    verticals=VERTICALS,
    attribute=None,
    by_value={},
    sharpness=5.0,
    head_weight=0.0,
    sure=1.0,
    boost=0.3,
)


def ask(**values: object) -> SearchAnswer:
    limits = SearchLimits(narrowing=NarrowingLimits(confidence=0.0))
    engine = SearchEngine(SHOP.embedder, SHOP.index, SHOP.features, SHOP.release, limits, fusion=FUSION)
    return engine.search(search_request({"photo": photo(2), **values}))


def reasons(answer: SearchAnswer) -> list[Why]:
    return [hit.why for hit in answer.hits if hit.why is not None]


def test_only_who_asks_is_told_and_the_answer_is_the_same() -> None:
    plain, explained = ask(k=5).as_json(), ask(k=5, explain=True).as_json()
    assert not any("why" in hit for hit in plain["hits"])
    assert [{name: hit[name] for name in hit if name != "why"} for hit in explained["hits"]] == plain["hits"]


def test_ranks_go_on_over_pages_and_whoever_begins_without_reasons_may_ask_for_them_later() -> None:
    first = ask(k=4)
    second = ask(k=4, explain=True, cursor=first.next_cursor)
    assert [why.rank for why in reasons(second)] == [5, 6, 7, 8]


def test_appearance_is_the_score_and_alone_orders_a_plain_search() -> None:
    answer = ask(k=8, explain=True)
    assert [why.appearance for why in reasons(answer)] == [hit.score for hit in answer.hits]
    assert [why.together for why in reasons(answer)] == [hit.score for hit in answer.hits]
    assert {(why.colour, why.category_gain, why.met) for why in reasons(answer)} == {(None, None, None)}


@pytest.mark.parametrize(
    "asked", [{"colour_weight": 0.4}, {"category": "boost"}, {"colour_weight": 0.2, "category": "boost"}]
)
def test_what_was_weighed_together_is_what_the_order_follows(asked: dict) -> None:
    answer = ask(k=20, explain=True, **asked)
    together = round_scores([why.together for why in reasons(answer)])
    assert all(before >= after for before, after in pairwise(together.tolist()))
    assert [why.colour is not None for why in reasons(answer)] == ["colour_weight" in asked] * 20
    gains = {hit.fields["vertical"]: hit.why.category_gain for hit in answer.hits if hit.why}
    assert sum(gain or 0 for gain in gains.values()) == pytest.approx(0.3 if "category" in asked else 0)


def test_the_colours_in_common_are_those_of_the_two_photos() -> None:
    answer = ask(k=3, explain=True, colour_weight=1.0, group="photo")
    seen = SHOP.embedder.identity.preprocessing.pixels(photo(2))
    shares = dict(zip(SHOP.photos, intersection(colour_histogram(seen), SHOP.histograms), strict=True))
    for hit, why in zip(answer.hits, reasons(answer), strict=True):
        assert why.colour == pytest.approx(shares[hit.photo_id], abs=1e-3)  # stored in 8 bits a colour


def test_attributes_agree_differ_or_are_unknown() -> None:
    answer = ask(k=10, explain=True)
    for hit, why in zip(answer.hits, reasons(answer), strict=True):
        assert tuple(one.attribute for one in why.agrees) == hit.matched
        told = {one.attribute: (one.seen, one.confidence, one.stored) for one in (*why.agrees, *why.differs)}
        colour = answer.predicted["colour"]
        assert told == {"colour": (colour.value, colour.confidence, hit.fields["colour"])}  # sizes are not stored


def test_a_narrowed_search_says_how_far_an_answer_meets_it() -> None:
    answer = ask(k=30, explain=True, narrow=True)
    assert answer.narrowing is not None
    asked = (*answer.narrowing.used, *reversed(answer.narrowing.relaxed))
    met = [why.met or () for why in reasons(answer)]
    assert [len(names) for names in met] == sorted((len(names) for names in met), reverse=True)
    for hit, names in zip(answer.hits, met, strict=True):
        assert names == asked[: len(names)]
        assert set(names) <= set(hit.matched)
        assert len(names) == len(asked) or asked[len(names)] not in hit.matched


def test_a_product_is_explained_by_its_appearance() -> None:
    engine = SearchEngine(SHOP.embedder, SHOP.index, SHOP.features, SHOP.release)
    why = reasons(engine.search(search_request({"product_id": "p003", "explain": True})))[0]
    assert (why.agrees, why.differs, why.colour) == ((), (), None)
    assert why.sentence == f"Its look agrees to {why.appearance:.0%}."


def test_the_sentence_says_it_all_in_words() -> None:
    same, other = Compared("colour", "red", 0.9, "red"), Compared("size", "small", 0.6, "large")
    why = Why(2, 0.874, 0.5, 0.12, 0.9, (same,), (other,), ("colour",))
    assert why.sentence == (
        "Its look agrees to 87%; its colours to 50%; same colour (red); other size (large, not small); "
        "stands before those that differ in colour; its vertical moves it up by 0.12."
    )
