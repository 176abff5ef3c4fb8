"""Batches prepared ahead of the step that needs them, so that the model does not wait for its food."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Protocol, TypeVar

Item = TypeVar("Item", covariant=True)

AHEAD = 3
"""Items ready or in preparation: enough to even out slow ones, few enough to keep memory small."""


class Numbered(Protocol[Item]):
    """Items that are made when they are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Item: ...


def prefetch(items: Numbered[Item], ahead: int = AHEAD) -> Iterator[Item]:
    """The items in order, each computed by `items[number]` in a background thread before it is asked for.

    Pillow and torch let go of the interpreter's lock while they work, so on a CPU one thread hides nearly all of
    the preparation, without another process's copy of the photos.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
    try:
        numbers = iter(range(len(items)))
        waiting = deque(pool.submit(items.__getitem__, number) for number in islice(numbers, ahead))
        while waiting:
            item = waiting.popleft().result()
            waiting.extend(pool.submit(items.__getitem__, number) for number in islice(numbers, 1))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)
