"""Triplets as later stages read them: `triplets.parquet`."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.mining.settings import MiningSettings
from lookalike.mining.triplets import Triplets

TRIPLETS = "triplets.parquet"

SCHEMA = pa.schema(
    [
        ("anchor", pa.string()),
        ("positive", pa.string()),
        ("negative", pa.string()),
        ("positive_level", pa.int8()),
        ("negative_level", pa.int8()),
        ("margin", pa.float32()),
    ]
)

ROWS = 1_000_000
"""Triplets turned into text at a time."""


def write_triplets(path: Path, triplets: Triplets, ids: NDArray, settings: MiningSettings) -> None:
    """Write T triplets of the products `ids` (N,), with their margins."""
    heights = _heights(settings)
    names = pa.array(ids, pa.string())
    with pq.ParquetWriter(path, SCHEMA) as file:
        for first in range(0, len(triplets), ROWS):
            part = triplets.take(slice(first, first + ROWS))
            margin = heights[part.positive_level] - heights[part.negative_level]
            products = [names.take(pa.array(column)) for column in (part.anchor, part.positive, part.negative)]
            levels = [pa.array(column) for column in (part.positive_level, part.negative_level)]
            columns = [*products, *levels, pa.array(margin.astype(np.float32))]
            file.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))


def _heights(settings: MiningSettings) -> NDArray[np.float64]:
    """(L,) a level's height above level 0, in cosine distance; a margin is the difference of two."""
    steps = settings.margin_steps or (settings.margin_per_level,) * len(settings.boundaries)
    return np.concatenate([[0.0], np.cumsum(steps)])
