"""What only Redis has: secrets, TLS, restarts, a clock for keys, and keys nobody may go looking for."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import trustme

from lookalike.catalog.products import load_catalogue
from lookalike.config import parse_config
from lookalike.errors import BackendUnavailable, ConfigError, ReleaseError
from lookalike.features import redis_layout
from lookalike.features.feast import READ_SECONDS, FeastLookup
from lookalike.features.forget import forget_online, remains_online
from lookalike.features.materialise import materialise
from lookalike.features.redis_connection import redis_client
from lookalike.features.refill import refill
from lookalike.features.refresh import refresh
from lookalike.features.releases import prune_features
from lookalike.features.settings import FeatureSettings
from lookalike.release.manifest import feature_service_name
from serving.ports import LOOPBACK, free_ports
from tests.app.test_cli import run
from tests.features.redis_server import RedisServer
from tests.features.shop import BOOT, DEFINITIONS, TUESDAY, WEDNESDAY, validated_folder
from tests.features.two_releases import NEW, OLD, SERVED_BOOT, SERVED_CLOG, lookup, two_releases

SERVICES = [feature_service_name(OLD), feature_service_name(NEW)]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis").start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def settings(redis: RedisServer) -> FeatureSettings:
    return FeatureSettings(online_store="redis", connection=redis.url)


@pytest.fixture
def shop(tmp_path: Path, settings: FeatureSettings) -> Path:
    return two_releases(tmp_path, settings)


def commands(redis: RedisServer) -> set[str]:
    """What anybody has asked of it."""
    return {name.removeprefix("cmdstat_") for name in redis.client.info("commandstats")}


def test_pruning_every_release_leaves_nothing_and_looks_for_no_keys(redis: RedisServer, shop: Path) -> None:
    redis.client.set("of somebody else", "kept")
    assert prune_features(shop / "store", keep=[]) == SERVICES
    assert redis.client.keys() == [b"of somebody else"]
    assert commands(redis) & {"scan", "hkeys", "flushdb"} == set()


def test_pruning_that_was_interrupted_is_finished_by_the_next(
    redis: RedisServer, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_layout, "PIPELINE", 1)
    redis.stop()
    with pytest.raises(BackendUnavailable):
        prune_features(shop / "store", keep=[])
    redis.start()
    assert prune_features(shop / "store", keep=[]) == SERVICES
    assert redis.client.keys() == []


def test_a_forgotten_product_leaves_no_key_and_what_redis_saved_is_told(redis: RedisServer, shop: Path) -> None:
    assert forget_online(shop / "store", SERVICES, ["boot", "nobody"]) == 12
    assert not any(b"boot" in key for key in redis.content())
    assert "BGREWRITEAOF" in remains_online(shop / "store")
    assert lookup(shop, OLD).lookup(["boot", "clog"], 1) == {"clog": SERVED_CLOG}


def test_a_refresh_changes_values_and_takes_what_left_away(
    redis: RedisServer, shop: Path, settings: FeatureSettings
) -> None:
    opened = lookup(shop, OLD)
    catalogue = load_catalogue(validated_folder(shop / "wednesday", [{**BOOT, "stock": 5.0}]))
    assert refresh(shop / "store", SERVICES[0], WEDNESDAY, settings, catalogue, TUESDAY, ["clog"]) == 1
    assert opened.lookup(["boot", "clog"], 1) == {"boot": {**SERVED_BOOT, "stock": 5.0}}
    assert not any(b"clog" in key for key in redis.content())


def test_reading_asks_for_the_same_fields_every_time(redis: RedisServer, shop: Path) -> None:
    """Feast's Redis store adds to the list of names it is given."""
    opened = lookup(shop, OLD)
    for _ in range(50):
        opened.lookup(["boot"], 1)
    before = redis.client.info()["total_net_input_bytes"]
    opened.lookup(["boot"], 1)
    assert redis.client.info()["total_net_input_bytes"] - before < 500


def test_a_redis_that_stops_is_unavailable_at_once_and_heals_by_itself(redis: RedisServer, shop: Path) -> None:
    opened = lookup(shop, OLD)
    redis.stop()
    with pytest.raises(BackendUnavailable, match="does not answer"):
        opened.lookup(["boot"], 1)
    redis.start()
    assert opened.lookup(["boot"], 1) == {"boot": SERVED_BOOT}


