"""The split stage: whole groups of designs and near-duplicates go to train, validation or test."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from lookalike.catalog.designs import design_keys, leakage_groups
from lookalike.catalog.products import DUPLICATES, Catalogue, load_catalogue
from lookalike.config import StrictConfig
from lookalike.errors import CatalogueError
from lookalike.storage import StageRecord, run_stage

SPLITS = "splits.parquet"
NAMES = ("train", "validation", "test")


class SplitSettings(StrictConfig):
    """How the catalogue is divided."""

    validation: float = Field(default=0.1, gt=0, lt=1)
    """Share of groups kept for choosing a model."""
    test: float = Field(default=0.2, gt=0, lt=1)
    """Share of groups kept for the final figures."""
    seed: int = 0
    """Salt of the hash that places a group; another seed is another split."""
    titles: bool = True
    """Whether products with the same title but for colours, type and gender are one design."""
    max_group: float = Field(default=0.2, gt=0, le=1)
    """Largest share of the products that one group may hold before the split is refused."""

    @model_validator(mode="after")
    def _leaves_training(self) -> "SplitSettings":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation {self.validation} and test {self.test} leave nothing to train on")
        return self


def split(validated: Path, output: Path, settings: SplitSettings | None = None) -> StageRecord:
    """Write splits.parquet (product_id, group_id, split) for a validated catalogue.

    A product keeps its split while the catalogue grows, unless a newcomer joins two groups.
    Raises CatalogueError where one group is too large to split around, or a split comes out empty.
    """
    settings = settings or SplitSettings()
    return run_stage(
        "split",
        output,
        inputs={"validated": validated},
        settings=settings.model_dump(mode="json"),
        content=[SPLITS],
        work=partial(_work, validated=validated, settings=settings),
    )


def _work(folder: Path, validated: Path, settings: SplitSettings) -> dict[str, Any]:
    catalogue, duplicates = load_catalogue(validated), pd.read_parquet(validated / DUPLICATES)
    designs = design_keys(catalogue, settings.titles)
    table = split_table(catalogue, designs, duplicates, settings)
    check_no_leak(table, designs, duplicates)
    columns = pa.schema([(name, pa.string()) for name in ("product_id", "group_id", "split")])
    pq.write_table(pa.Table.from_pandas(table, schema=columns).replace_schema_metadata(), folder / SPLITS)
    sizes, splits = table["group_id"].value_counts(), table["split"].value_counts()
    return {
        **{name: int(splits[name]) for name in NAMES},
        "designs": int(designs.nunique()),
        "groups": len(sizes),
        "largest_group": int(sizes.max()),
        "largest_group_id": str(sizes.index[0]),
    }


def split_table(
    catalogue: Catalogue, designs: pd.Series, duplicates: pd.DataFrame, settings: SplitSettings
) -> pd.DataFrame:
    """product_id, group_id and split of every product, sorted by product_id."""
    ids = catalogue.products["product_id"]
    groups = pd.Series(leakage_groups(list(ids), list(designs), duplicates), index=ids.index)
    _check_largest(groups, settings, designs)
    places = {group: place_of(group, settings) for group in groups.unique()}
    table = pd.DataFrame({"product_id": ids, "group_id": groups, "split": groups.map(places)})
    empty = [name for name in NAMES if name not in set(table["split"])]
    if empty:
        raise CatalogueError(
            f"no product falls into {' and '.join(empty)}: {len(places)} groups of {len(table)} products are too few "
            f"for seed {settings.seed}; add products or choose another seed"
        )
    return table


def place_of(group: str, settings: SplitSettings) -> str:
    """The split of a group, from a hash of its name and the seed alone."""
    drawn = int.from_bytes(hashlib.sha256(f"{settings.seed}/{group}".encode()).digest()[:8], "big") / 2**64
    if drawn < settings.test:
        return "test"
    return "validation" if drawn < settings.test + settings.validation else "train"


def check_no_leak(table: pd.DataFrame, designs: pd.Series, duplicates: pd.DataFrame) -> None:
    """Raise CatalogueError if a product, a design or a near-duplicate group stands in two splits.

    `designs` names the design of each line of `table`.
    """
    twice = table["product_id"][table["product_id"].duplicated()]
    if len(twice):
        raise CatalogueError(f"product '{twice.iloc[0]}' was split more than once")
    lines = duplicates.merge(table, on="product_id", suffixes=("_near", ""))
    for what, names, splits in (
        ("design", designs, table["split"]),
        ("near-duplicate group", lines["group_id_near"], lines["split"]),
    ):
        spread = splits.groupby(names.to_numpy()).nunique()
        if (spread > 1).any():
            raise CatalogueError(f"the {what} '{spread.idxmax()}' leaks into {spread.max()} splits")


def _check_largest(groups: pd.Series, settings: SplitSettings, designs: pd.Series) -> None:
    sizes = groups.value_counts()
    if sizes.iloc[0] > settings.max_group * len(groups):
        name = designs[groups == sizes.index[0]].value_counts().index[0]
        raise CatalogueError(
            f"one group holds {sizes.iloc[0]} of {len(groups)} products, more than max_group {settings.max_group:.0%}; "
            f"its commonest design is '{name}'. Titles that say too little are left out with titles: false; "
            "photos that too many products share belong in a stricter near_duplicates setting of validate"
        )
