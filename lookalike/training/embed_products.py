"""Vectors of products under a checkpoint, so that mining can tell which negatives the model still confuses."""

from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.catalog.splits import NAMES, SPLITS
from lookalike.errors import TrainingError
from lookalike.mining.vectors import VECTORS
from lookalike.progress import progress
from lookalike.storage import StageRecord, run_stage
from lookalike.training.embedder import TorchEmbedder


def embed_products(
    validated: Path,
    splits: Path,
    checkpoint: Path,
    output: Path,
    split: str = "train",
    batch: int = 256,
    device: str = "cpu",
) -> StageRecord:
    """Write vectors.parquet (product_id, vector) of a split's products, one unit vector of the main photo each.

    Vectors are float32 lists, projected where the checkpoint has a projection. Photos are read and embedded `batch`
    at a time. Raises TrainingError for a split without products.
    """
    return run_stage(
        "embed_products",
        output,
        inputs={"validated": validated, "splits": splits, "checkpoint": checkpoint},
        settings={"split": split},
        content=[VECTORS],
        work=partial(_work, validated, splits, checkpoint, split, batch, device),
    )


def _work(
    validated: Path, splits: Path, checkpoint: Path, split: str, batch: int, device: str, folder: Path
) -> dict[str, Any]:
    catalogue, embedder = load_catalogue(validated), TorchEmbedder(checkpoint, device)
    owners = _main_photos(catalogue, splits, split)
    dimension = embedder.identity.dimension
    schema = pa.schema([("product_id", pa.string()), ("vector", pa.list_(pa.float32()))])
    photos = iter(progress(catalogue.stream_contents(owners.keys()), "embed products", len(owners)))
    with pq.ParquetWriter(folder / VECTORS, schema) as writer:
        while chunk := list(islice(photos, batch)):
            pixels = embedder.identity.preprocessing.batch([content for _, content in chunk])
            vectors = np.ascontiguousarray(embedder.embed(pixels).vectors, np.float32)  # (B, D)
            starts = pa.array(np.arange(len(chunk) + 1, dtype=np.int32) * dimension)
            columns = [[owners[photo] for photo, _ in chunk], pa.ListArray.from_arrays(starts, vectors.ravel())]
            writer.write_table(pa.table(columns, schema=schema))
    return {"products": len(owners), "dimension": dimension, "fingerprint": embedder.identity.fingerprint}


def _main_photos(catalogue: Catalogue, splits: Path, split: str) -> dict[str, str]:
    """The first gallery photo of every product of a split, by photo id."""
    table = pd.read_parquet(splits / SPLITS, columns=["product_id", "split"])
    wanted = table.loc[table["split"] == split, "product_id"]
    if wanted.empty:
        raise TrainingError(f"{splits} has no products in the split '{split}'; it has {', '.join(NAMES)}")
    photos = catalogue.gallery_photos
    first = photos[photos["product_id"].isin(wanted)].groupby("product_id", sort=False).first()
    return dict(zip(first["photo_id"], first.index, strict=True))
