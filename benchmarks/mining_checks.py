"""What mining gives up for speed: hard negatives missed, level pairs drawn more or less often."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.mining_shop import grow_products
from lookalike.mining.hard import hard_candidates
from lookalike.mining.labels import label_products
from lookalike.mining.mine import TrainingProducts, training_products
from lookalike.mining.multilevel import mine_by_levels
from lookalike.mining.neighbours import Neighbours, ProductIndex
from lookalike.mining.settings import MiningSettings
from lookalike.mining.table import TRIPLETS
from lookalike.mining.triplets import Triplets
from lookalike.mining.vectors import read_vectors
from lookalike.storage import write_json

ANY_DEPTH = 200
"""Triplets whose candidates are looked for in the whole catalogue; ten seconds."""

SHIFT_PRODUCTS = 8000
"""Products mined from complete lists to compare with; half a minute."""


def check(folder: Path, count: int) -> None:
    """Write folder/checks.json: overlaps triplet by triplet, and the shift of level pairs."""
    settings = MiningSettings()
    products = training_products(folder / "validated", folder / "splits", settings)
    vectors = read_vectors(folder / "vectors", products.ids)
    asked = _sample(folder, products.ids, count)
    anchors, row = np.unique(asked.anchor, return_inverse=True)
    found = []
    for exact in (True, False):
        near = ProductIndex(vectors, exact=exact).nearest(anchors, settings.hard_depth)
        labels = products.labels
        found.append(hard_candidates(asked, row, near, labels, vectors, products.duplicates, settings))
    few = asked.take(slice(0, ANY_DEPTH))
    everywhere = np.concatenate(list(_at_any_depth(few, products, vectors, settings)))
    told = {"overlap": _overlaps(*found), "triplets": len(asked)}
    told |= {"overlap_at_any_depth": _overlaps(everywhere, found[1][: len(few)])}
    write_json(folder / "checks.json", told | {"shift": _level_shift(), "shift_products": SHIFT_PRODUCTS})


def _sample(folder: Path, ids: NDArray, count: int) -> Triplets:
    table = pd.read_parquet(folder / "triplets" / TRIPLETS).sample(count, random_state=0)
    position = pd.Index(ids)
    anchor, positive, negative = (
        position.get_indexer(pd.Index(table[name])) for name in ("anchor", "positive", "negative")
    )
    return Triplets(anchor, positive, negative, *(table[f"{n}_level"].to_numpy() for n in ("positive", "negative")))


def _at_any_depth(
    asked: Triplets, products: TrainingProducts, vectors: NDArray[np.float32], settings: MiningSettings
) -> Iterator[NDArray[np.int64]]:
    """Candidates of each triplet among all products, nearest first."""
    for number in range(len(asked)):
        one = asked.take(slice(number, number + 1))
        similarity = vectors[one.anchor] @ vectors.T  # (1, N)
        order = np.argsort(-similarity, axis=1)
        near = Neighbours(order, np.take_along_axis(similarity, order, axis=1))
        row = np.zeros(1, np.int64)
        yield hard_candidates(one, row, near, products.labels, vectors, products.duplicates, settings)


def _overlaps(exact: NDArray[np.int64], ours: NDArray[np.int64]) -> list[float]:
    """Share of the exact candidates (T, K) that ours hold, for every triplet that has any."""
    sets = ((set(one.tolist()) - {-1}, set(other.tolist())) for one, other in zip(exact, ours, strict=True))
    return [len(wanted & held) / len(wanted) for wanted, held in sets if wanted]


def _level_shift() -> float:
    """Total variation between the level pairs drawn from sampled candidates and from complete lists."""
    verticals, _, codes = (part.astype(np.int32) for part in grow_products(SHIFT_PRODUCTS, np.random.default_rng(0)))
    alone = np.full(len(codes), -1)
    shares = []
    for enumerate_up_to in (0, len(codes) ** 2):
        settings = MiningSettings(enumerate_up_to=enumerate_up_to)
        labels = label_products(verticals, codes, np.ones(codes.shape[1], np.float32), settings)
        drawn = mine_by_levels(labels, alone, settings).triplets
        pairs = Counter(zip(drawn.positive_level.tolist(), drawn.negative_level.tolist(), strict=True))
        shares.append({pair: count / len(drawn) for pair, count in pairs.items()})
    sampled, listed = shares
    return sum(abs(sampled.get(pair, 0) - listed.get(pair, 0)) for pair in sampled | listed) / 2
