"""The benchmark of features compares readers that read the same, and counts what they took."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.features.readers import OURS, RAW, agree, readers
from benchmarks.features.redis_server import redis_on_loopback
from benchmarks.features.shop import filled, grown_catalogue
from benchmarks.features.timing import Timed, time_readers
from lookalike.catalog.products import load_catalogue
from serving.ports import LOOPBACK
from tests.features.redis_server import redis_program
from tests.features.shop import BOOT, CLOG, validated_folder


def test_a_ratio_is_that_of_the_percentiles_and_its_interval_holds_it() -> None:
    rng = np.random.default_rng(0)
    floor = Timed(rng.exponential(1.0, (10, 200)))
    value, (low, high) = Timed(2 * floor.ms).ratio(floor, 99)
    assert (value, low, high) == pytest.approx((2.0, 2.0, 2.0))
    low, high = floor.percentile_interval(99)
    assert low < floor.percentile(99) < high


def test_in_a_turn_all_readers_are_asked_the_same() -> None:
    asked: dict[str, list[Sequence[str]]] = {"one": [], "two": []}
    read = {name: heard.append for name, heard in asked.items()}
    timed = time_readers(read, ["a", "b", "c"], counts=[1, 3], turns=4, calls=5, seed=0)
    assert asked["one"] == asked["two"]
    assert timed[3]["two"].ms.shape == (4, 5)


def test_the_readers_agree_on_a_grown_catalogue(tmp_path: Path) -> None:
    redis_program()
    grown = grown_catalogue(validated_folder(tmp_path / "small", [BOOT, CLOG]), tmp_path / "grown", 5)
    ids = load_catalogue(grown).products["product_id"].tolist()
    assert ids == ["boot", "clog", "boot-1", "clog-1", "boot-2"]
    with redis_on_loopback(tmp_path) as client:
        port = client.connection_pool.connection_kwargs["port"]
        filled(tmp_path, grown, f"{LOOPBACK}:{port}")
        read = readers(tmp_path / "store", client)
        assert agree(read, ids)
        assert read[OURS](["clog-1"])["clog-1"]["fabric"] == "wood"
        assert len(read[RAW](ids)) == 5
