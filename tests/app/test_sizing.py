"""Sizes, hours and costs are the arithmetic that docs/sizing.md says, and its tables are the command's."""

import math
from pathlib import Path

import pytest
import yaml

from app.sizing.constants import Constants, constants, stated
from app.sizing.cost import month_cost, rebuild_cost
from app.sizing.index_size import chosen_index, disk_gib, milvus_gib, node_fits, private_gib, redis_gib, replica_gib
from app.sizing.rebuild import rebuild
from app.sizing.serving import query_seconds, search_seconds, serving
from app.sizing.shop import Shop, count, named
from app.sizing.tables import TABLES
from benchmarks.sizing import MEASURED, PAGE, measured, page
from lookalike.errors import ConfigError
from tests.app.test_cli import run

GIB = 2**30
HOUR = 3600


def plain(**own: float) -> Constants:
    """Numbers one can reckon with in the head, where nothing else is said."""
    easy = {
        "embedded_per_second": 100, "stored_per_second": 1000, "stored_photos": 1000, "imported_per_second": 2000,
        "filled_per_second": 500, "redis_bytes": 100, "beside_bytes": 100, "milvus_beside_bytes": 232,
        "searched_photos": 1000, "served_per_second": 100, "hnsw_per_second": 1000, "ivf_pq_per_second": 500,
        "binary_per_second": 200, "service_gib": 1, "releases_loaded": 2, "releases_kept": 3, "photo_bytes": 1000,
        "row_bytes": 100, "utilisation": 0.5, "replica_cores": 2, "least_replicas": 2, "milvus_copies": 2,
        "node_cores": 4, "node_gib": 10, "usable": 1, "month_hours": 700, "core_hour": 0.1, "gib_hour": 0.01,
        "disk_gib_month": 0.5,
    }  # fmt: skip
    return constants(easy | own)


MILLION = Shop(1_000_000, photos_per_product=2, dimension=64, queries_per_second=500, embedding_cores=4)


def test_memory_is_counted_photo_by_photo() -> None:
    graph, codes, signs = 4 * 64 + 4 * (2 * 16 + 16 / 15) + 12, 64 / 2 + 8, 2 * 64 / 8
    for kind, each in {"hnsw": graph, "ivf_pq": codes, "binary": signs}.items():
        assert private_gib(kind, MILLION, plain()) == pytest.approx(2_000_000 * (each + 100) / GIB)
        assert replica_gib(kind, MILLION, plain()) == pytest.approx(1 + 2 * 2_000_000 * (each + 100) / GIB)


def test_disk_holds_the_photos_once_and_every_release_kept() -> None:
    graph = 4 * 64 + 4 * (2 * 16 + 16 / 15) + 12
    release = 2 * 4 * 64 + graph + 100
    assert disk_gib(MILLION, plain()) == pytest.approx(2_000_000 * (1000 + 3 * release) / GIB)
    assert redis_gib(MILLION, plain()) == pytest.approx(1_000_000 * 100 * 3 / GIB)


def test_a_rebuild_embeds_on_all_cores_and_stores_in_one_process() -> None:
    taken = rebuild(MILLION, plain())
    assert taken.core_hours == pytest.approx(2_000_000 / 100 / HOUR)
    assert taken.embedding == pytest.approx(2_000_000 / 100 / HOUR / 4)
    assert taken.storing == pytest.approx(2_000_000 / 1000 * math.log(2_000_000) / math.log(1000) / HOUR)
    assert taken.features == pytest.approx(1_000_000 / 500 / HOUR)
    assert taken.hours == pytest.approx(taken.embedding + taken.storing + taken.features)


def test_a_search_grows_as_its_structure_does() -> None:
    assert search_seconds("hnsw", 1_000_000, plain()) == pytest.approx(2 / 1000)
    assert search_seconds("ivf_pq", 100_000, plain()) == pytest.approx(10 / 500)
    assert search_seconds("binary", 100_000, plain()) == pytest.approx(100 / 200)
    assert query_seconds("hnsw", Shop(1000), plain()) == pytest.approx(1 / 100)


def test_replicas_and_nodes_carry_the_load() -> None:
    made = serving(MILLION, plain())
    seconds = 1 / 100 - 1 / 1000 + math.log(2_000_000) / math.log(1000) / 1000
    assert made.query_ms == pytest.approx(1000 * seconds)
    assert made.replicas == math.ceil(500 * seconds / (0.5 * 2))
    assert made.nodes == math.ceil(made.replicas / 2)  # four cores hold two replicas of two
    assert made.milvus_nodes == 0


