"""Labelled recent traffic over real embeddings: the champion's answers, looked at from the top, clicked where alike."""

import numpy as np
import pandas as pd

from benchmarks.drift.gate_shop import GateShop, Model
from lookalike.evaluation.recent import RecentComparison, compare_recent, cosines
from lookalike.evaluation.retrieval import Gallery, rank_products

SHOWN = 10
FINE, COARSE, OTHER = 0.6, 0.2, 0.02
"""Chance of a click on a product that was looked at, by how much it is like the one asked with."""
LOOKED = 1.0 / (1.0 + np.arange(SHOWN))
"""Chance that a place is looked at."""


def recent_traffic(shop: GateShop, champion: Model, answers: int, seed: int) -> pd.DataFrame:
    """Rows as collected feedback has them, weighted by the inverse of the chance that the place was looked at."""
    rng = np.random.default_rng([seed, 4])
    rows = shop.gallery.products
    asked = rng.choice(len(rows), min(answers, len(rows)), replace=False)
    vectors = champion.embedded.gallery.vectors
    gallery = Gallery(vectors, rows, shop.truth.items[rows])
    shown = rank_products(vectors[asked], gallery, SHOWN, left_out=shop.truth.items[rows[asked]]).products  # (Q, K)
    codes = shop.truth.codes
    alike = [
        (codes[rows[asked]][:, None, list(columns)] == codes[shown][:, :, list(columns)]).all(axis=2)
        for columns in (shop.truth.fine, shop.truth.coarse)
    ]
    wanted = np.where(alike[0], FINE, np.where(alike[1], COARSE, OTHER))  # (Q, K)
    clicked = rng.random(shown.shape) < wanted * LOOKED
    ids = shop.catalogue.products["product_id"].to_numpy(object)
    return pd.DataFrame(
        {
            "request_id": np.repeat(np.arange(len(asked)), SHOWN),
            "query": np.repeat(ids[rows[asked]], SHOWN),
            "product_id": ids[shown].ravel(),
            "position": np.tile(np.arange(SHOWN), len(asked)),
            "weight": (clicked / LOOKED).ravel(),
            "source": np.repeat(np.arange(len(asked)), SHOWN),
        }
    )


def compare_traffic(shop: GateShop, challenger: Model, champion: Model, seed: int) -> RecentComparison | None:
    """Both models on the champion's traffic of a day: 2,000 answers."""
    rows, settings = recent_traffic(shop, champion, 2_000, seed), shop.settings
    ours, theirs = (cosines(shop.ids(), model.embedded.gallery.vectors) for model in (challenger, champion))
    return compare_recent(rows, ours, theirs, settings.repeats, settings.confidence, seed)
