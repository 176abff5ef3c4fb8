"""A search that weighs colours: the nearest photos in another order, page after page."""

from dataclasses import replace

import numpy as np
import pytest

from lookalike.catalog.colours import colour_histogram
from lookalike.catalog.group_fields import COLOURS
from lookalike.errors import QueryError
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo
from lookalike.index.ranking import round_scores
from lookalike.search.answer import SearchAnswer
from lookalike.search.candidates import CandidateLimits
from lookalike.search.engine import SearchEngine, SearchLimits
from lookalike.search.query import search_request
from tests.search.shop import Shop, photo
from tests.search.test_engine import vectors_of

SHOP = Shop()
EVERYTHING = len(SHOP.photos)


def ask(shortlist: int = EVERYTHING, **values: object) -> SearchAnswer:
    limits = SearchLimits(candidates=CandidateLimits(shortlist=shortlist))
    engine = SearchEngine(SHOP.embedder, SHOP.index, SHOP.features, SHOP.release, limits)
    return engine.search(search_request({"photo": photo(2), **values}))


def brute_force(content: bytes, weight: float) -> list[str]:
    """Photo ids by cosine and shared colours together: the long way round."""
    pixels = SHOP.embedder.identity.preprocessing.pixels(content)
    cosines = round_scores(SHOP.vectors @ vectors_of(content)[0])
    shared = np.minimum(colour_histogram(pixels), np.rint(SHOP.histograms * 255) / 255).sum(axis=1)
    weighted = (1 - weight) * cosines + weight * shared
    return [photo_id for _, photo_id in sorted(zip(-weighted.round(5), SHOP.photos, strict=True))]


@pytest.mark.parametrize("weight", [0.25, 1.0])
def test_the_order_is_that_of_a_naive_loop(weight: float) -> None:
    for seed in range(5):
        found = ask(photo=photo(seed), group="photo", k=100, colour_weight=weight).hits
        assert [hit.photo_id for hit in found] == brute_force(photo(seed), weight)


def test_scores_stay_cosines() -> None:
    plain = {hit.photo_id: hit.score for hit in ask(group="photo", k=100).hits}
    weighted = ask(group="photo", k=100, colour_weight=0.5).hits
    assert {hit.photo_id: hit.score for hit in weighted} == plain


def test_without_weight_the_search_is_the_plain_one() -> None:
    assert ask(colour_weight=0).hits == ask().hits
    assert ask(colour_weight=0.0).observation == ask().observation


def test_what_is_farther_off_than_the_shortlist_follows_as_it_is() -> None:
    plain = [hit.photo_id for hit in ask(group="photo", k=100).hits]
    weighted = [hit.photo_id for hit in ask(shortlist=20, group="photo", k=100, colour_weight=0.9).hits]
    nearest = set(plain[:20])
    assert weighted == [name for name in brute_force(photo(2), 0.9) if name in nearest] + plain[20:]


@pytest.mark.parametrize("group", ["photo", "product", "design"])
@pytest.mark.parametrize("narrow", [False, True])
def test_pages_together_are_the_one_long_answer(group: str, narrow: bool) -> None:
    values = {"group": group, "narrow": narrow, "colour_weight": 0.4, "shortlist": 20}
    whole = ask(**values, k=100)
    pages = [ask(**values, k=4)]
    while pages[-1].next_cursor is not None:
        pages.append(ask(**values, k=4, cursor=pages[-1].next_cursor))
    shown = [(hit.photo_id, hit.score) for page in pages for hit in page.hits]
    assert shown == [(hit.photo_id, hit.score) for hit in whole.hits]


def test_a_page_with_another_weight_is_another_query() -> None:
    cursor = ask(k=4, colour_weight=0.4).next_cursor
    with pytest.raises(QueryError, match="the cursor belongs to another query"):
        ask(k=4, colour_weight=0.5, cursor=cursor)


def test_a_release_without_colours_says_so() -> None:
    info = SHOP.index.describe(SHOP.release.collection)
    older, index = replace(info, fields=tuple(name for name in info.fields if name != COLOURS)), MemoryIndex()
    _store_nothing(index, older)
    engine = SearchEngine(SHOP.embedder, index, SHOP.features, SHOP.release)
    assert engine.search(search_request({"photo": photo(2)})).hits == ()
    with pytest.raises(QueryError, match=r"colour_weight is 0\.3, but this collection stores no colour_histogram"):
        engine.search(search_request({"photo": photo(2), "colour_weight": 0.3}))


def test_colours_change_the_order_so_they_leave_no_scores_to_watch() -> None:
    seen = ask(colour_weight=0.3).observation
    assert seen is not None and seen.top1_score is None


def test_histograms_are_no_part_of_an_answer_and_no_filter() -> None:
    assert all(COLOURS not in hit["fields"] for hit in ask(colour_weight=0.3).as_json()["hits"])
    with pytest.raises(QueryError, match="cannot filter by colour_histogram"):
        ask(filters={COLOURS: "AAAA"})


def _store_nothing(index: MemoryIndex, info: CollectionInfo) -> None:
    index.create(info)
    index.seal(info.name)
