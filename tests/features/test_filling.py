"""A filling that is killed goes on where it stopped, comes to the same, and shows nothing before it is whole."""

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.errors import BackendUnavailable, ReleaseError
from lookalike.features import visible as stage
from lookalike.features.definitions import release_definitions
from lookalike.features.feast import FeastLookup
from lookalike.features.filling import noted_progress
from lookalike.features.materialise import materialise
from lookalike.features.settings import FeatureSettings
from lookalike.release.manifest import feature_service_name
from lookalike.storage import StageRecord
from tests.features.killed_filling import PROCESSES, fill, fill_and_die
from tests.features.redis_server import RedisServer
from tests.features.shop import BOOT, DEFINITIONS, MONDAY, TUESDAY, WEDNESDAY, validated_folder
from tests.features.two_releases import NEW, OLD

PRODUCTS, BATCH = 200, 20
ROWS = 2 * PRODUCTS - 1  # Monday's price of every product and Tuesday's, but of the one that costs nothing
IDS = [f"p{number:03d}" for number in range(PRODUCTS)]
OLD_SERVICE, NEW_SERVICE = feature_service_name(OLD), feature_service_name(NEW)

Kept = dict[Any, Any]


@dataclass
class Shop:
    """Monday's release is in service; Tuesday's prices are to follow."""

    root: Path
    settings: FeatureSettings
    content: Callable[[], Kept]
    """Everything the online store holds."""
    flush: Callable[[], None]

    def fill(self, now: datetime = TUESDAY) -> StageRecord:
        return fill(self.root, self.settings, now)

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def table(self) -> Path:
        return self.store / "sources" / f"{NEW_SERVICE}.parquet"

    def killed(self, at: str, call: int, after: bool = False) -> None:
        """Fill in a process that kills itself at the n-th call of a function of the stage."""
        child = PROCESSES.Process(target=fill_and_die, args=(self.root, self.settings, at, call, after))
        child.start()
        child.join(120)
        assert child.exitcode == -signal.SIGKILL

    def require_hidden(self) -> None:
        with pytest.raises(ReleaseError, match="no feature service"):
            FeastLookup(self.store, NEW_SERVICE)
        assert f"{NEW_SERVICE}_service" not in release_definitions(self.store)
        assert FeastLookup(self.store, OLD_SERVICE).lookup(["p007"], 5)["p007"]["price"] == 7.0

    def require_whole(self) -> None:
        found = FeastLookup(self.store, NEW_SERVICE).lookup(IDS, 5)
        assert [found[product]["price"] for product in IDS] == [2.0 * number for number in range(PRODUCTS)]
        assert noted_progress(self.table) is None


def made(root: Path, redis: RedisServer | None) -> Shop:
    if redis is None:
        online = root / "store" / "online.db"
        shop = Shop(root, FeatureSettings(batch=BATCH), lambda: rows_of(online), lambda: emptied(online))
    else:
        redis.client.flushall()
        settings = FeatureSettings(online_store="redis", connection=redis.url, batch=BATCH)
        shop = Shop(root, settings, redis.content, lambda: redis.client.flushall())
    for day, factor in (("monday", 1.0), ("tuesday", 2.0)):
        rows = [{**BOOT, "product_id": product, "price": factor * number} for number, product in enumerate(IDS)]
        validated_folder(root / day, rows)
    materialise(root / "monday", root / "old", shop.store, OLD, MONDAY, DEFINITIONS, shop.settings)
    return shop


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def redis(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer | None]:
    """None: the store is SQLite."""
    if request.param == "sqlite":
        yield None
        return
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def shop(redis: RedisServer | None, tmp_path: Path) -> Shop:
    return made(tmp_path, redis)


