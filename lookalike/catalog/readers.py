"""Reading a shop's catalogue as it was delivered: parquet or CSV, a file, a folder or a URL."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from lookalike.catalog.mapping import CatalogueMapping
from lookalike.catalog.photo_sources import RawPhoto, cell_sources
from lookalike.catalog.products import attribute_column, feature_column
from lookalike.catalog.tables import CatalogueFiles
from lookalike.catalog.titles import add_stated
from lookalike.config import parse_config
from lookalike.errors import CatalogueError


@dataclass(frozen=True)
class RawCatalogue:
    """A catalogue as delivered, in the names of its mapping; nothing has been judged yet."""

    mapping: CatalogueMapping
    rows: pd.DataFrame
    """One row per delivered row: row, product_id, title, vertical, attribute_*, feature_*; None where unknown."""
    photos: list[RawPhoto]
    """Photos of the rows, then query photos of the same ids at positions -1, -2, …"""
    root: str
    """Folder or URL that relative photo paths start from."""
    digest: str
    """SHA-256 over the files' names and bytes."""
    strangers: int
    """Query photos left aside because their product was not read."""


def read_catalogue(
    uri: str, mapping: Path | None = None, limit: int | None = None, lexicon: str | None = None
) -> RawCatalogue:
    """Read a catalogue from a path or any fsspec URL, with its own mapping file, the given one, or a preset.

    `limit` reads the n products whose ids have the smallest SHA-256, so the same n always picks the same.
    `lexicon` takes the place of the mapping's; the answer's mapping has what of it the titles bear out.
    Raises CatalogueError or ConfigError naming what is missing or misspelled.
    """
    if limit is not None and limit < 1:
        raise CatalogueError(f"limit is {limit}; at least 1 product must be read")
    source = CatalogueFiles.find(uri, mapping)
    table = source.table()
    asked = source.mapping if lexicon is None else _with_lexicon(source.mapping, lexicon)
    rows = _rows(table, asked)
    if limit is not None:
        rows = rows[rows["product_id"].isin(_drawn(rows["product_id"], limit))]
    if rows.empty:
        raise CatalogueError(f"the catalogue {uri} has no rows")
    rows, borne_out = add_stated(rows, asked)
    photos = _catalogue_photos(table, rows, borne_out)
    queries, strangers = _query_photos(source, set(rows["product_id"]))
    return RawCatalogue(borne_out, rows, photos + queries, source.root, source.digest(), strangers)


def _with_lexicon(mapping: CatalogueMapping, lexicon: str) -> CatalogueMapping:
    return parse_config(CatalogueMapping, mapping.model_dump() | {"lexicon": lexicon}, f"the mapping with {lexicon}")


# --- the rows --------------------------------------------------------------------------------------------------


def _rows(table: pa.Table, mapping: CatalogueMapping) -> pd.DataFrame:
    """The delivered rows in the mapping's names, with one way of saying unknown."""
    missing = _missing_words(mapping)
    columns: dict[str, list[Any] | range] = {
        "row": range(table.num_rows),
        "product_id": [_text(value, missing) for value in table[mapping.id].to_pylist()],
        "title": _texts(table, mapping.title, missing) if mapping.title else [None] * table.num_rows,
        "vertical": _texts(table, mapping.vertical, missing),
    }
    for name, column in mapping.attributes.items():
        columns[attribute_column(name)] = _texts(table, column, missing)
    rows = pd.DataFrame(columns, dtype=object).astype({"row": int})
    for name, column in mapping.features.items():
        rows[feature_column(name)] = _feature(_texts(table, column, missing))
    return rows


def _missing_words(mapping: CatalogueMapping) -> frozenset[str]:
    return frozenset(word.casefold() for word in mapping.missing)


def _texts(table: pa.Table, column: str, missing: frozenset[str]) -> list[str | None]:
    return [_text(value, missing) for value in table[column].to_pylist()]


def _text(value: Any, missing: frozenset[str]) -> str | None:
    """A cell as text, None where it stands for unknown; 7.0 is 7, since a gap turns integers into floats."""
    if value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = " ".join(str(value).split())
    return None if text.casefold() in missing else text


def _feature(values: list[str | None]) -> pd.Series:
    """Numbers where every known value is one, else text."""
    text = pd.Series(values, dtype=object)
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    return numbers if (numbers.notna() == text.notna()).all() else text


def _drawn(ids: pd.Series, limit: int) -> set[str]:
    known = ids.dropna().unique()
    return set(sorted(known, key=lambda product: hashlib.sha256(product.encode()).digest())[:limit])


# --- the photos ------------------------------------------------------------------------------------------------


def _catalogue_photos(table: pa.Table, rows: pd.DataFrame, mapping: CatalogueMapping) -> list[RawPhoto]:
    taken = table.select(list(mapping.image)).take(pa.array(rows["row"]))
    photos = []
    for row, product_id, cells in zip(rows["row"], rows["product_id"], _cells(taken), strict=True):
        sources = cell_sources(cells, _missing_words(mapping))
        photos += [RawPhoto(row, product_id, position, found) for position, found in enumerate(sources)]
    return photos


def _query_photos(source: CatalogueFiles, known: set[str]) -> tuple[list[RawPhoto], int]:
    """Query photos of the products read, numbered -1, -2, … per product in the order of their digests."""
    if not source.queries:
        return [], 0
    mapping = source.mapping
    table = source.query_table()
    missing = _missing_words(mapping)
    found: dict[str, list[object]] = {}
    strangers = 0
    products, photos_of_rows = _texts(table, mapping.id, missing), _cells(table.drop_columns(mapping.id))
    for product, cells in zip(products, photos_of_rows, strict=True):
        if product is None or product not in known:
            strangers += 1
        else:
            found.setdefault(product, []).extend(cell_sources(cells, missing))
    photos = [
        RawPhoto(-1, product, -1 - number, content)
        for product, contents in sorted(found.items())
        for number, content in enumerate(sorted(contents, key=_source_order))
    ]
    return photos, strangers


def _cells(table: pa.Table) -> list[tuple[Any, ...]]:
    """The image cells of each row, one tuple per row."""
    return list(zip(*(table[column].to_pylist() for column in table.column_names), strict=True))


def _source_order(source: object) -> str:
    return hashlib.sha256(source if isinstance(source, bytes) else str(source).encode()).hexdigest()
