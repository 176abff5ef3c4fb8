"""Products of the newest catalogue that the release does not know: what a change of the catalogue looks like."""

from dataclasses import dataclass

import numpy as np

from lookalike.catalog.products import Catalogue, attribute_column
from monitoring.catalogue import CatalogueChange

KINDS, PRODUCTS = 5, 5
"""Most kinds shown, and products of each."""


@dataclass(frozen=True)
class NewProducts:
    """A vertical without a product in the collection, or an attribute value the model was never taught."""

    words: str
    product_ids: list[str]
    """A few of them, evenly spread over the catalogue's order."""


def new_products(catalogue: Catalogue, change: CatalogueChange) -> list[NewProducts]:
    """New verticals first, then new values, the most frequent of each first."""
    kinds = [("vertical", "vertical", value, count) for value, count in change.new_verticals.items()]
    for name, values in change.new_values.items():
        kinds += [(name, attribute_column(name), value, count) for value, count in values.items()]
    return [
        NewProducts(f"{name} '{value}': {count} products", _some(catalogue, column, value))
        for name, column, value, count in sorted(kinds, key=lambda kind: (kind[0] != "vertical", -kind[3]))[:KINDS]
    ]


def _some(catalogue: Catalogue, column: str, value: str) -> list[str]:
    ids = catalogue.products.loc[catalogue.products[column] == value, "product_id"].tolist()
    places = np.unique(np.linspace(0, len(ids) - 1, PRODUCTS).astype(int))
    return [ids[place] for place in places]
