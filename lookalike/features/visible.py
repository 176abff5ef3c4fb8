"""A release's table becomes what servers read: filled, read back, and only then put in service."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from lookalike.errors import ReleaseError
from lookalike.features.definitions import release_features
from lookalike.features.feast import OnlineFeatures
from lookalike.features.feast_import import is_redis
from lookalike.features.feast_work import feast_at_work
from lookalike.features.filling import Filled, Progress, fill, note_progress, noted_progress, progress_file
from lookalike.features.history import newest_rows
from lookalike.features.read_back import read_back
from lookalike.features.redis_layout import require_apart
from lookalike.features.settings import FeatureSettings
from lookalike.storage import digest_file

log = logging.getLogger(__name__)


def announce(store: Any, table: Path) -> None:
    """Note that a filling begins, before there is a table that could be taken for a complete release's."""
    if noted_progress(table) is None:
        served = table.stem in {service.name for service in store.list_feature_services()}
        note_progress(table, Progress(table="", rows=0, served=served))


def make_visible(store: Any, table: Path, current: pd.DataFrame, settings: FeatureSettings) -> tuple[Filled, int]:
    """Fill the release's view and, when it reads back, apply the service that answers from it."""
    release = release_features(table)
    if is_redis(store.config):
        require_apart(table.parents[1])
    with feast_at_work(f"preparing {table.stem}"):
        store.apply([release.entity, release.source, release.view])
    features = OnlineFeatures(store, [release.view])
    start = _start(table, features, settings)
    note_progress(table, start)
    filled = fill(
        store,
        table,
        settings.batch,
        skip=start.rows,
        passed=lambda rows: note_progress(table, replace(start, rows=rows)),
    )
    try:
        checked = read_back(features, table.stem, current, settings.read_back)
    except ReleaseError:
        note_progress(table, replace(start, table="", rows=0))  # the next run writes everything
        raise
    with feast_at_work(f"putting {table.stem} in service"):
        store.apply([release.service])
    progress_file(table).unlink()
    log.info(
        "%s: %d rows written, %.0f a second, %d read back", table.stem, filled.rows, filled.rows_per_second, checked
    )
    return filled, checked


def _start(table: Path, features: OnlineFeatures, settings: FeatureSettings) -> Progress:
    """Where to begin: after what an interrupted run wrote, when the store still holds it."""
    digest, earlier = digest_file(table), noted_progress(table)
    anew = Progress(digest, 0, earlier is not None and earlier.served)
    if earlier is None or earlier.table != digest or earlier.rows == 0:
        return anew
    newest = newest_rows(table)
    written = newest[newest.index < earlier.rows]
    try:
        read_back(features, table.stem, written, settings.read_back)
        read_back(features, table.stem, written.tail(settings.batch), settings.batch)  # what a crash of Redis loses
    except ReleaseError as error:
        log.warning("%s is filled from the beginning: %s", table.stem, error)
        return anew
    log.info("%s: goes on after %d rows", table.stem, earlier.rows)
    return earlier
