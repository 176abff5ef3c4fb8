"""Photos a model was trained on, with their vectors: what the watch of drift shows beside new queries."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.index.gallery import GALLERY_COLUMNS, PHOTO_IDS, VECTORS
from lookalike.release.manifest import TRAINED_VECTORS
from lookalike.training.trained import TRAINED, read_trained

MOST = 20_000
"""Photos kept, at random where there are more; of 192 dimensions they take 8 MB."""


def write_trained_vectors(index: Path, checkpoint: Path, most: int = MOST, seed: int = 0) -> int:
    """Write those photos of an index folder that the checkpoint was trained on; returns how many.

    Vectors are kept in float16, which moves a cosine by less than 0.001. Writes nothing where the checkpoint does not
    say what it was trained on.
    """
    if not (checkpoint / TRAINED).is_file():
        return 0
    photos = pd.read_parquet(index / PHOTO_IDS, columns=GALLERY_COLUMNS)
    known = pd.MultiIndex.from_frame(read_trained(checkpoint))
    rows = np.flatnonzero(pd.MultiIndex.from_frame(photos[["product_id", "sha256"]]).isin(known))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    vectors = np.load(index / VECTORS, mmap_mode="r", allow_pickle=False)[rows]  # (N, D)
    table = pa.Table.from_pandas(photos.iloc[rows], preserve_index=False)
    flat = pa.array(vectors.astype(np.float16).ravel())
    table = table.append_column("vector", pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
    pq.write_table(table, index / TRAINED_VECTORS)
    return len(rows)
