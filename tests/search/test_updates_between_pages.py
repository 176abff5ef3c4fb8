"""What a shopper sees who turns pages while the catalogue changes: the order as it is now, or a refusal."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.catalog.group_fields import DESIGN, ITEM
from lookalike.errors import QueryError
from lookalike.index.predicates import Where
from lookalike.index.protocol import Hit
from lookalike.search.candidates import CandidateLimits, place
from lookalike.search.cursor import START, Bookmark
from lookalike.search.grouping import Group, group_key
from lookalike.search.page import Query, read_page
from lookalike.search.query import search_request
from tests.search.shop import unit_query

SCORES = (0.9, 0.5, 0.5, 0.1)  # few, so that most photos tie
PHOTO = st.tuples(st.sampled_from("abcdefghij"), st.integers(0, 1), st.sampled_from(SCORES), st.sampled_from("xyz"))
CHANGE = st.one_of(PHOTO, st.sampled_from("abcdefghij"))
steadily = settings(deadline=None, derandomize=True, database=None, max_examples=100)


@dataclass
class Drawer:
    """Photos with scores of their own choosing, which may change at any time."""

    hits: dict[str, Hit] = field(default_factory=dict)

    def change(self, change: str | tuple[str, int, float, str]) -> None:
        """Store a photo, or remove a product."""
        if isinstance(change, str):
            self.hits = {name: hit for name, hit in self.hits.items() if hit.product_id != change}
            return
        product, number, score, design = change
        photo = f"{product}/{number}"
        self.hits[photo] = Hit(photo, product, score, {ITEM: f"item {ord(product) // 2}", DESIGN: design})

    def __call__(self, depth: int, where: Where) -> list[list[Hit]]:
        passing = [hit for hit in self.hits.values() if all(one.accepts(hit.fields[one.field]) for one in where)]
        return [sorted(passing, key=place)[:depth]]

    def order(self, group: Group) -> list[str]:
        """What has an answer each, best first: the long way round."""
        return list(dict.fromkeys(map(group_key(group), sorted(self.hits.values(), key=place))))


def turn(drawer: Drawer, group: Group, k: int, after: Bookmark) -> tuple[list[str], Bookmark, bool]:
    """The answers of the next page, where it ends, and whether more follow."""
    request = search_request({"photo": b"x", "k": k, "group": group})
    page = read_page(drawer, Query(unit_query(), {}), request, after, CandidateLimits(overfetch=2))
    return list(map(group_key(group), page.hits)), Bookmark(after.offset + k, page.told), bool(page.ahead)


@steadily
@given(
    st.lists(PHOTO, max_size=30),
    st.lists(st.lists(CHANGE, max_size=3), max_size=8),
    st.integers(1, 3),
    st.sampled_from(["photo", "product", "item", "design"]),
)
def test_no_answer_is_repeated_or_left_out_in_silence(
    photos: list[tuple], updates: list[list], k: int, group: Group
) -> None:
    drawer, told, bookmark = Drawer(), list[str](), START
    for photo in photos:
        drawer.change(photo)
    for update in [*updates, *[[]] * 30]:
        try:
            page, bookmark, more = turn(drawer, group, k, bookmark)
        except QueryError as refusal:
            assert "the catalogue was updated" in str(refusal)
            assert drawer.order(group)[: len(told)] != told
            return
        told += page
        assert told == drawer.order(group)[: len(told)]
        if not more:
            assert told == drawer.order(group)
            return
        for change in update:
            drawer.change(change)


def test_an_update_behind_the_boundary_is_no_reason_to_begin_again() -> None:
    drawer = Drawer()
    for change in (("a", 0, 0.9, "x"), ("b", 0, 0.8, "x"), ("c", 0, 0.7, "x"), ("d", 0, 0.6, "x")):
        drawer.change(change)
    _, bookmark, _ = turn(drawer, "product", 2, START)
    drawer.change("c")
    drawer.change(("e", 0, 0.5, "x"))
    assert turn(drawer, "product", 2, bookmark)[0] == ["d", "e"]


@pytest.mark.parametrize("change", ["a", ("e", 0, 0.95, "x"), ("b", 0, 0.95, "x")])
def test_an_update_before_the_boundary_is_told(change: str | tuple[str, int, float, str]) -> None:
    drawer = Drawer()
    for stored in (("a", 0, 0.9, "x"), ("b", 0, 0.8, "x"), ("c", 0, 0.7, "x")):
        drawer.change(stored)
    _, bookmark, _ = turn(drawer, "product", 2, START)
    drawer.change(change)
    with pytest.raises(QueryError, match="the catalogue was updated since the page before"):
        turn(drawer, "product", 2, bookmark)
