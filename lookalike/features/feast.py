"""Features from Feast's online store: SQLite on a laptop, Redis and others by feature_store.yaml alone."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lookalike.errors import BackendUnavailable, ReleaseError
from lookalike.features.feast_import import import_feast
from lookalike.features.history import PRODUCT_ID
from lookalike.features.protocol import Features


def open_store(feature_store: Path) -> Any:
    """Feast's FeatureStore over a folder with feature_store.yaml. Raises ReleaseError where there is none."""
    if not (feature_store / "feature_store.yaml").is_file():
        raise ReleaseError(
            f"{feature_store} is no feature store (no feature_store.yaml); run `lookalike features` first"
        )
    return import_feast().FeatureStore(repo_path=str(feature_store))


class FeastLookup:
    """A FeatureLookup over one release's feature service.

    Opening it reads once, because the first read costs half a second and a store that does not answer is better
    found now. Raises ReleaseError for an unknown service.
    """

    def __init__(self, feature_store: Path, service: str) -> None:
        self._folder = feature_store
        self._store = open_store(feature_store)
        known = sorted(found.name for found in self._store.list_feature_services())
        if service not in known:
            raise ReleaseError(f"{feature_store} has no feature service {service!r}; it has {known}")
        self._service = self._store.get_feature_service(service)
        with warnings.catch_warnings():
            # On its first read Feast imports every other online store, and one of them hides a parent's field.
            warnings.filterwarnings("ignore", message='Field name "vector_enabled" in "MilvusOnlineStoreConfig"')
            self.lookup(["-"], deadline_seconds=60.0)

    def lookup(self, product_ids: Sequence[str], deadline_seconds: float) -> Features:
        ids = list(dict.fromkeys(product_ids))
        if not ids:
            return {}
        try:
            answer = self._store.get_online_features(self._service, entity_rows=[{PRODUCT_ID: i} for i in ids])
        except Exception as error:  # each online store has its own exceptions; Feast does not map them
            raise BackendUnavailable(f"the feature store {self._folder} does not answer: {error}") from error
        columns = answer.to_dict()
        names = [name for name in columns if name != PRODUCT_ID]
        found: dict[str, dict[str, Any]] = {}
        for row, product in enumerate(columns[PRODUCT_ID]):
            values = {name: columns[name][row] for name in names if columns[name][row] is not None}
            if values:
                found[product] = values
        return found
