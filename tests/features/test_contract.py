"""Features answer alike from memory, from SQLite and from a real Redis."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lookalike.errors import ReleaseError
from lookalike.features.feast import open_store
from lookalike.features.forget import forget_online
from lookalike.features.memory import MemoryFeatures
from lookalike.features.protocol import FeatureLookup
from lookalike.features.releases import prune_features, served_releases
from lookalike.features.settings import FeatureSettings
from lookalike.release.manifest import feature_service_name
from serving.ports import LOOPBACK, free_ports
from tests.features.redis_server import RedisServer
from tests.features.two_releases import NEW, OLD, SERVED_BOOT, SERVED_CLOG, lookup, two_releases


@pytest.fixture(scope="module", params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def settings(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeatureSettings]:
    """What the command line would say."""
    if store != "redis":
        yield FeatureSettings()
        return
    [port] = free_ports(1)
    listening = ("--port", str(port), "--bind", LOOPBACK)
    server = RedisServer(tmp_path_factory.mktemp("redis"), listening).start()
    try:
        yield FeatureSettings(online_store="redis", connection=f"{LOOPBACK}:{port}")
    finally:
        server.stop()


@pytest.fixture(scope="module")
def shop(store: str, settings: FeatureSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    return root if store == "memory" else two_releases(root, settings)


@pytest.fixture
def features(store: str, shop: Path) -> FeatureLookup:
    """The old release's features behind the protocol."""
    if store == "memory":
        return MemoryFeatures({"boot": SERVED_BOOT, "clog": SERVED_CLOG})
    return lookup(shop, OLD)


@pytest.fixture
def feast_shop(store: str, shop: Path) -> Path:
    if store == "memory":
        pytest.skip("memory holds one release and no repository")
    return shop


def test_known_products_have_their_features_and_unknown_values_are_absent(features: FeatureLookup) -> None:
    assert features.lookup(["boot", "clog"], 10) == {"boot": SERVED_BOOT, "clog": SERVED_CLOG}


def test_unknown_products_are_absent_and_repeated_ones_are_read_once(features: FeatureLookup) -> None:
    assert features.lookup(["clog", "sandal", "clog", "mule"], 10) == {"clog": SERVED_CLOG}
    assert features.lookup([], 10) == {}


def test_several_threads_read_at_once(features: FeatureLookup) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: features.lookup(["boot", "clog"], 10), range(40)))
    assert answers == [{"boot": SERVED_BOOT, "clog": SERVED_CLOG}] * 40


def test_the_old_release_goes_on_answering_its_own_values(feast_shop: Path) -> None:
    old, new = lookup(feast_shop, OLD), lookup(feast_shop, NEW)
    wanted = ["boot", "clog", "mule"]
    assert old.lookup(wanted, 10) == {"boot": SERVED_BOOT, "clog": SERVED_CLOG}
    assert new.lookup(wanted, 10) == {
        "boot": {**SERVED_BOOT, "colour": "blue", "price": 70.0},
        "mule": {**SERVED_CLOG, "title": "A mule"},
    }


@pytest.mark.parametrize("release", [OLD, NEW])
def test_answers_are_those_of_feasts_own_call(feast_shop: Path, release: str) -> None:
    wanted, store = ["boot", "sandal", "mule", "clog"], open_store(feast_shop / "store")
    service = store.get_feature_service(feature_service_name(release))
    columns = store.get_online_features(service, entity_rows=[{"product_id": one} for one in wanted]).to_dict()
    rows = {
        product: {name: values[row] for name, values in columns.items() if values[row] is not None}
        for row, product in enumerate(columns.pop("product_id"))
    }
    assert lookup(feast_shop, release).lookup(wanted, 10) == {product: row for product, row in rows.items() if row}


def test_a_product_is_forgotten_in_the_releases_named_and_only_there(
    store: str, settings: FeatureSettings, feast_shop: Path, tmp_path: Path
) -> None:
    apart = settings.model_copy(update={"connection": f"{settings.connection},db=1"}) if store == "redis" else settings
    shop = two_releases(tmp_path, apart)
    removed = forget_online(shop / "store", [feature_service_name(OLD)], ["boot", "nobody"])
    assert removed == 6  # title, vertical, colour, fabric, price, stock; known or not
    assert lookup(shop, OLD).lookup(["boot", "clog"], 10) == {"clog": SERVED_CLOG}
    assert lookup(shop, NEW).lookup(["boot"], 10)["boot"]["colour"] == "blue"


def test_pruning_removes_old_releases_and_keeps_the_named_one(settings: FeatureSettings, feast_shop: Path) -> None:
    """The last test here: it takes the old release away."""
    kept = feature_service_name(NEW)
    assert prune_features(feast_shop / "store", keep=[kept]) == [feature_service_name(OLD)]
    assert prune_features(feast_shop / "store", keep=[kept]) == []
    assert served_releases(feast_shop / "store") == [kept]
    with pytest.raises(ReleaseError, match="no feature service"):
        lookup(feast_shop, OLD)
    assert set(lookup(feast_shop, NEW).lookup(["boot", "clog", "mule"], 10)) == {"boot", "mule"}
