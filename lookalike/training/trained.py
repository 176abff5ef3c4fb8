"""The list of what a model has seen, kept with its weights: without it nobody can show that an evaluation is fair."""

import logging
from pathlib import Path

import pandas as pd

from lookalike.catalog.products import Catalogue
from lookalike.errors import ArtifactError
from lookalike.mining.table import TRIPLETS

log = logging.getLogger(__name__)

TRAINED = "trained.parquet"
"""Columns `product_id` and `sha256`, a row per photo trained on, by this run or by one it goes on from."""


def write_trained(folder: Path, catalogue: Catalogue, triplets: Path, start_from: Path | None) -> None:
    """Write the photos of all products that the triplets name, and those that `start_from` was trained on.

    An earlier checkpoint without a list leaves this one without, since a part of it would pass for the whole.
    """
    if start_from is not None and not (start_from / TRAINED).is_file():
        log.warning("%s does not say what it was trained on, and so neither will its successor.", start_from)
        return
    named = pd.read_parquet(triplets / TRIPLETS, columns=["anchor", "positive", "negative"])
    photos = catalogue.gallery_photos
    seen = photos.loc[photos["product_id"].isin(named.to_numpy().ravel()), ["product_id", "sha256"]]
    before = [] if start_from is None else [read_trained(start_from)]
    together = pd.concat([*before, seen]).drop_duplicates().sort_values(["product_id", "sha256"])
    together.reset_index(drop=True).to_parquet(folder / TRAINED)


def read_trained(checkpoint: Path) -> pd.DataFrame:
    """`product_id` and `sha256` of every photo a checkpoint was trained on. Raises ArtifactError."""
    try:
        return pd.read_parquet(checkpoint / TRAINED, columns=["product_id", "sha256"])
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{checkpoint / TRAINED} cannot be read; train again") from error
