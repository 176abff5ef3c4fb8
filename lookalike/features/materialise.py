"""Features: a release's attributes, prices and the like in the online store, where serving reads them."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.errors import BackendUnavailable, ConfigError, ReleaseError
from lookalike.features.feast import FeastLookup, open_store
from lookalike.features.feast_import import keys_expire
from lookalike.features.history import (
    PRODUCT_ID,
    SOURCES,
    TIMESTAMP,
    latest_history,
    served_table,
    with_history,
    write_history,
)
from lookalike.features.read_back import read_back
from lookalike.features.settings import FeatureSettings
from lookalike.features.store_file import prepare_store
from lookalike.features.visible import announce, make_visible
from lookalike.release.manifest import feature_service_name
from lookalike.storage import SEAL, StageRecord, atomic_file, read_json, run_stage, write_json

log = logging.getLogger(__name__)

FEATURES = "features.json"


def materialise(
    validated: Path,
    output: Path,
    feature_store: Path,
    release_id: str,
    now: datetime,
    definitions: Path | None = None,
    settings: FeatureSettings | None = None,
) -> StageRecord:
    """Make a release's features readable online, beside those of earlier releases.

    `feature_store` becomes a Feast repository of its own: where it has no feature_store.yaml yet, the files of
    `definitions` are copied into it; one that is there stays as it is, but for an online store that `settings` choose.
    Values are valid from `now` unless they were the same before. The release answers when all of its features are
    written and a sample reads back; a run that was killed before is taken up where it stopped. Raises ReleaseError
    when what was written does not read back.
    """
    if now.tzinfo is None:
        raise ConfigError(f"the time {now} has no time zone; features are recorded in UTC")
    catalogue, settings = load_catalogue(validated), settings or FeatureSettings()
    service = feature_service_name(release_id)
    if (feature_store / SOURCES).is_dir():
        prepare_store(feature_store, definitions, settings)  # what is recorded may stand in another online store
    if _recorded(output) == service and not _stands(catalogue, feature_store, service, settings):
        (output / SEAL).unlink(missing_ok=True)  # a record whose features are gone is not a finished output
    return run_stage(
        "features",
        output,
        inputs={"validated": validated},
        settings={"release_id": release_id, "feature_store": str(feature_store.resolve())},
        content=[FEATURES],
        work=lambda folder: _materialise(catalogue, folder, feature_store, release_id, now, definitions, settings),
    )


def _materialise(
    catalogue: Catalogue,
    folder: Path,
    feature_store: Path,
    release_id: str,
    now: datetime,
    definitions: Path | None,
    settings: FeatureSettings,
) -> dict[str, Any]:
    service = feature_service_name(release_id)
    prepare_store(feature_store, definitions, settings)
    current = served_table(catalogue)
    store, table = open_store(feature_store), feature_store / SOURCES / f"{service}.parquet"
    announce(store, table)
    changed = _write_table(feature_store, table, current, now)
    filled, checked = make_visible(store, table, current, settings)
    features = [name for name in current if name != PRODUCT_ID]
    outcome = {"feature_service": service, "release_id": release_id, "products": len(current), "features": features}
    write_json(folder / FEATURES, outcome)
    return {
        **outcome,
        "changed": changed,
        "written": filled.rows,
        "resumed_from": filled.resumed_from,
        "rows_per_second": round(filled.rows_per_second),
        "read_back": checked,
        "valid_from": now.astimezone(UTC).isoformat(),
    }


def _write_table(feature_store: Path, table: Path, current: pd.DataFrame, now: datetime) -> int:
    """Write the release's history, unless it is there; returns how many products changed."""
    earlier = latest_history(feature_store)
    if earlier is not None and earlier[TIMESTAMP].max() > pd.Timestamp(now):
        raise ConfigError(f"features were recorded until {earlier[TIMESTAMP].max()}; {now} is before that")
    history = with_history(current, earlier, now)
    changed = int((history[TIMESTAMP] == pd.Timestamp(now)).sum())
    if not changed and table.is_file():
        known = pq.read_schema(table).names, pq.read_metadata(table).num_rows
        if known == (list(history.columns), len(history)):
            return 0  # as it was written before, so that an interrupted filling of it goes on
    with atomic_file(table) as aside:
        write_history(history, aside)
    return changed


def _recorded(output: Path) -> str | None:
    """The feature service an earlier run wrote down."""
    return str(read_json(output / FEATURES)["feature_service"]) if (output / FEATURES).is_file() else None


def _stands(catalogue: Catalogue, feature_store: Path, service: str, settings: FeatureSettings) -> bool:
    """Whether the release's features are there, are the catalogue's, and are going to stay."""
    if not (feature_store / SOURCES / f"{service}.parquet").is_file():
        return False
    if keys_expire(open_store(feature_store).config):
        return False  # written again, before they do
    try:
        read_back(FeastLookup(feature_store, service), service, served_table(catalogue), settings.read_back)
    except (ReleaseError, BackendUnavailable) as error:
        log.warning("the features of %s are made again: %s", service, error)
        return False
    return True
