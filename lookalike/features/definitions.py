"""Feast's objects for a shop: one product entity, and one source, view and service for every release.

Every release has its own view, so that the old one goes on answering its own values while the new one is filled.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.errors import CatalogueError
from lookalike.features.feast_import import import_feast
from lookalike.features.filling import noted_progress
from lookalike.features.history import PRODUCT_ID, TIMESTAMP, release_tables


@dataclass(frozen=True)
class ReleaseFeatures:
    """What Feast knows of one release; view and service are named after the release's feature service."""

    entity: Any
    source: Any
    view: Any
    service: Any


def product_entity() -> Any:
    """The entity all features belong to."""
    feast = import_feast()
    return feast.Entity(
        name="product",
        join_keys=[PRODUCT_ID],
        value_type=feast.ValueType.STRING,
        description="A product of the shop's catalogue.",
    )


def release_features(table: Path) -> ReleaseFeatures:
    """The objects of the release whose history is `table`; its columns are the features."""
    feast = import_feast()
    name, entity = table.stem, product_entity()
    fields = [feast.Field(name=field.name, dtype=_type(field)) for field in pq.read_schema(table)]
    source = feast.FileSource(name=f"{name}_source", path=str(table.resolve()), timestamp_field=TIMESTAMP)
    view = feast.FeatureView(
        name=name,
        entities=[entity],
        schema=[field for field in fields if field.name != TIMESTAMP],
        source=source,
        ttl=timedelta(0),  # a product's values hold until they change
    )
    return ReleaseFeatures(entity, source, view, feast.FeatureService(name=name, features=[view]))


def release_definitions(feature_store: Path) -> dict[str, Any]:
    """Every release's objects by a name for each, as `feast apply` wants them in a module.

    A release that is being filled for the first time has no service yet.
    """
    definitions: dict[str, Any] = {}
    for table in release_tables(feature_store):
        release = release_features(table)
        definitions |= {
            f"{table.stem}_source": release.source,
            f"{table.stem}_view": release.view,
        }
        filling = noted_progress(table)
        if filling is None or filling.served:
            definitions[f"{table.stem}_service"] = release.service
    return definitions


def _type(field: pa.Field) -> Any:
    types = import_feast().types
    if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
        return types.String
    if pa.types.is_floating(field.type):
        return types.Float64
    if pa.types.is_boolean(field.type):
        return types.Bool
    if pa.types.is_integer(field.type):
        return types.Int64
    if pa.types.is_timestamp(field.type):
        return types.UnixTimestamp
    raise CatalogueError(f"feature {field.name} is {field.type}; text, numbers, truth values and times can be served")
