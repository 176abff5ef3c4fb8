"""Features from Feast's online store: SQLite on a laptop, Redis and others by feature_store.yaml alone."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lookalike.errors import BackendUnavailable, ReleaseError
from lookalike.features.feast_import import import_feast, importing_stores, online_parts
from lookalike.features.history import PRODUCT_ID
from lookalike.features.protocol import Features
from lookalike.features.sqlite_times import read_both

ABSENT = "lookalike.features.online_only.AbsentOfflineStore"
log = logging.getLogger(__name__)

READ_SECONDS = 1.0
"""A read of Redis that takes longer has failed; an answer stops waiting for it long before."""


def open_store(feature_store: Path, online_only: bool = False) -> Any:
    """Feast's FeatureStore over a folder with feature_store.yaml. Raises ReleaseError where there is none.

    `online_only` leaves out the offline store with all it imports: reading needs none, and the serving image has none.
    """
    if not (feature_store / "feature_store.yaml").is_file():
        raise ReleaseError(
            f"{feature_store} is no feature store (no feature_store.yaml); run `lookalike features` first"
        )
    feast = import_feast()
    with importing_stores():
        config = _without_offline_store(feature_store) if online_only else None
        store = feast.FeatureStore(repo_path=str(feature_store), config=config)
        online = store.config.online_store
    if online.type == "redis":
        online.full_scan_for_deletion = False  # we know the keys; the scan holds all of the server's in memory
        online.skip_dedup = True  # tables are written in order of time, and what was lost must be written again
    return store


def _without_offline_store(feature_store: Path) -> Any:
    """As `feast.repo_config.load_repo_config` reads it, but for the offline store."""
    from feast.repo_config import RepoConfig

    written = (feature_store / "feature_store.yaml").read_text(encoding="utf-8")
    config = RepoConfig(**{**yaml.safe_load(os.path.expandvars(written)), "offline_store": {"type": ABSENT}})
    config.repo_path = feature_store
    return config


class OnlineFeatures:
    """A FeatureLookup over some of Feast's views.

    It reads the online store through the interface that every one of Feast's implements, each view at once, as
    `get_online_features` does beneath the checks and tables that took twice as long as reading ten products did.
    """

    def __init__(self, store: Any, views: Sequence[Any]) -> None:
        """`views` are projections of views, or views, each with the features to read."""
        self._folder = store.repo_path
        self._views = [(store.get_feature_view(each.name), [one.name for one in each.features]) for each in views]
        self._config = store.config
        self._parts = online_parts(store.config, READ_SECONDS)

    def lookup(self, product_ids: Sequence[str], deadline_seconds: float) -> Features:
        ids = list(dict.fromkeys(product_ids))
        if not ids:
            return {}
        keys = [self._parts.key(join_keys=[PRODUCT_ID], entity_values=[self._parts.value(string_val=i)]) for i in ids]
        found: dict[str, dict[str, Any]] = {}
        for view, names in self._views:
            for product, stored in zip(ids, self._read(view, keys, names), strict=True):
                values = {name: self._parts.python(stored[name]) for name in names if name in stored}
                known = {name: value for name, value in values.items() if value is not None}
                if known:
                    found.setdefault(product, {}).update(known)
        return found

    def _read(self, view: Any, keys: list[Any], names: list[str]) -> list[dict[str, Any]]:
        """What the store has of each key."""
        read_both()
        try:
            rows = self._parts.store.online_read(self._config, view, keys, list(names))  # Redis' adds to the list
        except Exception as error:  # each online store has its own exceptions; Feast does not map them
            raise BackendUnavailable(f"the feature store {self._folder} does not answer: {error}") from error
        return [stored or {} for _, stored in rows]


class FeastLookup(OnlineFeatures):
    """A FeatureLookup over one release's feature service.

    Opening it reads once, because the first read costs half a second and a store that does not answer is better
    found now; a server that would rather start without features has it only logged. Raises ReleaseError for an
    unknown service, which is also one whose features are not complete yet.
    """

    def __init__(self, feature_store: Path, service: str, must_answer: bool = True) -> None:
        store = open_store(feature_store, online_only=True)
        known = sorted(found.name for found in store.list_feature_services())
        if service not in known:
            raise ReleaseError(f"{feature_store} has no feature service {service!r}; it has {known}")
        super().__init__(store, store.get_feature_service(service).feature_view_projections)
        try:
            self.lookup(["-"], deadline_seconds=60.0)
        except BackendUnavailable as error:
            if must_answer:
                raise
            log.warning("%s is served without features until the store answers: %s", service, error)
