"""Products that are out of stock: shown as any other, last on their page, or not at all.

What is not known to be out of stock counts as being there: a feature store that does not answer must not empty the
page, so the answer says of how many products nothing was known.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.features.protocol import Features, FeatureValue
from lookalike.index.protocol import Hit

StockUse = Literal["any", "first", "only"]


class StockLimits(StrictConfig):
    """How products' stock is read."""

    feature: str = Field(default="stock", min_length=1)
    """The served feature that tells it: units or true and false."""
    most_products: int = Field(default=500, ge=1, le=5_000)
    """Answers whose stock is looked up, at most, to fill one page of those in stock; a page ends there."""


@dataclass(frozen=True)
class StockTold:
    """What became of the stock asked for on one page."""

    asked: StockUse
    unknown: int
    """Answers of which nothing was known; they are shown as if they were there."""
    left_out: int
    """Products left out between this page's first and last because they are out of stock."""

    def as_json(self) -> dict[str, Any]:
        return {"asked": self.asked, "unknown": self.unknown, "left_out": self.left_out}


def in_stock(features: Mapping[str, FeatureValue] | None, feature: str) -> bool | None:
    """Whether a product is there; None where that is not known."""
    value = (features or {}).get(feature)
    return None if value is None or isinstance(value, str) else value > 0


class Stocked:
    """Answers that are not out of stock, looked up batch by batch; keeps the features for the answer."""

    def __init__(self, lookup: Callable[[Sequence[str]], Features], limits: StockLimits, batch: int) -> None:
        self.features: dict[str, Mapping[str, FeatureValue]] = {}
        self._lookup = lookup
        self._limits = limits
        self._batch = batch

    def __call__(self, order: Iterator[Hit]) -> Iterator[tuple[Hit, bool]]:
        """Every answer of the order with whether it is to be shown."""
        while batch := list(islice(order, self._batch)):
            self.features.update(self._lookup(list(dict.fromkeys(hit.product_id for hit in batch))))
            for hit in batch:
                yield hit, in_stock(self.features.get(hit.product_id), self._limits.feature) is not False


def in_stock_first(hits: Sequence[Hit], features: Features, feature: str) -> list[int]:
    """The places of the hits with those known to be out of stock last; else their order stays."""
    out = [in_stock(features.get(hit.product_id), feature) is False for hit in hits]
    return sorted(range(len(hits)), key=out.__getitem__)


def stock_told(asked: StockUse, hits: Sequence[Hit], passed: int, features: Features, feature: str) -> StockTold | None:
    """What is said of the hits of a page that passed so many answers; None where any stock was asked for."""
    if asked == "any":
        return None
    unknown = sum(in_stock(features.get(hit.product_id), feature) is None for hit in hits)
    return StockTold(asked, unknown, passed - len(hits))
