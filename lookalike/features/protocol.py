"""What every feature store offers: memory and Feast answer alike."""

from collections.abc import Mapping, Sequence
from typing import Protocol

FeatureValue = str | int | float | bool
"""A feature as it is served; unknown values are absent instead of null."""

Features = Mapping[str, Mapping[str, FeatureValue]]
"""Per product id its features by name."""


class FeatureLookup(Protocol):
    """Features of products, read online while a shopper waits."""

    def lookup(self, product_ids: Sequence[str], deadline_seconds: float) -> Features:
        """The known features of these products in one read; unknown products and values are absent.

        Raises BackendUnavailable when the store does not answer. A store that cannot bound its own read may
        answer later than the deadline: a caller who must not wait waits in another thread.
        """
        ...
