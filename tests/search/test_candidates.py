"""The order of answers, against a naive loop over every photo."""

from collections.abc import Callable
from itertools import islice
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.index.protocol import Hit
from lookalike.search.candidates import CandidateLimits, Search, distinct, place, ranked

SCORES = (0.9, 0.5, 0.5, 0.1)  # few, so that most photos tie
PHOTOS = st.lists(st.tuples(st.sampled_from(SCORES), st.sampled_from("abcdef")), max_size=40)
LIMITS = CandidateLimits(overfetch=2)
steadily = settings(deadline=None, derandomize=True, database=None, max_examples=60)


def hits_of(photos: list[tuple[float, str]]) -> list[Hit]:
    return [Hit(f"{product}/{row:02}", product, score, {}) for row, (score, product) in enumerate(photos)]


def index_of(*lists: list[Hit]) -> Search:
    """A search that answers each query vector with the best of its list."""
    return lambda depth: [sorted(hits, key=place)[:depth] for hits in lists]


def product(hit: Hit) -> str:
    return hit.product_id


def order(search: Search, first: int = 1, key: Callable[[Hit], str] = product, without: str | None = None) -> list[Hit]:
    return list(distinct(ranked(search, first, key, without, LIMITS), key))


@steadily
@given(PHOTOS, PHOTOS, st.integers(1, 9), st.sampled_from([None, "a"]))
def test_the_order_is_that_of_a_naive_loop(
    left: list[tuple[float, str]], right: list[tuple[float, str]], first: int, without: str | None
) -> None:
    """Two query vectors see every photo with scores of their own, as for a product of two photos."""
    lists = hits_of(left[: len(right)]), hits_of([(s, p) for (s, _), (_, p) in zip(right, left, strict=False)])
    best: dict[str, Hit] = {}
    for hit in [hit for hits in lists for hit in hits]:
        if hit.product_id != without and (
            hit.product_id not in best or (-hit.score, hit.photo_id) < place(best[product(hit)])
        ):
            best[hit.product_id] = hit
    naive = sorted(best.values(), key=lambda hit: (-hit.score, hit.photo_id))
    assert order(index_of(*lists), first, without=without) == naive


@steadily
@given(PHOTOS, st.randoms(use_true_random=False))
def test_ties_stand_alike_however_the_photos_are_stored(photos: list[tuple[float, str]], random: Random) -> None:
    hits = hits_of(photos)
    shuffled = random.sample(hits, len(hits))
    assert order(index_of(hits)) == order(index_of(shuffled))


@steadily
@given(PHOTOS, st.integers(1, 5), st.integers(0, 2**16))
def test_pages_of_an_index_that_finds_more_by_looking_deeper_neither_repeat_nor_skip(
    photos: list[tuple[float, str]], k: int, seed: int
) -> None:
    """The index misses a third of the photos, others at every depth, as a graph does."""
    hits = hits_of(photos)

    def approximate(depth: int) -> list[list[Hit]]:
        seen = [hit for row, hit in enumerate(hits) if (row * 7919 + depth * 104729 + seed) % 3]
        return [sorted(seen, key=place)[:depth]]

    whole = order(approximate, first=k)
    assert len({product(hit) for hit in whole}) == len(whole)
    lazy = (distinct(ranked(approximate, k, product, None, LIMITS), product) for _ in hits)  # one run per page
    pages = [list(islice(run, page * k, (page + 1) * k)) for page, run in enumerate(lazy)]
    assert [hit for page in pages for hit in page] == whole


def test_reading_ends_at_the_bound() -> None:
    hits = [Hit(f"a/{row:04}", "a", 0.5, {}) for row in range(300)] + [Hit("b/0", "b", 0.1, {})]
    limits = CandidateLimits(deepest=100)
    read: list[int] = []

    def counted(depth: int) -> list[list[Hit]]:
        read.append(depth)
        return index_of(hits)(depth)

    assert [hit.product_id for hit in distinct(ranked(counted, 2, product, None, limits), product)] == ["a"]
    assert read == [2, 8, 32, 100]