def test_a_redis_that_hangs_keeps_a_thread_no_longer_than_its_time(redis: RedisServer, shop: Path) -> None:
    opened = lookup(shop, OLD)
    assert redis.process is not None
    os.kill(redis.process.pid, signal.SIGSTOP)
    try:
        began = monotonic()
        with pytest.raises(BackendUnavailable, match="Timeout"):
            opened.lookup(["boot"], 1)
        assert monotonic() - began < 20 * READ_SECONDS  # for ever, without
    finally:
        os.kill(redis.process.pid, signal.SIGCONT)
    assert opened.lookup(["boot"], 1) == {"boot": SERVED_BOOT}


def test_a_server_may_open_a_release_while_redis_is_away(redis: RedisServer, shop: Path) -> None:
    redis.stop()
    with pytest.raises(BackendUnavailable):
        lookup(shop, OLD)
    opened = FeastLookup(shop / "store", SERVICES[0], must_answer=False)
    redis.start()
    assert opened.lookup(["boot"], 1) == {"boot": SERVED_BOOT}


def test_a_redis_that_lost_everything_is_filled_again(redis: RedisServer, shop: Path) -> None:
    redis.client.flushall()
    assert lookup(shop, NEW).lookup(["boot"], 1) == {}
    record = materialise(shop / "tuesday", shop / "new", shop / "store", NEW, WEDNESDAY)
    assert (record.reused, record.figures["changed"], record.figures["written"]) == (False, 0, 2)
    assert lookup(shop, NEW).lookup(["boot"], 1)["boot"]["colour"] == "blue"


def test_a_value_lost_from_a_product_that_stayed_is_written_again(redis: RedisServer, shop: Path) -> None:
    """Feast would skip the product: it looks at its time alone."""
    [boot] = [key for key in redis.content() if b"boot" in key]
    redis.client.hdel(boot, *redis_layout.release_fields(shop / "store" / "sources" / f"{SERVICES[1]}.parquet"))
    assert not materialise(shop / "tuesday", shop / "new", shop / "store", NEW, WEDNESDAY).reused
    assert lookup(shop, NEW).lookup(["boot"], 1)["boot"]["colour"] == "blue"


def test_a_store_moves_from_sqlite_to_redis_by_settings_alone(
    redis: RedisServer, settings: FeatureSettings, tmp_path: Path
) -> None:
    shop = two_releases(tmp_path / "laptop")
    assert redis.client.dbsize() == 0
    moved = materialise(shop / "tuesday", shop / "new", shop / "store", NEW, WEDNESDAY, settings=settings)
    assert (moved.reused, moved.figures["written"], redis.client.dbsize()) == (False, 2, 2)
    assert lookup(shop, NEW).lookup(["mule"], 1) == {"mule": {**SERVED_CLOG, "title": "A mule"}}
    assert materialise(shop / "tuesday", shop / "new", shop / "store", NEW, WEDNESDAY, settings=settings).reused


def test_keys_expire_when_asked_to_and_are_written_again_before(
    redis: RedisServer, settings: FeatureSettings, tmp_path: Path
) -> None:
    shop = two_releases(tmp_path, settings.model_copy(update={"key_ttl_seconds": 600}))
    assert all(0 < redis.client.ttl(key) <= 600 for key in redis.content())
    for key in redis.content():
        redis.client.expire(key, 60)
    assert materialise(shop / "tuesday", shop / "new", shop / "store", NEW, WEDNESDAY).figures["written"] == 2
    assert sorted(redis.client.ttl(key) > 60 for key in redis.content()) == [False, True, True]  # the clog has left


def test_every_release_is_filled_again_from_the_store_alone(redis: RedisServer, shop: Path) -> None:
    before = redis.content()
    redis.client.flushall()
    done = refill(shop / "store", FeatureSettings())
    assert {service: filled.rows for service, filled in done.items()} == dict.fromkeys(SERVICES, 2)
    assert redis.content() == before


