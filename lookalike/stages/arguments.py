"""What every verb is given: settings by the stage's name, and the address of the collections."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from lookalike.config import StrictConfig, parse_config

if TYPE_CHECKING:
    from lookalike.index.protocol import VectorIndex

Settings = Mapping[str, Mapping[str, Any]]
Config = TypeVar("Config", bound=StrictConfig)

NONE: Settings = {}


def settings_for(kind: type[Config], settings: Settings, stage: str) -> Config:
    """One stage's settings out of the overrides by stage name. Raises ConfigError."""
    return parse_config(kind, dict(settings.get(stage, {})), f"settings.{stage}")


@contextmanager
def collections_at(uri: str) -> Iterator["VectorIndex"]:
    """An open index; Milvus' token, a secret, comes from the environment and not from a pipeline's arguments."""
    from lookalike.index.choose import open_index

    store = open_index(uri, token=os.environ.get("MILVUS_TOKEN", ""))
    try:
        yield store
    finally:
        store.close()
