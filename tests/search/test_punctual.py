"""Features in time or not at all, whatever the store does."""

import threading
from collections.abc import Sequence

import pytest

from lookalike.errors import BackendUnavailable
from lookalike.features.protocol import Features
from lookalike.search.breaker import Breaker, BreakerSettings
from lookalike.search.punctual import PunctualFeatures
from tests.clocks import HandClock

PRICES: Features = {"a": {"price": 1.0}, "b": {"price": 2.0}}


class Store:
    """Answers from PRICES, fails, or hangs until it is let go; counts what it is asked."""

    def __init__(self) -> None:
        self.hanging = False
        self.failing = False
        self.asked = 0
        self.let_go = threading.Event()

    def lookup(self, product_ids: Sequence[str], deadline_seconds: float) -> Features:
        self.asked += 1
        if self.hanging:
            self.let_go.wait(30)
        if self.failing:
            raise BackendUnavailable("redis.internal does not answer")
        return {product: PRICES[product] for product in product_ids if product in PRICES}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def punctual(store: Store, clock: HandClock, failures: int = 3, threads: int = 8) -> PunctualFeatures:
    return PunctualFeatures(store, 0.02, Breaker(BreakerSettings(failures=failures, open_seconds=1.0), clock), threads)


def test_a_failing_store_is_asked_so_often_then_left_alone_then_tried_once(clock: HandClock) -> None:
    store = Store()
    store.failing, features = True, punctual(store, clock)
    assert [features.features(["a"]) for _ in range(10)] == [{}] * 10
    assert (store.asked, features.guard.breaker.state) == (3, "open")
    clock.pass_seconds(1.0)
    assert (features.features(["a"]), features.features(["a"]), store.asked) == ({}, {}, 4)
    store.failing = False
    clock.pass_seconds(1.0)
    assert features.features(["a", "unknown"]) == {"a": {"price": 1.0}}
    assert features.guard.breaker.state == "closed"


def test_a_hanging_store_keeps_its_threads_and_no_more(clock: HandClock) -> None:
    store = Store()
    store.hanging, features = True, punctual(store, clock, failures=100, threads=2)
    try:
        assert [features.features(["a"]) for _ in range(20)] == [{}] * 20
        assert store.asked == 2
    finally:
        store.hanging = False
        store.let_go.set()
    waiting = threading.Event()
    for _ in range(1000):  # the threads come back by themselves
        if features.features(["b"]):
            break
        waiting.wait(0.01)
    assert features.features(["b"]) == {"b": {"price": 2.0}}