@pytest.fixture(scope="module")
def uninterrupted(redis: RedisServer | None, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What the store holds after a run that nobody killed."""
    shop = made(tmp_path_factory.mktemp("uninterrupted"), redis)
    shop.fill()
    return shop.content()


def rows_of(online: Path) -> Kept:
    with closing(sqlite3.connect(online)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        stored = "SELECT entity_key, feature_name, value, event_ts FROM"
        return {table: sorted(connection.execute(f'{stored} "{table}"')) for table in sorted(tables)}


def emptied(online: Path) -> None:
    with closing(sqlite3.connect(online)) as connection, connection:
        for table in rows_of(online):
            connection.execute(f'DELETE FROM "{table}"')


POINTS = [
    ("note_progress", 1, True, 0),  # announced, and nothing else is there
    ("note_progress", 2, False, 0),  # the table is there
    ("note_progress", 3, False, 0),  # a batch is written and not noted: it is written again
    ("note_progress", 6, True, 4 * BATCH),
    ("note_progress", 22, True, ROWS),
    ("read_back", 1, False, ROWS),
]


@pytest.mark.parametrize(("at", "call", "after", "resumed"), POINTS)
def test_wherever_it_is_killed_it_is_hidden_and_then_goes_on_to_the_same(
    shop: Shop, uninterrupted: Kept, at: str, call: int, after: bool, resumed: int
) -> None:
    shop.killed(at, call, after)
    shop.require_hidden()
    figures = shop.fill(WEDNESDAY if shop.table.exists() else TUESDAY).figures
    assert (figures["resumed_from"], figures["written"]) == (resumed, PRODUCTS - (resumed + 1) // 2)
    assert figures["read_back"] == PRODUCTS
    shop.require_whole()
    assert shop.content() == uninterrupted


def test_however_often_it_is_killed_from_outside_it_comes_to_the_same_end(shop: Shop, uninterrupted: Kept) -> None:
    rng, attempts, seconds = np.random.default_rng(0), 0, 0.05
    while True:
        child = PROCESSES.Process(target=fill, args=(shop.root, shop.settings))
        child.start()
        child.join(seconds * rng.uniform(0.5, 1.5))
        if child.exitcode == 0:
            break
        child.kill()
        child.join(60)
        assert child.exitcode in (0, -signal.SIGKILL)
        attempts, seconds = attempts + 1, seconds * 1.4
        assert attempts < 60
    assert attempts >= 3
    shop.require_whole()
    assert shop.content() == uninterrupted


def test_what_the_store_lost_meanwhile_is_written_again(shop: Shop) -> None:
    shop.killed("note_progress", 6, after=True)
    shop.flush()
    assert shop.fill(WEDNESDAY).figures["resumed_from"] == 0
    shop.require_whole()


def test_a_store_that_reads_otherwise_shows_nothing_and_is_written_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = stage.fill

    def and_lost(*args: Any, **more: Any) -> Any:
        filled = real(*args, **more)
        shop.flush()
        return filled

    with monkeypatch.context() as patched:
        patched.setattr(stage, "fill", and_lost)
        with pytest.raises(ReleaseError, match="the catalogue says"):
            shop.fill()
    with pytest.raises(ReleaseError, match="no feature service"):
        FeastLookup(shop.store, NEW_SERVICE)
    assert shop.fill(WEDNESDAY).figures["resumed_from"] == 0
    shop.require_whole()


def test_a_table_that_changed_meanwhile_is_written_from_its_beginning(shop: Shop) -> None:
    shop.killed("note_progress", 6, after=True)
    rows = [{**BOOT, "product_id": product, "price": 2.0 * number} for number, product in enumerate(IDS)]
    validated_folder(shop.root / "tuesday", [{**rows[0], "colour": "grey"}, *rows[1:]])
    assert shop.fill(WEDNESDAY).figures["resumed_from"] == 0
    shop.require_whole()
    assert FeastLookup(shop.store, NEW_SERVICE).lookup(["p000"], 5)["p000"]["colour"] == "grey"


def test_a_redis_that_stops_half_way_is_gone_on_with_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = RedisServer(tmp_path / "redis", ["--appendfsync", "always"]).start()
    shop = made(tmp_path, server)
    real, calls = stage.note_progress, []

    def and_stop(*args: Any) -> None:
        real(*args)
        calls.append(args)
        if len(calls) == 5:
            server.stop()

    try:
        with monkeypatch.context() as patched, pytest.raises(BackendUnavailable, match="stopped filling"):
            patched.setattr(stage, "note_progress", and_stop)
            shop.fill()
        server.start()
        shop.require_hidden()
        assert shop.fill(WEDNESDAY).figures["resumed_from"] == 3 * BATCH
        shop.require_whole()
    finally:
        server.stop()
