"""Rows of parquet files that name a product, taken out: whichever stage wrote them, few columns hold ids."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lookalike.storage import atomic_file

PRODUCT_COLUMNS = ("product_id", "anchor", "positive", "negative", "query")
HITS = "hits"
GROUP = "group_id"
"""Groups are called after one of their products, so an erased one has to give its name back."""
ROWS = 512
"""Rows in memory at a time: a row of photos.parquet holds a photo."""


def rows_without(path: Path, product_ids: Sequence[str]) -> NDArray[np.bool_] | None:
    """(N,) true for the rows that name none of the products; None where the file has no column of ids."""
    names = pq.read_schema(path).names
    columns = [name for name in (*PRODUCT_COLUMNS, HITS) if name in names]
    if not columns:
        return None
    table = pq.read_table(path, columns=columns)
    wanted = pa.array(product_ids, pa.string())
    keep = np.ones(len(table), dtype=bool)
    for name in columns:
        keep &= ~(_lists_naming if name == HITS else _cells_naming)(table[name].combine_chunks(), wanted)
    return keep


def erase_rows(path: Path, product_ids: Sequence[str]) -> int:
    """Rewrite a file without the rows that name a product; returns how many went, and 0 leaves it untouched."""
    keep = rows_without(path, product_ids)
    if keep is None or keep.all():
        return 0
    rewrite_rows(path, keep, _regrouped(path, keep, product_ids))
    return int((~keep).sum())


def rewrite_rows(path: Path, keep: NDArray[np.bool_], change: Callable[[pa.Table], pa.Table] | None = None) -> None:
    """Rewrite a file with the rows of the (N,) mask, a piece at a time."""
    start = 0
    with pq.ParquetFile(path) as file, atomic_file(path) as aside, pq.ParquetWriter(aside, file.schema_arrow) as out:
        for batch in file.iter_batches(ROWS):
            table = pa.Table.from_batches([batch]).filter(pa.array(keep[start : start + len(batch)]))
            out.write_table(change(table) if change else table)
            start += len(batch)


def _cells_naming(column: pa.Array, wanted: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(pc.is_in(column.cast(pa.string()), wanted), False))


def _lists_naming(column: pa.Array, wanted: pa.Array) -> NDArray[np.bool_]:
    naming = np.zeros(len(column), dtype=bool)
    found = pc.is_in(pc.list_flatten(column).cast(pa.string()), wanted)
    naming[np.asarray(pc.list_parent_indices(column))[np.asarray(found)]] = True
    return naming


def _regrouped(
    path: Path, keep: NDArray[np.bool_], product_ids: Sequence[str]
) -> Callable[[pa.Table], pa.Table] | None:
    """Call a group that bears an erased product's name after the shortest, then first, of the products that stay."""
    if GROUP not in pq.read_schema(path).names:
        return None
    table = pq.read_table(path, columns=["product_id", GROUP]).filter(pa.array(keep)).to_pandas()
    left = table[table[GROUP].isin(product_ids)]
    names = {group: min(rows["product_id"], key=lambda name: (len(name), name)) for group, rows in left.groupby(GROUP)}

    def rename(part: pa.Table) -> pa.Table:
        groups = [names.get(group, group) for group in part[GROUP].to_pylist()]
        return part.set_column(
            part.schema.get_field_index(GROUP), part.schema.field(GROUP), pa.array(groups, pa.string())
        )

    return rename
