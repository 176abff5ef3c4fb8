"""Features in a real Feast: online for serving, point in time for training."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from lookalike.errors import BackendUnavailable, ConfigError, ReleaseError
from lookalike.features.feast import FeastLookup, open_store
from lookalike.features.materialise import materialise
from lookalike.features.releases import prune_features
from lookalike.release.manifest import feature_service_name
from lookalike.storage import StageRecord, read_json
from tests.features.shop import DEFINITIONS, MONDAY, TUESDAY, WEDNESDAY
from tests.features.two_releases import NEW, OLD, SERVED_BOOT, lookup, two_releases

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # ibis on DuckDB


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_releases(tmp_path_factory.mktemp("shop"))


def test_readers_are_not_locked_out_while_another_release_is_written(shop: Path) -> None:
    opened = lookup(shop, OLD)
    writer = sqlite3.connect(shop / "store" / "online.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    try:
        assert opened.lookup(["boot"], 10) == {"boot": SERVED_BOOT}
    finally:
        writer.execute("ROLLBACK")
        writer.close()


def test_features_are_read_where_ipython_was_imported_later_and_its_times_are_too(shop: Path) -> None:
    opened = lookup(shop, OLD)
    sqlite3.register_converter("timestamp", lambda stored: datetime.fromisoformat(stored.decode()))  # as IPython does
    assert opened.lookup(["boot"], 10) == {"boot": SERVED_BOOT}
    with closing(sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)) as history:
        history.execute("CREATE TABLE sessions (start timestamp)")
        history.execute("INSERT INTO sessions VALUES ('2026-11-22T01:02:03'), (86400)")
        written, seconds = (start for (start,) in history.execute("SELECT start FROM sessions"))
    assert (written, seconds) == (datetime(2026, 11, 22, 1, 2, 3), datetime.fromtimestamp(86_400))


def test_a_value_changed_later_does_not_leak_back_and_early_rows_are_kept(shop: Path) -> None:
    moments = [MONDAY - (TUESDAY - MONDAY), MONDAY, TUESDAY, WEDNESDAY]
    rows = pd.DataFrame({"product_id": "boot", "event_timestamp": pd.to_datetime(moments).as_unit("us")})
    store = open_store(shop / "store")
    service = store.get_feature_service(feature_service_name(NEW))
    found = store.get_historical_features(rows, service).to_df().sort_values("event_timestamp")
    assert found["colour"].where(found["colour"].notna(), None).tolist() == [None, "red", "blue", "blue"]
    assert found["price"].fillna(0).tolist() == [0, 80.0, 70.0, 70.0]


def test_the_record_names_the_service_and_its_features(shop: Path) -> None:
    assert read_json(shop / "new" / "features.json") == {
        "feature_service": feature_service_name(NEW),
        "features": ["title", "vertical", "colour", "fabric", "price", "stock"],
        "products": 2,
        "release_id": NEW,
    }


def again(root: Path) -> StageRecord:
    return materialise(root / "tuesday", root / "new", root / "store", NEW, WEDNESDAY)


def test_features_are_reused_while_they_read_back_and_made_again_when_they_do_not(shop: Path) -> None:
    assert again(shop).reused
    with sqlite3.connect(shop / "store" / "online.db") as online:
        online.execute(f'DELETE FROM "lookalike_{feature_service_name(NEW)}"')
    online.close()
    record = again(shop)
    assert (record.reused, record.figures["changed"], record.figures["read_back"]) == (False, 0, 2)
    assert lookup(shop, NEW).lookup(["boot"], 10)["boot"]["colour"] == "blue"


def test_a_copied_store_is_a_feast_repository_of_its_own(shop: Path) -> None:
    feast = Path(sys.executable).with_name("feast")
    paths = os.pathsep.join(path for path in (str(DEFINITIONS.parent), os.environ.get("PYTHONPATH")) if path)
    done = subprocess.run(
        [feast, "apply"], cwd=shop / "store", env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    services = open_store(shop / "store").list_feature_services()
    assert {service.name for service in services} == {feature_service_name(OLD), feature_service_name(NEW)}
    assert lookup(shop, OLD).lookup(["boot"], 10) == {"boot": SERVED_BOOT}


def test_time_that_runs_backwards_or_has_no_zone_is_refused(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is before that"):
        materialise(shop / "monday", tmp_path / "out", shop / "store", "c" * 64, MONDAY)
    with pytest.raises(ConfigError, match="no time zone"):
        materialise(shop / "monday", tmp_path / "out", shop / "store", "c" * 64, MONDAY.replace(tzinfo=None))
    assert not (tmp_path / "out").exists()


def test_a_service_or_store_that_is_not_there_is_named(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"no feature service 'nothing'; it has \['products_aaaaaaaaaaaa'"):
        FeastLookup(shop / "store", "nothing")
    with pytest.raises(ReleaseError, match=r"no feature_store\.yaml"):
        FeastLookup(tmp_path, "nothing")
    with pytest.raises(ConfigError, match="none to copy"):
        materialise(shop / "monday", tmp_path / "out", tmp_path / "store", OLD, MONDAY)


def test_a_store_that_does_not_answer_is_unavailable(shop: Path, tmp_path: Path) -> None:
    materialise(shop / "monday", tmp_path / "out", tmp_path / "store", OLD, MONDAY, DEFINITIONS)
    opened = lookup(tmp_path, OLD)
    with sqlite3.connect(tmp_path / "store" / "online.db") as online:
        online.execute(f'DROP TABLE "lookalike_{feature_service_name(OLD)}"')
    online.close()
    with pytest.raises(BackendUnavailable, match="does not answer"):
        opened.lookup(["boot"], 10)
    with pytest.raises(BackendUnavailable, match="does not answer"):
        lookup(tmp_path, OLD)


def test_pruning_removes_old_releases_and_keeps_the_named_one(shop: Path, tmp_path: Path) -> None:
    materialise(shop / "monday", tmp_path / "old", tmp_path / "store", OLD, MONDAY, DEFINITIONS)
    materialise(shop / "tuesday", tmp_path / "new", tmp_path / "store", NEW, TUESDAY)
    assert prune_features(tmp_path / "store", keep=[feature_service_name(NEW)]) == [feature_service_name(OLD)]
    with pytest.raises(ReleaseError, match="no feature service"):
        lookup(tmp_path, OLD)
    assert set(lookup(tmp_path, NEW).lookup(["boot", "clog", "mule"], 10)) == {"boot", "mule"}
    with sqlite3.connect(tmp_path / "store" / "online.db") as online:
        tables = [name for (name,) in online.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    online.close()
    assert tables == [f"lookalike_{feature_service_name(NEW)}"]


def test_reading_features_imports_no_torch_and_leaves_metrics_in_memory(shop: Path) -> None:
    read = f"""
import os, sys
from pathlib import Path
from lookalike.features.feast import FeastLookup
print(FeastLookup(Path({str(shop / "store")!r}), {feature_service_name(OLD)!r}).lookup(["boot"], 10)["boot"]["price"])
print(sorted(set(sys.modules) & {{"torch", "transformers", "lightning"}}))
print([name for name in os.environ if name.startswith("PROMETHEUS")])
from prometheus_client import values
print(values.ValueClass.__name__)
"""
    command = [sys.executable, "-W", "error", "-c", read]
    done = subprocess.run(command, cwd=DEFINITIONS.parent, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["80.0", "[]", "[]", "MutexValue"]
    assert done.stderr == ""
