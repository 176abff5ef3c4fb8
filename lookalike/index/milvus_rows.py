"""Photos as Milvus stores and returns them.

An unknown attribute is stored as "": no known value is empty, and null needs Milvus 2.5 or later.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pymilvus import CollectionSchema, DataType, MilvusClient

from lookalike.index.checks import LONGEST_TEXT
from lookalike.index.protocol import CollectionInfo, GalleryBatch, Hit
from lookalike.index.ranking import round_scores


def collection_schema(info: CollectionInfo) -> CollectionSchema:
    """Photo id, product id, vector and one text per filterable field; nothing else is accepted."""
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("photo_id", DataType.VARCHAR, is_primary=True, max_length=LONGEST_TEXT)
    schema.add_field("product_id", DataType.VARCHAR, max_length=LONGEST_TEXT)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=info.dimension)
    for field in info.fields:
        schema.add_field(field, DataType.VARCHAR, max_length=LONGEST_TEXT)
    return schema


def batch_rows(batch: GalleryBatch, start: int, stop: int) -> list[dict[str, Any]]:
    """Rows start..stop of a checked batch."""
    columns = {"photo_id": batch.photo_ids, "product_id": batch.product_ids, **batch.fields}
    vectors = batch.vectors.astype(np.float32, copy=False)
    return [
        {name: values[row] or "" for name, values in columns.items()} | {"vector": vectors[row]}
        for row in range(start, min(stop, len(vectors)))
    ]


def batch_table(batch: GalleryBatch) -> pa.Table:
    """All rows of a checked batch, as a server imports them from a file."""
    count, dimension = batch.vectors.shape  # (B, D)
    texts = {"photo_id": batch.photo_ids, "product_id": batch.product_ids, **batch.fields}
    columns = {name: pa.array([value or "" for value in values], pa.string()) for name, values in texts.items()}
    ends = pa.array(np.arange(count + 1, dtype=np.int32) * dimension)
    numbers = pa.array(np.ascontiguousarray(batch.vectors, dtype=np.float32).ravel())
    return pa.table(columns | {"vector": pa.ListArray.from_arrays(ends, numbers)})


def answered_hits(answer: Any, fields: Sequence[str]) -> list[Hit]:
    """One query's hits in the order Milvus gave them."""
    scores = round_scores(np.array([found["distance"] for found in answer], dtype=np.float32))
    return [
        Hit(
            found["photo_id"],
            found["entity"]["product_id"],
            float(score),
            {field: found["entity"][field] or None for field in fields},
        )
        for found, score in zip(answer, scores, strict=True)
    ]
