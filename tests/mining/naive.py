"""Small catalogues drawn by hypothesis, and mining's facts counted one pair at a time."""

from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lookalike.mining.labels import Labels, label_products
from lookalike.mining.levels import UNDEFINED
from lookalike.mining.settings import MiningSettings

steadily = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@dataclass(frozen=True)
class Small:
    """A catalogue of few products; -1 stands for unknown."""

    verticals: NDArray[np.int32]
    codes: NDArray[np.int32]
    weights: NDArray[np.float32]

    def labels(self, chosen: MiningSettings) -> Labels:
        return label_products(self.verticals, self.codes, self.weights, chosen)


@st.composite
def small_catalogues(draw: st.DrawFn, least: int = 3, most: int = 24) -> Small:
    count, attributes = draw(st.integers(least, most)), draw(st.integers(1, 4))
    row = st.lists(st.integers(-1, 2), min_size=attributes, max_size=attributes)
    codes = draw(st.lists(row, min_size=count, max_size=count))
    verticals = draw(st.lists(st.integers(-1, 1), min_size=count, max_size=count))
    weights = draw(st.lists(st.sampled_from([0, 0.5, 1, 3]), min_size=attributes, max_size=attributes).filter(any))
    return Small(np.array(verticals, np.int32), np.array(codes, np.int32), np.array(weights, np.float32))


SETTINGS = st.builds(
    MiningSettings,
    weighting=st.sampled_from(["named", "information"]),
    across_level=st.integers(0, 2),
    least_common=st.sampled_from([0.0, 0.0, 0.5, 1.0]),
    boundaries=st.sampled_from([(0.2, 0.5, 0.75, 1.0), (0.5, 1.0), (0.3, 0.6)]),
    triplets_per_anchor=st.integers(1, 6),
    seed=st.integers(0, 3),
)


def random_catalogue(count: int, seed: int, attributes: int = 4) -> Small:
    rng = np.random.default_rng(seed)
    verticals, codes = rng.integers(-1, 2, count), rng.integers(-1, 3, (count, attributes))
    return Small(verticals.astype(np.int32), codes.astype(np.int32), np.ones(attributes, np.float32))


def naive_level(shop: Small, chosen: MiningSettings, i: int, j: int) -> int:
    """The definition, one pair and one attribute at a time."""
    matching = known = asked = lacking = 0.0
    for a in range(shop.codes.shape[1]):
        ours, theirs = shop.codes[i, a], shop.codes[j, a]
        worth = shop.weights[a] * naive_worth(shop, chosen, a, ours) if ours >= 0 else 0.0
        asked, lacking = asked + worth, lacking + worth * (theirs < 0)
        if ours < 0 or theirs < 0:
            continue
        weight = shop.weights[a] * (naive_worth(shop, chosen, a, ours) + naive_worth(shop, chosen, a, theirs)) / 2
        known += weight
        matching += weight * (ours == theirs)
    enough = known and lacking <= (1 - chosen.least_common + 1e-6) * asked
    reached = sum(matching >= (boundary - 1e-6) * known for boundary in chosen.boundaries) if enough else UNDEFINED
    if shop.verticals[i] != shop.verticals[j] and -1 not in (shop.verticals[i], shop.verticals[j]):
        return min(max(reached, 0), chosen.across_level)
    return reached


def naive_worth(shop: Small, chosen: MiningSettings, attribute: int, value: int) -> float:
    if chosen.weighting == "named":
        return 1.0
    having = [code for code in shop.codes[:, attribute].tolist() if code >= 0]
    return float(np.log2(len(having) / having.count(value)))
