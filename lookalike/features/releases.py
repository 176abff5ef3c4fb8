"""The releases that have features in a store, and those that have them no longer."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from lookalike.features.definitions import release_features
from lookalike.features.feast import open_store
from lookalike.features.feast_import import is_redis
from lookalike.features.feast_work import feast_at_work
from lookalike.features.filling import progress_file
from lookalike.features.forget import forget_release
from lookalike.features.history import release_tables


def served_releases(feature_store: Path) -> list[str]:
    """Names of the feature services of every release that has features here, complete or not, sorted."""
    return [table.stem for table in release_tables(feature_store)]


def prune_features(feature_store: Path, keep: Collection[str]) -> list[str]:
    """Remove the services, views, values and tables of releases not in `keep`; returns the services' names.

    The table goes last: it says which products the online store holds, so an interrupted run is repeated.
    """
    store = open_store(feature_store)
    doomed = [table for table in release_tables(feature_store) if table.stem not in keep]
    for table in doomed:
        with feast_at_work(f"removing {table.stem} from {feature_store}"):
            store.apply([], objects_to_delete=_registered(store, table), partial=False)
            if is_redis(store.config):
                forget_release(store, table)
        progress_file(table).unlink(missing_ok=True)
        table.unlink()
    return [table.stem for table in doomed]


def _registered(store: Any, table: Path) -> list[Any]:
    """What Feast still knows of the release."""
    old = release_features(table)
    known = {
        "service": {one.name for one in store.list_feature_services()},
        "view": {one.name for one in store.list_batch_feature_views()},
        "source": {one.name for one in store.list_data_sources()},
    }
    parts = {"service": old.service, "view": old.view, "source": old.source}
    return [part for kind, part in parts.items() if part.name in known[kind]]
