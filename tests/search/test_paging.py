"""Pages, folds and variants of a whole search, against the long way round."""

from itertools import islice

import pytest

from lookalike.catalog.group_fields import DESIGN, ITEM
from lookalike.errors import QueryError
from lookalike.search.answer import SearchAnswer, SearchHit
from lookalike.search.candidates import CandidateLimits
from lookalike.search.engine import SearchEngine, SearchLimits
from lookalike.search.grouping import check_group
from lookalike.search.query import SearchRequest, search_request
from tests.search.shop import Shop, photo
from tests.search.test_engine import brute_force, vectors_of

SHOP = Shop()
OTHER = Shop(catalogue="catalogue-b")
FOLDS = ("photo", "product", "item", "design")


def engine(shop: Shop = SHOP, variants: int = 5) -> SearchEngine:
    limits = SearchLimits(candidates=CandidateLimits(variants=variants))
    return SearchEngine(shop.embedder, shop.index, shop.features, shop.release, limits)


def pages(values: dict[str, object]) -> list[SearchAnswer]:
    """Every page of a query, each asked for with the cursor of the one before."""
    answers = [engine().search(search_request(values))]
    while answers[-1].next_cursor is not None:
        answers.append(engine().search(search_request({**values, "cursor": answers[-1].next_cursor})))
    return answers


def shown(hits: tuple[SearchHit, ...]) -> list[tuple[str, str, float]]:
    return [(hit.product_id, hit.photo_id, hit.score) for hit in hits]


@pytest.mark.parametrize("group", FOLDS)
@pytest.mark.parametrize("asked", [{"photo": photo(3)}, {"product_id": "p007"}])
@pytest.mark.parametrize("k", [1, 4, 7])
def test_all_pages_together_are_the_one_long_answer(group: str, asked: dict[str, object], k: int) -> None:
    values = {**asked, "group": group, "filters": {"colour": ["red", "blue"]}}
    whole = engine().search(search_request({**values, "k": 100}))
    assert whole.next_cursor is None
    turned = pages({**values, "k": k})
    assert [hit for answer in turned for hit in shown(answer.hits)] == shown(whole.hits)
    assert all(len(answer.hits) == k for answer in turned[:-1])


@pytest.mark.parametrize(("group", "field"), [("item", ITEM), ("design", DESIGN)])
@pytest.mark.parametrize("filters", [{}, {"vertical": "bags"}])
def test_a_fold_answers_with_its_best_product_and_names_the_others(group: str, field: str, filters: dict) -> None:
    answer = engine().search(search_request({"photo": photo(5), "k": 100, "group": group, "filters": filters}))
    folds: dict[str, list[tuple[str, str, float]]] = {}
    for found in brute_force(vectors_of(photo(5)), {name: [value] for name, value in filters.items()}):
        folds.setdefault(SHOP.groups_of(found[0])[field], []).append(found)
    assert [(hit.product_id, hit.photo_id) for hit in answer.hits] == [found[0][:2] for found in folds.values()]
    assert [hit.variants for hit in answer.hits] == [
        tuple(product for product, _, _ in islice(found, 1, 6)) for found in folds.values()
    ]
    assert [hit["variants"] for hit in answer.as_json()["hits"]] == [list(hit.variants or ()) for hit in answer.hits]


def test_names_of_groups_stay_inside_and_products_have_no_variants() -> None:
    hit = engine().search(SearchRequest(photo=photo(5))).as_json()["hits"][0]
    assert set(hit["fields"]) == {"vertical", "colour", "size"} and "variants" not in hit
    with pytest.raises(QueryError, match="cannot filter by design_group; accepted: colour, size, vertical"):
        engine().search(search_request({"photo": photo(5), "filters": {DESIGN: "design 1"}}))


def test_a_product_asked_about_is_no_answer_and_no_variant() -> None:
    answer = engine(variants=50).search(SearchRequest(product_id="p007", k=100, group="design"))
    named = {hit.product_id for hit in answer.hits} | {other for hit in answer.hits for other in hit.variants or ()}
    assert named == {f"p{number:03d}" for number in range(30)} - {"p007"}


def test_fewer_variants_are_named_where_fewer_are_wanted() -> None:
    full = engine().search(SearchRequest(photo=photo(5), group="design")).hits
    assert [hit.variants for hit in engine(variants=2).search(SearchRequest(photo=photo(5), group="design")).hits] == [
        (hit.variants or ())[:2] for hit in full
    ]


# ---- cursors


def cursor(**values: object) -> str:
    given = engine().search(search_request({"photo": photo(1), "k": 4, **values})).next_cursor
    assert given is not None
    return given


def test_a_page_of_an_old_release_is_refused() -> None:
    with pytest.raises(QueryError, match=r"the cursor belongs to release \w{12}, the release in service is \w{12}"):
        engine(OTHER).search(SearchRequest(photo=photo(1), k=4, cursor=cursor()))


@pytest.mark.parametrize(
    "changed", [{"photo": photo(2)}, {"k": 5}, {"group": "design"}, {"filters": {"colour": "red"}}]
)
def test_a_page_of_another_query_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(QueryError, match="the cursor belongs to another query"):
        engine().search(search_request({"photo": photo(1), "k": 4, "cursor": cursor(), **changed}))


def test_a_page_after_an_update_says_that_its_place_is_gone() -> None:
    shop = Shop()
    first = engine(shop).search(SearchRequest(photo=photo(1), k=4))
    going_on = SearchRequest(photo=photo(1), k=4, cursor=first.next_cursor)
    engine(shop).search(going_on)
    shop.index.delete(shop.release.collection, [first.hits[0].product_id])
    with pytest.raises(QueryError, match="the catalogue was updated since the page before, and answers it gave"):
        engine(shop).search(going_on)


@pytest.mark.parametrize("text", ["", "nonsense", "WzFd", "W10=", "bnVsbA==", "é", cursor()[:-8]])
def test_a_cursor_of_nobodys_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="the next_cursor of an earlier answer is accepted"):
        engine().search(search_request({"photo": photo(1), "k": 4, "cursor": text}))


def test_a_collection_without_groups_says_so() -> None:
    with pytest.raises(QueryError, match="this collection stores no design_group; index the catalogue again"):
        check_group("design", ("vertical", "colour"))


def test_a_later_page_is_no_new_query_to_watch() -> None:
    later = engine().search(SearchRequest(photo=photo(1), k=4, cursor=cursor()))
    assert later.hits and later.observation is None


def test_scores_of_folds_are_not_compared_with_those_of_products() -> None:
    seen = engine().search(SearchRequest(photo=photo(1), group="design")).observation
    assert seen is not None and seen.top1_score is None and seen.margin is None
