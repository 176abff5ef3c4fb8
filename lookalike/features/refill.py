"""The online store written again from the tables that the feature store keeps: nothing else has to be there."""

from pathlib import Path

from lookalike.features.feast import open_store
from lookalike.features.filling import Filled
from lookalike.features.history import newest_rows, release_tables
from lookalike.features.settings import FeatureSettings
from lookalike.features.store_file import prepare_store
from lookalike.features.visible import announce, make_visible


def refill(feature_store: Path, settings: FeatureSettings) -> dict[str, Filled]:
    """Write the features of every release, after a loss or into another online store; returns what went, by service.

    Servers answer with what is written already. Raises ReleaseError where there is no feature store.
    """
    open_store(feature_store)  # which has to be there
    prepare_store(feature_store, None, settings)
    store, done = open_store(feature_store), dict[str, Filled]()
    for table in release_tables(feature_store):
        announce(store, table)
        done[table.stem], _ = make_visible(store, table, newest_rows(table), settings)
    return done
