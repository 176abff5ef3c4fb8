"""The validate stage: a shop's delivery becomes the catalogue that later stages trust."""

import importlib
import shutil
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lookalike.catalog.erasures import withhold_erased
from lookalike.catalog.examination import examine_photos
from lookalike.catalog.figures import changes, delivery_figures, learned_values
from lookalike.catalog.near_duplicates import near_duplicate_groups
from lookalike.catalog.photo_sources import PhotoStore
from lookalike.catalog.products import (
    DUPLICATES,
    LOST_PHOTOS,
    MAPPING,
    PHOTO_SCHEMA,
    PHOTOS,
    PHOTOS_PER_PART,
    PRODUCTS,
    QUARANTINE,
    load_catalogue,
)
from lookalike.catalog.quarantine import Verdict, judge
from lookalike.catalog.readers import RawCatalogue, read_catalogue
from lookalike.catalog.summary import summary_markdown
from lookalike.catalog.thresholds import ValidationSettings, broken_thresholds
from lookalike.errors import ConfigError, ValidationFailed
from lookalike.storage import StageRecord, atomic_folder, digest_json, run_stage, write_json

DATA_DOCS = "data_docs"
SUMMARY = "summary.md"


def validate(
    catalogue: str,
    output: Path,
    settings: ValidationSettings | None = None,
    mapping: Path | None = None,
    limit: int | None = None,
) -> StageRecord:
    """Read a delivery (path or fsspec URL), judge it and write the validated catalogue.

    Writes products, photos, quarantine, lost_photos and duplicates (parquet), mapping.json, summary.md and
    data_docs/. Raises CatalogueError or ConfigError where the delivery cannot be read, and ValidationFailed
    where it breaks a threshold; the report and the quarantine then stand in `<output>.rejected`.
    """
    settings = settings or ValidationSettings()
    raw, erased = withhold_erased(read_catalogue(catalogue, mapping, limit, settings.lexicon), settings.erased)
    _check_names(raw, settings)
    store = PhotoStore(settings.photo_root or raw.root, settings.allow_urls, settings.limits.bytes)
    record = run_stage(
        "validate",
        output,
        inputs={} if settings.previous is None else {"previous": settings.previous},
        settings={
            "delivery": raw.digest,
            "referenced_photos": digest_json([store.version(photo.source) for photo in raw.photos]),
            "mapping": raw.mapping.model_dump(),
            "limit": limit,
            **settings.model_dump(mode="json", exclude={"previous", "lexicon"}),
        },
        content=[PRODUCTS, PHOTOS, DUPLICATES, MAPPING],
        work=partial(_work, raw=raw, erased=erased, store=store, settings=settings, rejected=_rejected(output)),
    )
    if not record.reused:
        shutil.rmtree(_rejected(output), ignore_errors=True)  # it told of a delivery that this one replaces
    return record


def _rejected(output: Path) -> Path:
    return output.with_name(f"{output.name}.rejected")


def _check_names(raw: RawCatalogue, settings: ValidationSettings) -> None:
    for setting in ("allowed_values", "max_null_rate"):
        unknown = sorted(set(getattr(settings, setting)) - set(raw.mapping.sources))
        if unknown:
            raise ConfigError(f"{setting} names {unknown}; the mapping's attributes are {sorted(raw.mapping.sources)}")


def _work(
    folder: Path,
    raw: RawCatalogue,
    erased: pd.DataFrame,
    store: PhotoStore,
    settings: ValidationSettings,
    rejected: Path,
) -> dict[str, Any]:
    good, bad = examine_photos(raw.photos, store, settings.limits)
    verdict = judge(raw.rows, good, bad, raw.mapping.required, settings.allowed_values)
    duplicates = near_duplicate_groups(
        verdict.photos["product_id"].to_numpy(dtype=object),
        verdict.photos["phash"].to_numpy(dtype=np.uint64),
        verdict.thumbnails,
        settings.near_duplicates,
    )
    attributes = list(raw.mapping.sources)
    previous = load_catalogue(settings.previous) if settings.previous else None
    learned = learned_values(attributes, previous)
    figures = delivery_figures(raw.rows, verdict, duplicates, attributes, settings.near_duplicates.contrast)
    figures |= changes(verdict, previous, learned)
    figures["query_photos_without_product"] = raw.strangers + _ownerless(raw, verdict)
    figures["erased"] = len(erased)
    expectations = _expectations()
    tables = expectations.delivery_tables(raw.rows, good, bad, duplicates)
    suites = expectations.suites(raw.mapping, settings, tables, learned)
    figures |= expectations.write_data_docs(folder / DATA_DOCS, tables, suites)
    broken = broken_thresholds(figures, settings, raw.mapping.required, raw.mapping.sources)
    quarantine = pd.concat([verdict.quarantine, erased], ignore_index=True) if len(erased) else verdict.quarantine
    _write_report(folder, replace(verdict, quarantine=quarantine), summary_markdown(figures, broken))
    if broken:
        with atomic_folder(rejected) as aside:
            shutil.copytree(folder, aside, dirs_exist_ok=True)
        raise ValidationFailed(f"the catalogue is refused: {'; '.join(broken)}. The report is in {rejected}")
    _write_catalogue(folder, verdict, duplicates, raw)
    return figures


def _ownerless(raw: RawCatalogue, verdict: Verdict) -> int:
    """Query photos of products that went to quarantine."""
    kept = set(verdict.products["product_id"])
    return sum(photo.position < 0 and photo.product_id not in kept for photo in raw.photos)


def _expectations() -> ModuleType:
    """Loaded when needed: Great Expectations takes seconds, and 1.24 warns of what it imports."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"module 'sre_\w+' is deprecated", DeprecationWarning)
        warnings.filterwarnings("ignore", "Please install grpcio-status", ImportWarning)
        return importlib.import_module("lookalike.catalog.expectations")


def _write_report(folder: Path, verdict: Verdict, summary: str) -> None:
    text = [("product_id", pa.string()), ("reason", pa.string()), ("detail", pa.string())]
    _write_table(folder / QUARANTINE, verdict.quarantine, pa.schema([("row", pa.int64()), *text]))
    schema = pa.schema([text[0], ("position", pa.int32()), *text[1:]])
    _write_table(folder / LOST_PHOTOS, verdict.lost_photos, schema)
    (folder / SUMMARY).write_text(summary, encoding="utf-8")


def _write_catalogue(folder: Path, verdict: Verdict, duplicates: pd.DataFrame, raw: RawCatalogue) -> None:
    columns = [(name, _type(verdict.products[name])) for name in verdict.products.columns]
    _write_table(folder / PRODUCTS, verdict.products, pa.schema(columns))
    _write_table(folder / PHOTOS, verdict.photos, PHOTO_SCHEMA, rows=PHOTOS_PER_PART)
    _write_table(folder / DUPLICATES, duplicates, pa.schema([("product_id", pa.string()), ("group_id", pa.string())]))
    write_json(folder / MAPPING, raw.mapping.model_dump(mode="json"))


def _type(values: pd.Series) -> pa.DataType:
    return pa.string() if values.dtype == object else pa.float64()


def _write_table(path: Path, table: pd.DataFrame, schema: pa.Schema, rows: int | None = None) -> None:
    """Without pandas' own metadata, so that the same rows are the same bytes."""
    pq.write_table(
        pa.Table.from_pandas(table, schema=schema, preserve_index=False).replace_schema_metadata(), path, rows
    )
