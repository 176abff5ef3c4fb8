"""One release's features follow a changed catalogue, and what left it is gone from the files too."""

from pathlib import Path

import pytest

from lookalike.catalog.products import load_catalogue
from lookalike.errors import ConfigError, ReleaseError
from lookalike.features.feast import FeastLookup
from lookalike.features.materialise import materialise
from lookalike.features.refresh import refresh
from lookalike.features.settings import FeatureSettings
from lookalike.release.manifest import feature_service_name
from tests.features.shop import BOOT, CLOG, DEFINITIONS, MONDAY, TUESDAY, WEDNESDAY, validated_folder

SERVICE = feature_service_name("a" * 64)
MULE = {**CLOG, "product_id": "mule"}

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # ibis on DuckDB


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    monday = validated_folder(root / "monday", [BOOT, CLOG])
    materialise(monday, root / "out", root / "store", "a" * 64, MONDAY, DEFINITIONS)
    return root / "store"


def test_a_server_that_is_running_reads_what_changed_and_no_longer_what_left(store: Path, tmp_path: Path) -> None:
    opened = FeastLookup(store, SERVICE)
    tuesday = load_catalogue(validated_folder(tmp_path / "tuesday", [{**BOOT, "price": 70.0}, MULE]))
    assert refresh(store, SERVICE, TUESDAY, FeatureSettings(), tuesday, MONDAY, ["clog"]) == 2
    found = opened.lookup(["boot", "clog", "mule"], 10)
    assert set(found) == {"boot", "mule"}
    assert (found["boot"]["price"], found["mule"]["fabric"]) == (70.0, "wood")
    assert refresh(store, SERVICE, WEDNESDAY, FeatureSettings(), tuesday, TUESDAY, []) == 0
    kept = [path for path in store.rglob("*") if path.is_file() and b"clog" in path.read_bytes()]
    assert kept == []


def test_other_features_or_types_need_a_new_release(store: Path, tmp_path: Path) -> None:
    typed = load_catalogue(validated_folder(tmp_path / "typed", [{**BOOT, "price": "much"}]))
    with pytest.raises(ReleaseError, match="another type"):
        refresh(store, SERVICE, WEDNESDAY, FeatureSettings(), typed, TUESDAY, [])
    with pytest.raises(ReleaseError, match="no features of products_of_nobody"):
        refresh(store, "products_of_nobody", WEDNESDAY, FeatureSettings(), typed, TUESDAY, [])


def test_another_online_store_is_not_moved_to_in_passing(store: Path, tmp_path: Path) -> None:
    catalogue = load_catalogue(validated_folder(tmp_path / "same", [BOOT, CLOG]))
    elsewhere = FeatureSettings(online_store="redis", connection="redis://shop/0")
    with pytest.raises(ConfigError, match="features are in sqlite, the settings say redis"):
        refresh(store, SERVICE, WEDNESDAY, elsewhere, catalogue, TUESDAY, [])
