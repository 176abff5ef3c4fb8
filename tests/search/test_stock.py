"""What is out of stock: shown, shown last, or left out; on stable pages, and never because nothing was known."""

from collections.abc import Sequence

import pytest

from lookalike.errors import BackendUnavailable, QueryError
from lookalike.features.protocol import Features
from lookalike.search.answer import SearchAnswer
from lookalike.search.engine import SearchEngine, SearchLimits
from lookalike.search.query import SearchRequest, search_request
from lookalike.search.stock import StockLimits, in_stock
from tests.search.shop import Shop, photo

SHOP = Shop()
PRODUCTS = [f"p{n:03d}" for n in range(SHOP.products)]


class Store:
    """Units of every product; p00x with an odd x are sold out. Counts its lookups."""

    def __init__(self) -> None:
        self.units: dict[str, int] = {product: 1 - n % 2 for n, product in enumerate(PRODUCTS)}
        self.failing = False
        self.asked: list[list[str]] = []

    def lookup(self, product_ids: Sequence[str], deadline_seconds: float) -> Features:
        self.asked.append(list(product_ids))
        if self.failing:
            raise BackendUnavailable("the store is down")
        return {product: {"stock": self.units[product]} for product in product_ids if product in self.units}


@pytest.fixture
def store() -> Store:
    return Store()


def engine(store: Store, **limits: object) -> SearchEngine:
    stock = StockLimits(**limits)  # type: ignore[arg-type]
    return SearchEngine(SHOP.embedder, SHOP.index, store, SHOP.release, SearchLimits(stock=stock))


def products(answer: SearchAnswer) -> list[str]:
    return [hit.product_id for hit in answer.hits]


def pages(searched: SearchEngine, **asked: object) -> list[SearchAnswer]:
    answers = [searched.search(SearchRequest(photo=photo(3), **asked))]  # type: ignore[arg-type]
    while answers[-1].next_cursor is not None:
        answers.append(searched.search(SearchRequest(photo=photo(3), cursor=answers[-1].next_cursor, **asked)))  # type: ignore[arg-type]
    return answers


def everything(store: Store) -> list[str]:
    return products(engine(store).search(SearchRequest(photo=photo(3), k=100)))


def sold_out(product: str) -> bool:
    return int(product[1:]) % 2 == 1


def test_units_truth_values_and_the_unknown_are_told_apart() -> None:
    known = {"units": 3, "none": 0, "yes": True, "no": False, "text": "plenty"}
    assert [in_stock(known, name) for name in known] == [True, False, True, False, None]
    assert in_stock(None, "units") is in_stock(known, "missing") is None


def test_first_puts_what_is_sold_out_last_on_its_page_and_changes_nothing_else(store: Store) -> None:
    plain, first = pages(engine(store), k=7), pages(engine(store), k=7, stock="first")
    assert len(plain) == len(first) > 2
    for before, after in zip(plain, first, strict=True):
        assert products(after) == sorted(products(before), key=sold_out)  # a stable order
        assert after.stock is not None and after.stock.as_json() == {"asked": "first", "unknown": 0, "left_out": 0}
        assert before.stock is None and "stock" not in before.as_json()


def test_only_fills_its_pages_with_what_is_there_in_the_order_of_all(store: Store) -> None:
    answers = pages(engine(store), k=4, stock="only")
    expected = [product for product in everything(store) if not sold_out(product)]
    assert [product for answer in answers for product in products(answer)] == expected
    assert [len(answer.hits) for answer in answers[:-1]] == [4] * (len(answers) - 1)
    assert sum(answer.stock.left_out for answer in answers if answer.stock) == SHOP.products - len(expected)
    assert all(hit.features == {"stock": 1} for answer in answers for hit in answer.hits)


def test_stock_that_changes_between_pages_repeats_and_skips_no_answer(store: Store) -> None:
    searched = engine(store)
    order = everything(store)
    first = searched.search(SearchRequest(photo=photo(3), k=4, stock="only"))
    shown = products(first)
    store.units = {product: 1 - units for product, units in store.units.items()}  # all the other way round
    second = searched.search(SearchRequest(photo=photo(3), k=4, stock="only", cursor=first.next_cursor))
    rest = order[order.index(shown[-1]) + 1 :]
    assert products(second) == [product for product in rest if sold_out(product)][:4]


def test_one_lookup_serves_a_page_of_any_and_a_batch_of_only(store: Store) -> None:
    searched = engine(store)
    searched.search(SearchRequest(photo=photo(3), k=10))
    assert len(store.asked) == 1
    store.asked.clear()
    searched.search(SearchRequest(photo=photo(3), k=5, stock="only"))
    together = [product for asked in store.asked for product in asked]
    assert [len(asked) for asked in store.asked] == [10] * len(store.asked)  # half of them are there
    assert together == everything(Store())[: len(together)] and len(store.asked) <= 2


def test_a_page_ends_where_too_many_were_sold_out_and_the_next_goes_on(store: Store) -> None:
    store.units = dict.fromkeys(PRODUCTS, 0) | {everything(store)[-1]: 5}
    answers = pages(engine(store, most_products=8), k=4, stock="only")
    assert [product for answer in answers for product in products(answer)] == everything(store)[-1:]
    assert all(answer.stock is not None and answer.stock.left_out <= 8 for answer in answers)


@pytest.mark.parametrize("use", ["first", "only"])
def test_where_nothing_is_known_everything_is_shown_and_the_answer_says_so(store: Store, use: str) -> None:
    expected = everything(store)[:6]
    store.failing = True
    answer = engine(store).search(search_request({"photo": photo(3), "k": 6, "stock": use}))
    assert products(answer) == expected
    assert answer.as_json()["stock"] == {"asked": use, "unknown": 6, "left_out": 0}
    assert all(hit.features is None for hit in answer.hits)


def test_an_unknown_handling_is_refused_with_those_that_are_accepted() -> None:
    with pytest.raises(QueryError, match=r"stock is 'some'.*'any', 'first' or 'only'"):
        search_request({"photo": photo(3), "stock": "some"})
