"""What was known about every product, and since when: the table behind a release's features."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.catalog.products import Catalogue, attribute_column, feature_column
from lookalike.errors import CatalogueError

PRODUCT_ID = "product_id"
TIMESTAMP = "event_timestamp"
SOURCES = "sources"
"""Folder of a feature store that holds one such table per release."""


def served_table(catalogue: Catalogue) -> pd.DataFrame:
    """One row per product: id, title, vertical, attributes and features under their own names.

    Raises CatalogueError when two of them share a name.
    """
    columns = {PRODUCT_ID: PRODUCT_ID, "title": "title", "vertical": "vertical"}
    attributes = {attribute_column(name): name for name in catalogue.attributes}
    features = {feature_column(name): name for name in catalogue.mapping.features}
    named = [*columns.values(), TIMESTAMP, *attributes.values(), *features.values()]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise CatalogueError(f"the mapping uses {twice} for more than one served feature; rename one of them")
    columns |= attributes | features
    return catalogue.products[list(columns)].rename(columns=columns).reset_index(drop=True)


def with_history(current: pd.DataFrame, earlier: pd.DataFrame | None, now: datetime) -> pd.DataFrame:
    """Add the products that changed, as of `now`, to what was known before.

    `current` has one row per product; `earlier` has a row for every change, with TIMESTAMP. Products that left the
    catalogue leave its history too: removed means gone. A column whose type changed starts anew.
    """
    stamped = current.assign(**{TIMESTAMP: pd.Timestamp(now).as_unit("us")})
    if earlier is None:
        return _in_order(stamped)
    kept = earlier[earlier[PRODUCT_ID].isin(current[PRODUCT_ID])].reindex(columns=stamped.columns)
    for column in current:
        if kept[column].dtype != current[column].dtype:
            kept[column] = pd.Series([None] * len(kept), index=kept.index, dtype=current[column].dtype)
    latest = kept.sort_values(TIMESTAMP).drop_duplicates(PRODUCT_ID, keep="last").set_index(PRODUCT_ID)
    before = latest.reindex(current[PRODUCT_ID])[[c for c in current if c != PRODUCT_ID]].reset_index(drop=True)
    after = current[before.columns]
    same = ((before == after) | (before.isna() & after.isna())).all(axis=1) & current[PRODUCT_ID].isin(latest.index)
    return _in_order(pd.concat([kept, stamped[~same]]))


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values([PRODUCT_ID, TIMESTAMP]).reset_index(drop=True)


def release_tables(feature_store: Path) -> list[Path]:
    """The tables of every release that has features here, sorted; what a killed writer left aside is none."""
    return sorted(path for path in (feature_store / SOURCES).glob("*.parquet") if not path.name.startswith("."))


def latest_history(feature_store: Path) -> pd.DataFrame | None:
    """The table of the release that was made last, None before the first."""
    latest = max(release_tables(feature_store), key=_last_change, default=None)
    return None if latest is None else pq.read_table(latest).to_pandas()


def newest_rows(table: Path) -> pd.DataFrame:
    """What a release's table says now: one row per product, without the time, numbered as in the table."""
    return pq.read_table(table).to_pandas().drop_duplicates(PRODUCT_ID, keep="last").drop(columns=TIMESTAMP)


def _last_change(table: Path) -> pd.Timestamp:
    return pq.read_table(table, columns=[TIMESTAMP]).to_pandas()[TIMESTAMP].max()


def write_history(table: pd.DataFrame, path: Path) -> None:
    """Write the table with timestamps in microseconds: DuckDB drops the time zone of nanoseconds."""
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    stamped = schema.get_field_index(TIMESTAMP)
    schema = schema.set(stamped, pa.field(TIMESTAMP, pa.timestamp("us", tz="UTC")))
    for index, field in enumerate(schema):
        if pa.types.is_null(field.type):  # nothing is known yet, and Feast needs a type
            schema = schema.set(index, pa.field(field.name, pa.string()))
    pq.write_table(pa.Table.from_pandas(table, schema=schema, preserve_index=False), path)
