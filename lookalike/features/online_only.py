"""Feast where features are only read: its configuration asks for an offline store, and every one imports a database."""

from feast.infra.offline_stores.offline_store import OfflineStore
from feast.repo_config import FeastConfigBaseModel


class AbsentOfflineStoreConfig(FeastConfigBaseModel):
    """Feast finds it by its name, and requires the field."""

    type: str = f"{__name__}.AbsentOfflineStore"


class AbsentOfflineStore(OfflineStore):
    """Nobody asks it anything."""
