"""Features in memory: the twin for tests."""

from collections.abc import Sequence

from lookalike.features.protocol import Features


class MemoryFeatures:
    """A FeatureLookup over a mapping from product id to features."""

    def __init__(self, features: Features) -> None:
        self._features = features

    def lookup(self, product_ids: Sequence[str], deadline_seconds: float) -> Features:
        return {product: self._features[product] for product in product_ids if product in self._features}
