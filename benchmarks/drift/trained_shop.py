"""A small shop of real products whose champion is the real network: what is attacked, and where harm is looked for."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.drift.gate_shop import Model
from benchmarks.drift.lessons import preprocessing_of
from benchmarks.drift.poison_fresh import RING, Scene
from benchmarks.drift.poison_listings import shop_table
from benchmarks.drift.poison_shop import unit
from benchmarks.drift.poison_traffic import Market
from benchmarks.drift.sides import TEST, VALIDATION, Pixels, QuickEmbedder, Sides, embed_pixels
from lookalike.catalog.products import Catalogue, attribute_column
from lookalike.embedders.protocol import Embedder
from lookalike.evaluation.measure import Evaluation
from lookalike.evaluation.queries import main_photos

ANSWERS = 3_000
"""That honest shoppers ask for in a window; an attacker with many sessions asks for as many."""
TYPE = "type"


@dataclass(frozen=True)
class TrainedShop:
    """Products that teach, both other splits, and the champion before them."""

    validated: Path
    champion: Path
    sides: Sides
    rows: NDArray[np.int64]
    """(N,) of the catalogue: the products that teach."""

    @classmethod
    def read(cls, validated: Path, splits: Path, champion: Path, products: int) -> "TrainedShop":
        """`products` of the train split, and as many of each other split."""
        sides = Sides.read(validated, splits, preprocessing_of(champion), products)
        rows = np.random.default_rng(3).permutation(sides.shops[TEST].truth.rows("train"))[:products]
        return cls(validated, champion, sides, np.sort(rows))

    @property
    def catalogue(self) -> Catalogue:
        return self.sides.shops[TEST].catalogue

    @property
    def ids(self) -> NDArray[np.object_]:
        """(N,)."""
        return self.catalogue.products["product_id"].to_numpy(object)[self.rows]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The products that teach as they were delivered."""
        return shop_table(self.catalogue, self.rows)

    @cached_property
    def embedder(self) -> Embedder:
        return QuickEmbedder(self.champion)

    @cached_property
    def pixels(self) -> Pixels:
        """(N, H, W, 3) of the products that teach."""
        return self.sides.preprocessing.batch(list(main_photos(self.catalogue, self.rows).contents))

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """(N, D) of them, by the champion."""
        return embed_pixels(self.embedder, self.pixels, "the products that teach").vectors

    @cached_property
    def answered(self) -> dict[str, tuple[Model, Evaluation]]:
        """The champion on both splits."""
        return {side: self.ask(self.embedder, side, "champion") for side in (TEST, VALIDATION)}

    def ask(self, embedder: Embedder, side: str, label: str) -> tuple[Model, Evaluation]:
        """A model's answers on a split, and what they are worth."""
        model = self.sides.ask(embedder, side, label)
        return model, self.sides.shops[side].evaluate(model)

    @cached_property
    def market(self) -> Market:
        """What is searched: the products that teach, and those of the test split."""
        shop = self.sides.shops[TEST]
        known = self.answered[TEST][0].embedded.gallery.vectors
        return Market(
            np.concatenate([self.ids, shop.ids().to_numpy(object)]),
            unit(np.concatenate([self.vectors, known])),
            shop.truth.codes[np.concatenate([self.rows, shop.gallery.products])],
            shop.truth.fine,
            shop.truth.coarse,
        )

    @cached_property
    def victim(self) -> str:
        """The commonest type among the products that teach."""
        return str(self.catalogue.products[attribute_column(TYPE)].iloc[self.rows].value_counts().index[0])

    def scene(self, rng: np.random.Generator) -> Scene:
        """Whom an attack is about: products drawn at random, and the commonest type."""
        code = self.catalogue.attribute_values(TYPE).index(self.victim)
        column = self.catalogue.attributes.index(TYPE)
        targets = rng.choice(len(self.rows), RING, replace=False)
        return Scene(targets, self.market.codes[:, column] == code, ANSWERS)

    def victims(self, side: str) -> NDArray[np.bool_]:
        """(Q,) which catalogue queries of a split ask with the victim's type."""
        products = self.sides.shops[side].gallery.products
        return (self.catalogue.products[attribute_column(TYPE)].iloc[products] == self.victim).to_numpy(bool)