def test_every_release_moves_to_another_store_at_once(
    redis: RedisServer, settings: FeatureSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = two_releases(tmp_path / "laptop")
    (shop / "store").rename(shop / "feature_store")
    chosen = ["--set", "features.online_store=redis", "--set", f"features.connection={redis.url}"]
    assert run(monkeypatch, "features", "--again", "-w", str(shop), *chosen) == 0
    (shop / "feature_store").rename(shop / "store")
    assert lookup(shop, OLD).lookup(["boot"], 1) == {"boot": SERVED_BOOT}
    assert len(redis.content()) == 3
    with pytest.raises(ReleaseError, match="no feature store"):
        refill(tmp_path / "nowhere", settings)


def test_features_that_would_share_a_field_are_refused(
    settings: FeatureSettings, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_layout, "release_fields", lambda table: [b"same"])
    with pytest.raises(ReleaseError, match="share a field in Redis"):
        materialise(shop / "monday", shop / "third", shop / "store", "c" * 64, WEDNESDAY, settings=settings)


@pytest.mark.parametrize("place", ["file", "env"])
def test_an_address_with_a_password_is_read_from_where_it_is_kept(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "p,a=s%40s"  # %40 is @; Feast's own format has no commas in passwords
    server = RedisServer(tmp_path / "redis", ["--requirepass", "p,a=s@s"])
    address = f"unix://:{secret}@{server.socket}"
    (tmp_path / "address").write_text(f"{address}\n")
    monkeypatch.setenv("SHOP_REDIS", address)
    connection = {"file": f"file:{tmp_path / 'address'}", "env": "env:SHOP_REDIS"}[place]
    server.client = redis_client(connection, 5)
    server.start()
    try:
        shop = two_releases(tmp_path, FeatureSettings(online_store="redis", connection=connection))
        assert lookup(shop, OLD).lookup(["boot"], 1) == {"boot": SERVED_BOOT}
        assert [path for path in shop.rglob("*.yaml") if "p,a=s" in path.read_text()] == []
    finally:
        server.stop()


def test_a_store_file_written_by_hand_may_take_feasts_own_format_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [port] = free_ports(1)
    server = RedisServer(tmp_path / "redis", ["--requirepass", "1e5", "--port", str(port), "--bind", LOOPBACK])
    server.client = redis_client(f"unix://:1e5@{server.socket}", 5)
    server.start()
    monkeypatch.setenv("SHOP_REDIS", f"{LOOPBACK}:{port},password=1e5")
    store = tmp_path / "store" / "feature_store.yaml"
    store.parent.mkdir()
    sqlite = "type: sqlite\n  path: online.db"
    store.write_text(
        (DEFINITIONS / store.name).read_text().replace(sqlite, "type: redis\n  connection_string: ${SHOP_REDIS}")
    )
    try:
        assert lookup(two_releases(tmp_path), OLD).lookup(["boot"], 1) == {"boot": SERVED_BOOT}
        assert len(server.content()) == 3
    finally:
        server.stop()


def test_tls_is_spoken_and_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    authority, [port] = trustme.CA(), free_ports(1)
    pem, certificate = tmp_path / "ca.pem", authority.issue_cert(LOOPBACK)
    authority.cert_pem.write_to_path(pem)
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    files = {"tls-cert-file": "server.pem", "tls-key-file": "server.pem", "tls-ca-cert-file": "ca.pem"}
    options = [part for name, file in files.items() for part in (f"--{name}", str(tmp_path / file))]
    listening = ["--tls-port", str(port), "--bind", LOOPBACK, "--tls-auth-clients", "no"]
    server = RedisServer(tmp_path / "redis", [*options, *listening]).start()
    url = f"rediss://{LOOPBACK}:{port}/0"
    try:
        chosen = FeatureSettings(online_store="redis", connection=f"{url}?ssl_ca_certs={pem}")
        assert lookup(two_releases(tmp_path, chosen), OLD).lookup(["boot"], 1) == {"boot": SERVED_BOOT}
        stranger = chosen.model_copy(update={"connection": url})
        with pytest.raises(BackendUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            materialise(tmp_path / "monday", tmp_path / "out", tmp_path / "store", OLD, WEDNESDAY, None, stranger)
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"online_store": "redis"}, "needs a connection"),
        ({"online_store": "redis", "connection": "redis://:secret@host/0"}, "file:PATH or env:NAME"),
        ({"online_store": "redis", "connection": "host:1,password=secret"}, "file:PATH or env:NAME"),
        ({"connection": "redis://host/0"}, "belong to online_store 'redis'"),
        ({"online_store": "rediss", "connection": "redis://host/0"}, "'sqlite' or 'redis'"),
        ({"online_stor": "redis"}, "unknown setting 'online_stor'"),
    ],
)
def test_contradictions_are_refused_without_the_secret(values: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as refused:
        parse_config(FeatureSettings, values, "settings.features")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["http://shop/0", "redis://shop:port/0", "shop:1,shop:2"])
def test_an_address_that_cannot_be_read_is_refused_without_repeating_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_REDIS", address)
    with pytest.raises(ConfigError, match="the address of Redis in env:SHOP_REDIS cannot be read") as refused:
        redis_client("env:SHOP_REDIS", 1)
    assert address not in str(refused.value)


def test_an_address_that_is_not_there_is_told(tmp_path: Path) -> None:
    for reference in ("env:NOT_SET", f"file:{tmp_path / 'none'}"):
        with pytest.raises(ConfigError, match="address of Redis"):
            redis_client(reference, 1)
