"""Batches made ahead come in order, once each, and an error reaches whoever waits for the batch."""

import threading

import pytest

from lookalike.training.prefetch import prefetch


class Squares:
    def __init__(self, count: int, broken: int | None = None) -> None:
        self._count, self._broken = count, broken
        self.made: list[int] = []

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> int:
        if number == self._broken:
            raise ValueError(f"item {number} is broken")
        self.made.append(number)
        return number**2


@pytest.mark.parametrize("count", [0, 1, 3, 20])
def test_items_come_in_order_and_are_made_once(count: int) -> None:
    squares = Squares(count)
    assert list(prefetch(squares)) == [number**2 for number in range(count)]
    assert squares.made == list(range(count))


def test_an_error_comes_up_where_the_item_is_asked_for() -> None:
    items = prefetch(Squares(9, broken=4))
    assert [next(items) for _ in range(4)] == [0, 1, 4, 9]
    with pytest.raises(ValueError, match="item 4 is broken"):
        next(items)


def test_no_thread_is_left_when_the_reader_stops_early() -> None:
    items = prefetch(Squares(1000))
    next(items)
    items.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]
