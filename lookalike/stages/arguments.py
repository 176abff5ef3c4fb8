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
MILVUS_TOKEN = "MILVUS_TOKEN"
"""Environment variable with `user:password` or an API key: a secret, and so no argument of a verb or of a run."""


def settings_for(kind: type[Config], settings: Settings, stage: str) -> Config:
    """One stage's settings out of the overrides by stage name. Raises ConfigError."""
    return parse_config(kind, dict(settings.get(stage, {})), f"settings.{stage}")


def milvus_token() -> str:
    """The environment's; empty where there is none."""
    return os.environ.get(MILVUS_TOKEN, "")


@contextmanager
def collections_at(uri: str) -> Iterator["VectorIndex"]:
    """An open index, with the environment's token where Milvus asks for one."""
    from lookalike.index.choose import open_index

    store = open_index(uri, milvus_token())
    try:
        yield store
    finally:
        store.close()
