"""The ids of N photos: few bytes each, found by bisection, and many of them read at once for every search."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDEST = 40
"""Bytes of the longest id where all are given the same width; UUIDs have 36."""


class Ids:
    """Photo ids, in order, and the product of each.

    Plain short ones lie side by side as bytes of one width: a tenth of what Python's own texts take.
    """

    def __init__(self, photos: list[str], products: list[str]) -> None:
        self._photos, self._products = _column(photos), _column(products)
        self._pairs: NDArray[np.uint8] | None = None  # (N, W) a photo id and its product id
        if self._photos.dtype.kind == self._products.dtype.kind == "S":
            pairs = np.empty(len(photos), np.dtype([("photo", self._photos.dtype), ("product", self._products.dtype)]))
            pairs["photo"], pairs["product"] = self._photos, self._products
            self._photos, self._products = pairs["photo"], pairs["product"]
            self._pairs = pairs.view(np.uint8).reshape(len(pairs), pairs.itemsize)

    def take(self, rows: NDArray[np.int64]) -> tuple[list[str], list[str]]:
        """The photo ids and the product ids of these rows."""
        if self._pairs is None:
            return self._photos[rows].tolist(), self._products[rows].tolist()
        points = self._pairs[rows].astype(np.uint32)  # (R, W) as numpy spells texts, which its own cast does slowly
        split = self._photos.itemsize
        return _spelt(points[:, :split]), _spelt(points[:, split:])

    def rows_of_photos(self, photos: Sequence[str]) -> NDArray[np.int64]:
        """The rows of those photos that are here."""
        wanted = [self._key(self._photos, photo) for photo in photos]
        places = [(photo, bisect_left(self._photos, photo)) for photo in wanted]
        return np.array([row for photo, row in places if row < len(self._photos) and self._photos[row] == photo], int)

    def rows_of_products(self, products: Sequence[str]) -> NDArray[np.int64]:
        """The rows of all photos of these products."""
        order, product_of = self._by_product, self._products.__getitem__
        wanted = [self._key(self._products, product) for product in products]
        firsts = [bisect_left(order, product, key=product_of) for product in wanted]
        lasts = [bisect_right(order, product, key=product_of) for product in wanted]
        return np.concatenate([order[:0], *(order[first:last] for first, last in zip(firsts, lasts, strict=True))])

    @cached_property
    def _by_product(self) -> NDArray[np.int64]:
        """(N,) rows, a product's side by side."""
        return np.argsort(self._products, kind="stable")

    @staticmethod
    def _key(column: NDArray[Any], text: str) -> str | bytes:
        return text.encode() if column.dtype.kind == "S" else text


def _column(values: list[str]) -> NDArray[Any]:
    """(N,) in the order of code points either way; numpy's bytes lose zeros at their end."""
    plain = all(value.isascii() and len(value) <= WIDEST and "\0" not in value for value in values)
    return np.array(values, dtype=np.bytes_ if plain else np.dtypes.StringDType())


def _spelt(points: NDArray[np.uint32]) -> list[str]:
    """(R, W) code points as R texts, zeros at their end left out."""
    texts: list[str] = points.view(f"U{points.shape[1]}")[:, 0].tolist()
    return texts
