"""One release's features brought to another catalogue, in place."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from lookalike.catalog.products import Catalogue
from lookalike.errors import ConfigError, ReleaseError
from lookalike.features.feast import FeastLookup, open_store
from lookalike.features.filling import fill
from lookalike.features.forget import forget_online
from lookalike.features.history import PRODUCT_ID, SOURCES, TIMESTAMP, served_table, with_history, write_history
from lookalike.features.read_back import read_back
from lookalike.features.settings import FeatureSettings
from lookalike.storage import atomic_file


def refresh(
    feature_store: Path,
    service: str,
    now: datetime,
    settings: FeatureSettings,
    catalogue: Catalogue,
    since: datetime,
    gone: Sequence[str],
) -> int:
    """Bring one release's features to another catalogue; returns how many products changed.

    Only what changed after `since` is written, so an interrupted refresh is finished by the next one; `gone` products
    are removed, first, while the table still names them. Raises ReleaseError when the catalogue serves other features
    than the release.
    """
    table, current = feature_store / SOURCES / f"{service}.parquet", served_table(catalogue)
    if not table.is_file():
        raise ReleaseError(f"{feature_store} has no features of {service}; run `lookalike features` first")
    store = open_store(feature_store)
    if settings.online_store not in (None, store.config.online_store.type):
        raise ConfigError(
            f"features are in {store.config.online_store.type}, the settings say {settings.online_store}; "
            "`lookalike features --again` moves them"
        )
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
        if gone:
            forget_online(feature_store, [service], gone)
    changed = set(history.loc[history[TIMESTAMP] > pd.Timestamp(since), PRODUCT_ID])
    if changed:
        fill(store, table, settings.batch, pd.Timestamp(since))
        rows = current[current[PRODUCT_ID].isin(changed)]
        read_back(FeastLookup(feature_store, service), service, rows, settings.read_back)
    return len(changed)
