"""What was written is read as a server reads it, and held to the catalogue."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lookalike.errors import ReleaseError
from lookalike.features.history import PRODUCT_ID
from lookalike.features.protocol import FeatureLookup

DEADLINE_SECONDS = 60.0


def read_back(features: FeatureLookup, name: str, current: pd.DataFrame, products: int) -> int:
    """Compare a sample of so many products with the catalogue; returns its size. Raises ReleaseError.

    None wrong in a sample of n means, with 95 % confidence, that fewer than 3/n of all are.
    """
    sample = current.sample(min(products, len(current)), random_state=0)
    found = features.lookup(sample[PRODUCT_ID].tolist(), DEADLINE_SECONDS)
    for row in sample.to_dict("records"):
        product = row.pop(PRODUCT_ID)
        expected = {str(name): value for name, value in row.items() if not pd.isna(value)}
        if not _equal(found.get(product, {}), expected):
            raise ReleaseError(
                f"{name} reads {found.get(product)} for product {product}, the catalogue says {expected}"
            )
    return len(sample)


def _equal(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    if found.keys() != expected.keys():
        return False
    return all(
        bool(np.isclose(found[name], value)) if isinstance(value, float) else found[name] == value
        for name, value in expected.items()
    )