def test_few_queries_still_have_two_replicas_on_two_nodes() -> None:
    made = serving(Shop(1000, queries_per_second=0.1), plain())
    assert (made.replicas, made.nodes) == (2, 2)


@pytest.mark.parametrize(("node_gib", "chosen"), [(5, "hnsw"), (2, "ivf_pq"), (1.45, "binary"), (1.2, None)], ids=str)
def test_the_first_structure_that_fits_a_node_is_taken(node_gib: float, chosen: str | None) -> None:
    given = plain(node_gib=node_gib)
    assert chosen_index(MILLION, given) == chosen
    assert chosen is None or node_fits(chosen, MILLION, given)


def test_what_fits_no_node_is_milvus() -> None:
    given = plain(node_gib=1.2)
    made = serving(MILLION, given)
    assert made.index is None
    assert milvus_gib(MILLION, given) == pytest.approx(2 * 2_000_000 * (4 * 64 + 232) / GIB)
    assert made.milvus_nodes == math.ceil(2 * 2_000_000 * (4 * 64 + 232) / GIB / 1.2)
    assert made.replica_gib == 1
    assert rebuild(MILLION, given).storing == pytest.approx(2_000_000 / 2000 / HOUR)


def test_a_month_and_a_rebuild_cost_what_their_parts_do() -> None:
    given = plain()
    made, taken = serving(MILLION, given), rebuild(MILLION, given)
    memory = made.replicas * made.replica_gib + redis_gib(MILLION, given)
    hourly = made.replicas * 2 * 0.1 + memory * 0.01
    assert month_cost(MILLION, given) == pytest.approx(700 * hourly + 0.5 * disk_gib(MILLION, given))
    joining = (taken.storing + taken.features) * (0.1 + made.replica_gib * 0.01)
    assert rebuild_cost(MILLION, given) == pytest.approx(taken.core_hours * 0.1 + joining)


def test_milvus_nodes_are_paid_for_whole() -> None:
    given = plain(node_gib=1.2)
    made = serving(MILLION, given)
    cores = made.replicas * 2 + made.milvus_nodes * 4
    memory = made.replicas * 1 + made.milvus_nodes * 1.2 + redis_gib(MILLION, given)
    expected = 700 * (cores * 0.1 + memory * 0.01) + 0.5 * disk_gib(MILLION, given)
    assert month_cost(MILLION, given) == pytest.approx(expected)


SHORT = {"40578": 40_578, "250K": 250_000, "10m": 10**7, "1.5B": 15 * 10**8}


@pytest.mark.parametrize(("text", "products"), SHORT.items())
def test_a_number_of_products_may_be_written_shortly(text: str, products: int) -> None:
    assert count(text) == products
    assert count(named(products).replace(",", "")) == products


@pytest.mark.parametrize("text", ["", "many", "-5", "0", "10G", "1e6"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="accepted: 40578, 250K, 10M, 1B"):
        count(text)


def test_every_constant_says_where_it_comes_from() -> None:
    told = stated()
    assert set(told) == set(Constants.model_fields)
    assert all(each.source for each in told.values())
    assert {name for name, each in told.items() if each.kind == "measured"} == set(MEASURED)


def test_the_measured_constants_are_the_committed_figures() -> None:
    told = {name: stated()[name] for name in MEASURED}
    assert told == measured(), "`python -m benchmarks.sizing` brings them up to the results"


def test_the_pages_tables_are_those_of_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, constants({})) == text, "`python -m benchmarks.sizing` makes them anew"
    assert run(monkeypatch, "sizing") == 0
    said = capsys.readouterr().out
    tables = [made for made in said.split("\n\n") if made.startswith("|")]
    assert len(tables) == len(TABLES)
    assert all(made.strip() in text for made in tables)


def test_the_readers_own_prices_are_taken_and_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text(yaml.safe_dump({"core_hour": 64.0}))
    arguments = ["sizing", "--products", "2M", "--settings", str(own), "--set", "node_gib=256"]
    assert run(monkeypatch, *arguments) == 0
    said = capsys.readouterr().out
    assert "| `core_hour` | 64 | given |  |" in said
    assert "| `node_gib` | 256 | given |  |" in said
    assert "| 2M | 2,000,000 |" in said and "| 1M |" not in said


def test_a_constant_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "sizing", "--set", "core_hours=1") == 2
    assert "unknown setting 'core_hours'" in capsys.readouterr().err
