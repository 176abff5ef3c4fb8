"""A release's engine that searches in other processes."""

from collections.abc import Callable
from typing import cast

from lookalike.deadline import Deadline
from lookalike.release.manifest import Release
from lookalike.search.answer import SearchAnswer
from lookalike.search.product import ProductAnswer
from lookalike.search.query import SearchRequest
from serving.processes.calls import Answer, SearchCall, Told, Verb


class RemoteEngine:
    """Asks what a SearchEngine answers, and raises what it raises."""

    def __init__(
        self,
        release: Release,
        number: int,
        ask: Callable[[SearchCall], Told],
        degraded: Callable[[], tuple[str, ...]],
        trace: Callable[[], dict[str, str]],
    ) -> None:
        """`number` is what the processes know the engine by."""
        self.release = release
        self._number = number
        self._ask = ask
        self._degraded = degraded
        self._trace = trace

    def search(self, request: SearchRequest) -> SearchAnswer:
        return cast(SearchAnswer, self._answer("search", request))

    def product(self, product_id: str) -> ProductAnswer:
        return cast(ProductAnswer, self._answer("product", product_id))

    def holds(self, photo_id: str) -> bool:
        return cast(bool, self._answer("holds", photo_id))

    def degraded(self) -> tuple[str, ...]:
        return self._degraded()

    def _answer(self, verb: Verb, asked: SearchRequest | str) -> Answer | None:
        deadline = Deadline.current()
        deadline.check("a search process was asked")
        told = self._ask(SearchCall(self._number, verb, asked, deadline.remaining(), self._trace()))
        if told.error is not None:
            raise told.error
        return told.answer
