"""The part of a photo that a shopper points at."""

import math
from typing import NamedTuple

from lookalike.errors import QueryError

LEAST = 1e-6
"""Fraction that is less than a pixel of any photo that is accepted."""


class Crop(NamedTuple):
    """A rectangle in fractions of the upright photo: 0 is its left or top edge, 1 its right or bottom edge."""

    left: float
    top: float
    right: float
    bottom: float

    def require_area(self) -> "Crop":
        """Raise QueryError unless it is a rectangle inside the photo."""
        if 0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1:
            return self
        raise QueryError(
            f"crop is {list(self)}; left, top, right, bottom as fractions of the photo are accepted, "
            "each from 0 to 1, left before right and top before bottom"
        )

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The nearest whole pixels of a photo of this size, at least one each way."""
        left, top = min(round(self.left * width), width - 1), min(round(self.top * height), height - 1)
        return left, top, max(round(self.right * width), left + 1), max(round(self.bottom * height), top + 1)

    def whole(self, width: int, height: int) -> tuple[int, int]:
        """The size of a photo whose cropped part still covers width x height."""
        return math.ceil(width / max(self.right - self.left, LEAST)), math.ceil(
            height / max(self.bottom - self.top, LEAST)
        )
