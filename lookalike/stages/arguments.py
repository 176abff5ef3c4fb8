"""What every verb is given: settings by the stage's name, and the address of the collections."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from lookalike.config import StrictConfig, parse_config
from lookalike.errors import ConfigError

if TYPE_CHECKING:
    from lookalike.index.protocol import VectorIndex

Settings = Mapping[str, Mapping[str, Any]]
Config = TypeVar("Config", bound=StrictConfig)

NONE: Settings = {}
STAGES = (
    "validate",
    "split",
    "feedback",
    "mine",
    "export",
    "evaluate",
    "index",
    "features",
    "drift",
    "decide",
    "select",
)
"""Whose settings can be overridden; a file of settings may serve verbs that are no task, too."""
MILVUS_TOKEN = "MILVUS_TOKEN"
"""Environment variable with `user:password` or an API key: a secret, and so no argument of a verb or of a run."""
MILVUS_URI = "MILVUS_URI"
"""Environment variable with Milvus' address, for tasks that are told none."""


def settings_for(kind: type[Config], settings: Settings, stage: str) -> Config:
    """One stage's settings out of the overrides by stage name. Raises ConfigError."""
    return parse_config(kind, dict(settings.get(stage, {})), f"settings.{stage}")


def milvus_token() -> str:
    """The environment's; empty where there is none."""
    return os.environ.get(MILVUS_TOKEN, "")


def settings_by_task(settings: Settings) -> dict[str, dict[str, dict[str, Any]]]:
    """Per task of a pipeline that is cached, the overrides that it alone depends on: another stage's do not touch it.

    Raises ConfigError for the name of a stage that there is not.
    """
    unknown = sorted(set(settings) - set(STAGES))
    if unknown:
        raise ConfigError(f"settings name the stages {unknown}; there are {', '.join(STAGES)}")
    by_stage = {stage: {stage: dict(settings[stage])} if stage in settings else {} for stage in STAGES}
    batch = settings.get("index", {}).get("batch")
    return {**by_stage, "embed": {} if batch is None else {"index": {"batch": batch}}}


@contextmanager
def collections_at(uri: str) -> Iterator["VectorIndex"]:
    """An open index; its address is the environment's where `uri` is empty.

    Milvus' token and an address with a password are secrets, which do not belong into a pipeline's arguments.
    Raises ConfigError where there is no address.
    """
    from lookalike.index.choose import open_index

    address = uri or os.environ.get(MILVUS_URI, "")
    if not address:
        raise ConfigError("no index is named: give Milvus' URI or faiss:///folder, or set MILVUS_URI")
    store = open_index(address, milvus_token())
    try:
        yield store
    finally:
        store.close()
