"""Features: a release's attributes, prices and the like in the online store, where serving reads them."""

import contextlib
import io
import logging
import shutil
import sqlite3
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from lookalike.catalog.products import Catalogue, load_catalogue
from lookalike.errors import BackendUnavailable, ConfigError, ReleaseError
from lookalike.features.definitions import release_features
from lookalike.features.feast import FeastLookup, open_store
from lookalike.features.forget import forget_online
from lookalike.features.history import (
    PRODUCT_ID,
    SOURCES,
    TIMESTAMP,
    latest_history,
    served_table,
    with_history,
    write_history,
)
from lookalike.release.manifest import feature_service_name
from lookalike.storage import SEAL, StageRecord, atomic_file, read_json, run_stage, write_json

log = logging.getLogger(__name__)

FEATURES = "features.json"
SAMPLE = 200
"""Products read back after materialising; a failed materialisation reads as unknown products."""
DEADLINE_SECONDS = 60.0


def materialise(
    validated: Path,
    output: Path,
    feature_store: Path,
    release_id: str,
    now: datetime,
    definitions: Path | None = None,
) -> StageRecord:
    """Make a release's features readable online, beside those of earlier releases.

    `feature_store` becomes a Feast repository of its own: where it has no feature_store.yaml yet, the files of
    `definitions` are copied into it; one that is there (with Redis, say) stays as it is. Values are valid from
    `now` unless they were the same before. Raises ReleaseError when what was written does not read back.
    """
    if now.tzinfo is None:
        raise ConfigError(f"the time {now} has no time zone; features are recorded in UTC")
    catalogue = load_catalogue(validated)
    service = feature_service_name(release_id)
    if _recorded(output) == service and not _stands(catalogue, feature_store, service):
        (output / SEAL).unlink(missing_ok=True)  # a record whose features are gone is not a finished output
    return run_stage(
        "features",
        output,
        inputs={"validated": validated},
        settings={"release_id": release_id, "feature_store": str(feature_store.resolve())},
        content=[FEATURES],
        work=lambda folder: _materialise(catalogue, folder, feature_store, release_id, now, definitions),
    )


def refresh(
    feature_store: Path, service: str, now: datetime, catalogue: Catalogue, since: datetime, gone: Sequence[str]
) -> int:
    """Bring one release's features to another catalogue, in place; returns how many products changed.

    Only what changed after `since` is written, so an interrupted refresh is finished by the next one; `gone` products
    are removed. Raises ReleaseError when the catalogue serves other features than the release.
    """
    table, current = feature_store / SOURCES / f"{service}.parquet", served_table(catalogue)
    if not table.is_file():
        raise ReleaseError(f"{feature_store} has no features of {service}; run `lookalike features` first")
    earlier = pq.read_table(table).to_pandas()
    if list(earlier.columns) != [*current.columns, TIMESTAMP]:
        raise ReleaseError(
            f"the catalogue serves {list(current.columns)}, {service} {list(earlier.columns)}; "
            "other features need a new release"
        )
    history = with_history(current, earlier, now)
    with atomic_file(table) as aside:
        write_history(history, aside)
        if pq.read_schema(aside) != pq.read_schema(table):
            raise ReleaseError(f"a feature of {service} has another type in the catalogue; that needs a new release")
    changed = set(history.loc[history[TIMESTAMP] > pd.Timestamp(since), PRODUCT_ID])
    if changed:
        _apply_and_fill(feature_store, table, pd.Timestamp(since), now)
        _read_back(feature_store, service, current[current[PRODUCT_ID].isin(changed)])
    if gone:
        forget_online(feature_store, [service], gone)
    return len(changed)


def served_releases(feature_store: Path) -> list[str]:
    """Names of the feature services of every release that has features here, sorted."""
    return sorted(path.stem for path in (feature_store / SOURCES).glob("*.parquet"))


def prune_features(feature_store: Path, keep: Collection[str]) -> list[str]:
    """Remove the services, views and tables of releases not in `keep`; returns the services' names."""
    store = open_store(feature_store)
    doomed = [path for path in sorted((feature_store / SOURCES).glob("*.parquet")) if path.stem not in keep]
    for table in doomed:
        old = release_features(table)
        with _feast_at_work(f"removing {table.stem} from {feature_store}"):
            store.apply([], objects_to_delete=[old.service, old.view, old.source], partial=False)
        table.unlink()
    return [table.stem for table in doomed]


