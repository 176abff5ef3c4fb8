"""The same catalogue with other labels: some hidden from training, or more of them read from titles."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lookalike.catalog.lexicon import find_lexicon
from lookalike.catalog.mapping import CatalogueMapping
from lookalike.catalog.products import (
    DUPLICATES,
    MAPPING,
    PHOTOS,
    PRODUCTS,
    Catalogue,
    attribute_column,
    load_catalogue,
)
from lookalike.catalog.splits import SPLITS
from lookalike.catalog.titles import add_stated
from lookalike.config import parse_config
from lookalike.storage import StageRecord, run_stage, write_json

LEXICON = "fashion"

Relabel = Callable[[Catalogue], tuple[pd.DataFrame, dict[str, Any]]]
"""A catalogue to its products table and mapping with other labels."""


def hide_labels(validated: Path, splits: Path, output: Path, share: float, seed: int) -> StageRecord:
    """Write the catalogue with `share` of the train split's known labels unknown, over all attributes alike."""
    training = pd.read_parquet(splits / SPLITS).query("split == 'train'")["product_id"]

    def relabel(catalogue: Catalogue) -> tuple[pd.DataFrame, dict[str, Any]]:
        columns = [attribute_column(name) for name in catalogue.attributes]
        rows = catalogue.products["product_id"].isin(training).to_numpy()
        return hidden(catalogue.products, columns, rows, share, seed), catalogue.mapping.model_dump(mode="json")

    settings = {"labels": "hidden", "share": share, "seed": seed}
    return _write(validated, output, {"validated": validated, "splits": splits}, settings, relabel)


def read_from_titles(validated: Path, output: Path) -> StageRecord:
    """Write the catalogue with the attributes that the shipped fashion lexicon reads from titles beside its own."""

    def relabel(catalogue: Catalogue) -> tuple[pd.DataFrame, dict[str, Any]]:
        asked = {**catalogue.mapping.model_dump(), "lexicon": LEXICON}
        mapping = parse_config(CatalogueMapping, asked, f"the mapping with the lexicon {LEXICON}")
        products, borne_out = add_stated(catalogue.products, mapping)
        return products, borne_out.model_dump(mode="json")

    settings = {"labels": "with_titles", "lexicon": find_lexicon(LEXICON).model_dump(mode="json")}
    return _write(validated, output, {"validated": validated}, settings, relabel)


def hidden(
    products: pd.DataFrame, columns: list[str], rows: np.ndarray[Any, np.dtype[np.bool_]], share: float, seed: int
) -> pd.DataFrame:
    """A copy in which exactly `share` (rounded) of the known values of `columns` in `rows` (N,) are unknown."""
    values = products[columns].to_numpy(dtype=object)  # (N, A)
    known = np.argwhere(pd.notna(values) & rows[:, None])  # (L, 2)
    drawn = np.random.default_rng(seed).permutation(len(known))[: round(share * len(known))]
    values[tuple(known[drawn].T)] = None
    return products.assign(**{column: values[:, place] for place, column in enumerate(columns)})


def _write(
    validated: Path, output: Path, inputs: Mapping[str, Path], settings: Mapping[str, Any], relabel: Relabel
) -> StageRecord:
    def work(folder: Path) -> dict[str, Any]:
        catalogue = load_catalogue(validated)
        products, mapping = relabel(catalogue)
        products.to_parquet(folder / PRODUCTS, index=False)
        write_json(folder / MAPPING, mapping)
        for name in (PHOTOS, DUPLICATES):
            _link(validated / name, folder / name)
        columns = [column for column in products if str(column).startswith(attribute_column(""))]
        return {"known_labels": int(products[columns].notna().sum().sum())}

    content = [PRODUCTS, PHOTOS, DUPLICATES, MAPPING]
    return run_stage("relabel", output, inputs=inputs, settings=settings, content=content, work=work)


def _link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
