"""What mining knows of products: vertical, attribute codes, and what each value counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import MiningError
from lookalike.mining.settings import MiningSettings


@dataclass(frozen=True)
class Labels:
    """Labels of products, or of groups of products alike in all of them; -1 stands for unknown.

    The arrays may be reshaped for broadcasting: `codes` and `weights` have one axis more than `verticals`.
    """

    verticals: NDArray[np.int32]
    """(N,)."""
    codes: NDArray[np.int32]
    """(N, A)."""
    weights: NDArray[np.float32]
    """(N, A): what a value counts in the share of matching attributes; 0 where unknown."""

    def __len__(self) -> int:
        return len(self.verticals)

    def take(self, which: NDArray | slice) -> "Labels":
        """The labels at these positions; positions (M, P) give arrays (M, P) and (M, P, A)."""
        return Labels(self.verticals[which], self.codes[which], self.weights[which])


def attribute_weights(attributes: list[str], settings: MiningSettings) -> NDArray[np.float32]:
    """(A,) the settings' named weights, 1 where not named. Raises MiningError for a name that is no attribute."""
    unknown = sorted(set(settings.weights) - set(attributes))
    if unknown:
        raise MiningError(f"weights names {unknown}; the catalogue's attributes are {attributes}")
    weights = np.array([settings.weights.get(name, 1.0) for name in attributes], np.float32)
    if (weights < 0).any() or not weights.any():
        raise MiningError(f"weights are {settings.weights}; each must be 0 or more, at least one above 0")
    return weights


def label_products(
    verticals: NDArray[np.int32], codes: NDArray[np.int32], weights: NDArray[np.float32], settings: MiningSettings
) -> Labels:
    """Labels of N products by vertical (N,) and codes (N, A), attributes weighing `weights` (A,)."""
    valued = weights * (codes >= 0)
    if settings.weighting == "information":
        valued *= information(codes)
    return Labels(verticals, codes, valued.astype(np.float32))


def information(codes: NDArray[np.int32]) -> NDArray[np.float32]:
    """(N, A) bits a product's values carry: -log2 of a value's share among the products that have one.

    A pair's attribute then counts by the mean information of its two values, and the share of matching
    attributes becomes Lin's similarity of feature vectors, 2 I(common) / (I(ours) + I(theirs)), over the
    attributes known in both (Lin, "An information-theoretic definition of similarity", ICML 1998).
    """
    bits = np.zeros(codes.shape, np.float32)
    for attribute in range(codes.shape[1]):
        known = codes[:, attribute] >= 0
        values, place, counts = np.unique(codes[known, attribute], return_inverse=True, return_counts=True)
        bits[known, attribute] = np.log2(known.sum() / counts)[place] if len(values) else 0
    return bits