def _materialise(
    catalogue: Catalogue, folder: Path, feature_store: Path, release_id: str, now: datetime, definitions: Path | None
) -> dict[str, Any]:
    service = feature_service_name(release_id)
    _prepare(feature_store, definitions)
    current = served_table(catalogue)
    history = with_history(current, _history_before(feature_store, now), now)
    table = feature_store / SOURCES / f"{service}.parquet"
    with atomic_file(table) as aside:
        write_history(history, aside)
    _apply_and_fill(feature_store, table, history[TIMESTAMP].min(), now)
    checked = _read_back(feature_store, service, current)
    features = [name for name in current if name != PRODUCT_ID]
    outcome = {"feature_service": service, "release_id": release_id, "products": len(current), "features": features}
    write_json(folder / FEATURES, outcome)
    changed = int((history[TIMESTAMP] == pd.Timestamp(now)).sum())
    return {**outcome, "changed": changed, "read_back": checked, "valid_from": now.astimezone(UTC).isoformat()}


def _prepare(feature_store: Path, definitions: Path | None) -> None:
    """Make the folder a Feast repository of its own."""
    (feature_store / SOURCES).mkdir(parents=True, exist_ok=True)
    if not (feature_store / "feature_store.yaml").is_file():
        if definitions is None or not (definitions / "feature_store.yaml").is_file():
            raise ConfigError(f"{feature_store} has no feature_store.yaml and {definitions} has none to copy")
        for path in [*definitions.glob("*.py"), definitions / "feature_store.yaml"]:
            shutil.copyfile(path, feature_store / path.name)
    online = open_store(feature_store).config.online_store
    if online.type == "sqlite":
        # Write-ahead logging, kept in the file: readers of the old release are not locked out while the new fills.
        with contextlib.closing(sqlite3.connect(feature_store / online.path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


def _history_before(feature_store: Path, now: datetime) -> pd.DataFrame | None:
    earlier = latest_history(feature_store)
    if earlier is not None and earlier[TIMESTAMP].max() > pd.Timestamp(now):
        raise ConfigError(f"features were recorded until {earlier[TIMESTAMP].max()}; {now} is before that")
    return earlier


def _apply_and_fill(feature_store: Path, table: Path, since: pd.Timestamp, now: datetime) -> None:
    store, release = open_store(feature_store), release_features(table)
    with _feast_at_work(f"filling {release.view.name} in {feature_store}"):
        store.apply([release.entity, release.source, release.view, release.service])
        start = since.to_pydatetime() - timedelta(seconds=1)
        store.materialize(start, now, feature_views=[release.view.name])


@contextlib.contextmanager
def _feast_at_work(task: str) -> Iterator[None]:
    """Keep what Feast prints for the log, ignore what its parts warn of, and give its failures one name."""
    said = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            warnings.filterwarnings("ignore", message="fetch_arrow_table", category=DeprecationWarning)  # ibis, DuckDB
            yield
    except Exception as error:  # Feast, DuckDB and every online store have their own exceptions
        raise BackendUnavailable(f"Feast failed while {task}: {error}") from error
    finally:
        log.debug("%s", said.getvalue())


def _read_back(feature_store: Path, service: str, current: pd.DataFrame) -> int:
    """Compare a sample with the catalogue; returns its size. Raises ReleaseError."""
    sample = current.sample(min(SAMPLE, len(current)), random_state=0)
    found = FeastLookup(feature_store, service).lookup(sample[PRODUCT_ID].tolist(), DEADLINE_SECONDS)
    for row in sample.to_dict("records"):
        product = row.pop(PRODUCT_ID)
        expected = {str(name): value for name, value in row.items() if not pd.isna(value)}
        if not _equal(found.get(product, {}), expected):
            raise ReleaseError(
                f"{service} reads {found.get(product)} for product {product}, the catalogue says {expected}"
            )
    return len(sample)


def _equal(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    if found.keys() != expected.keys():
        return False
    return all(
        bool(np.isclose(found[name], value)) if isinstance(value, float) else found[name] == value
        for name, value in expected.items()
    )


def _recorded(output: Path) -> str | None:
    """The feature service an earlier run wrote down."""
    return str(read_json(output / FEATURES)["feature_service"]) if (output / FEATURES).is_file() else None


def _stands(catalogue: Catalogue, feature_store: Path, service: str) -> bool:
    """Whether the release's features are there and are the catalogue's."""
    if not (feature_store / SOURCES / f"{service}.parquet").is_file():
        return False
    try:
        _read_back(feature_store, service, served_table(catalogue))
    except (ReleaseError, BackendUnavailable) as error:
        log.warning("the features of %s are made again: %s", service, error)
        return False
    return True
