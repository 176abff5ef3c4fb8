"""What the newest catalogue brings that the release in service does not know."""

from collections import Counter
from pathlib import Path

import pandas as pd

from lookalike.catalog.products import Catalogue, attribute_column
from lookalike.config import StrictConfig, load_config
from lookalike.embedders.model_folder import MODEL, ExportedModel
from lookalike.fusion import FUSION, Fusion
from lookalike.release.manifest import EVALUATION

MANY = 10
"""New values named per attribute."""


class CatalogueChange(StrictConfig):
    """The newest validated catalogue against the collection and the model in service."""

    products: int
    """In the newest catalogue."""
    unindexed: int
    """Of them, those that the collection does not hold."""
    held: int
    """Products in the collection."""
    gone: int
    """Of them, those that the catalogue has no more."""
    new_verticals: dict[str, int]
    """Verticals the model was never taught, and their products: those its evaluation did not know, or where no
    evaluation told verticals, those without a product in the collection."""
    new_values: dict[str, dict[str, int]]
    """By attribute that the model predicts: the most frequent values it was never taught, and their products."""

    @property
    def share_unindexed(self) -> float:
        return self.unindexed / self.products if self.products else 0.0

    @property
    def share_gone(self) -> float:
        return self.gone / self.held if self.held else 0.0

    @property
    def untaught(self) -> dict[str, dict[str, int]]:
        """By attribute, and for verticals: what the model was never taught, and its products, the most first."""
        return {name: values for name, values in {"vertical": self.new_verticals, **self.new_values}.items() if values}

    @property
    def words(self) -> list[str]:
        """The change in sentences; none where there is none."""
        told = [f"{self.unindexed} of {self.products} products ({self.share_unindexed:.1%}) are not indexed"]
        told = told if self.unindexed else []
        told += [f"{self.gone} of {self.held} indexed products ({self.share_gone:.1%}) are gone"] if self.gone else []
        told += [f"the vertical '{name}' is new: {count} products" for name, count in self.new_verticals.items()]
        for attribute, values in self.new_values.items():
            listed = ", ".join(f"'{value}' ({count})" for value, count in values.items())
            told.append(f"the model was never taught these values of {attribute}: {listed}")
        return told


def compare_catalogue(catalogue: Catalogue, release: Path, stored: pd.DataFrame) -> CatalogueChange:
    """Compare with the release's folder and the photos its collection holds (`UpdateLog.stored`)."""
    products, held = catalogue.products, set(stored["product_id"])
    inside = products["product_id"].isin(held)
    known = _taught_verticals(release) or set(products.loc[inside, "vertical"])
    verticals = Counter(products.loc[~products["vertical"].isin(known), "vertical"])
    return CatalogueChange(
        products=len(products),
        unindexed=int((~inside).sum()),
        held=len(held),
        gone=len(held - set(products["product_id"])),
        new_verticals=dict(verticals.most_common()),
        new_values=_new_values(products, load_config(ExportedModel, release / MODEL)),
    )


def vertical_by_value(catalogue: Catalogue, attributes: list[str]) -> tuple[str, dict[str, str]] | None:
    """The attribute whose values tell the vertical best, and the vertical most products of each value have.

    The log knows no verticals, but what the model predicts; None where the catalogue has none of the attributes.
    """
    products = catalogue.products
    tables = {
        name: pd.crosstab(products[attribute_column(name)], products["vertical"])
        for name in attributes
        if attribute_column(name) in products and products[attribute_column(name)].notna().any()
    }
    if not tables:
        return None
    best = max(sorted(tables), key=lambda name: tables[name].max(axis=1).sum() / tables[name].to_numpy().sum())
    return best, {str(value): str(vertical) for value, vertical in tables[best].idxmax(axis=1).items()}


def _taught_verticals(release: Path) -> set[str]:
    """Verticals of the catalogue that the release's model was evaluated with; none where that was not kept."""
    path = release / EVALUATION / FUSION
    return set(load_config(Fusion, path).verticals) if path.is_file() else set()


def _new_values(products: pd.DataFrame, model: ExportedModel) -> dict[str, dict[str, int]]:
    found = {}
    for name, labels in model.attribute_labels:
        if attribute_column(name) in products:
            values = products[attribute_column(name)].dropna()
            counts = Counter(values[~values.isin(labels)])
            found[name] = dict(counts.most_common(MANY))
    return {name: values for name, values in found.items() if values}
