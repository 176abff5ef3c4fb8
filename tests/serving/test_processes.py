"""Searching in other processes answers what searching here does, and outlives the end of any of them."""

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lookalike import errors
from lookalike.deadline import Deadline
from lookalike.errors import BackendUnavailable, ConfigError, DeadlineExceeded, LookalikeError, NotFound, ReleaseError
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from lookalike.workspace import Workspace
from serving.assemble import assemble
from serving.processes import process
from serving.processes.calls import SearchCall
from serving.processes.engine import RemoteEngine
from serving.processes.pool import SearchProcesses
from serving.settings import ServingSettings
from serving.triton.supervision import Supervision
from tests.search.shop import Shop, photo
from tests.serving.process_shop import DEADLY, ENDLESS, UNFORESEEN, shop_process
from tests.serving.real_parts import LiteServer, assembled, made_shop
from tests.serving.running import put_live, running, settings, until

SHOP = Shop()
OF_P001 = SearchRequest(product_id="p001", k=5)


@pytest.fixture(scope="module")
def processes() -> Iterator[SearchProcesses]:
    pool = SearchProcesses(shop_process, 2, retry_seconds=0.05)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def engine(processes: SearchProcesses) -> RemoteEngine:
    return processes.engine(SHOP.release)


@pytest.fixture(scope="module")
def here() -> SearchEngine:
    return SearchEngine(SHOP.embedder, SHOP.index, SHOP.features, SHOP.release)


def replaced(processes: SearchProcesses, ended: set[int]) -> bool:
    return len(processes.pids) == 2 and not ended & set(processes.pids)


@pytest.mark.parametrize(
    "request_", [SearchRequest(photo=photo(7), k=3), SearchRequest(photo=photo(1001), explain=True), OF_P001]
)
def test_answers_are_those_of_an_engine_in_this_process(
    engine: RemoteEngine, here: SearchEngine, request_: SearchRequest
) -> None:
    for _ in range(2):  # one for each process
        ours, theirs = engine.search(request_), here.search(request_)
        assert ours.hits == theirs.hits
        assert ours.next_cursor == theirs.next_cursor
        assert ours.observation == theirs.observation
        assert ours.timings_ms.keys() == theirs.timings_ms.keys()
    assert engine.product("p004").photos == here.product("p004").photos
    assert (engine.holds("p004/1"), engine.holds("p004/9")) == (True, False)
    assert engine.degraded() == ()


def test_errors_arrive_as_they_were_raised(engine: RemoteEngine) -> None:
    with pytest.raises(NotFound, match="product 'p999' is not in the catalogue"):
        engine.search(SearchRequest(product_id="p999"))
    with pytest.raises(RuntimeError, match="UnicodeDecodeError in a search process"):
        engine.search(SearchRequest(product_id=UNFORESEEN))


@pytest.mark.parametrize("kind", sorted(LookalikeError.__subclasses__(), key=lambda kind: kind.__name__))
def test_every_deliberate_error_survives_the_way_between_processes(kind: type[LookalikeError]) -> None:
    for one in (kind, *kind.__subclasses__()):
        if one.__module__ == errors.__name__:
            sent = one("a sentence")
            arrived = pickle.loads(pickle.dumps(sent))
            assert (type(arrived), str(arrived), vars(arrived)) == (one, "a sentence", vars(sent))


def test_a_search_that_ends_its_process_is_an_outage_and_the_process_is_replaced(
    processes: SearchProcesses, engine: RemoteEngine, here: SearchEngine
) -> None:
    before = set(processes.pids)
    with pytest.raises(BackendUnavailable, match="ended over this search"):
        engine.search(SearchRequest(product_id=DEADLY))
    assert engine.search(OF_P001).hits == here.search(OF_P001).hits  # the other process goes on
    until(lambda: len(set(processes.pids) - before) == 1 and len(processes.pids) == 2)
    for _ in range(4):  # and the new one has the release
        assert engine.search(OF_P001).hits == here.search(OF_P001).hits


def test_processes_that_ended_between_searches_cost_no_search(
    processes: SearchProcesses, engine: RemoteEngine, here: SearchEngine
) -> None:
    ended = set(processes.pids)
    for pid in ended:
        os.kill(pid, signal.SIGKILL)
    until(lambda: replaced(processes, ended))
    for _ in range(4):
        assert engine.search(OF_P001).hits == here.search(OF_P001).hits


def test_what_processes_know_of_the_model_in_triton_is_counted_beyond_their_end() -> None:
    pool = SearchProcesses(shop_process, 2, retry_seconds=0.05)
    try:
        engine = pool.engine(SHOP.release)
        assert pool.supervision() == Supervision()  # nobody answered yet
        for _ in range(2):
            engine.search(OF_P001)
        assert pool.supervision() == Supervision({"embedder": True}, Counter(healed=2))
        ended = pool.pids[0]
        os.kill(ended, signal.SIGKILL)
        until(lambda: replaced(pool, {ended}))
        until(lambda: engine.search(OF_P001).hits and engine.search(OF_P001).hits and heals(pool) == 3)
    finally:
        pool.close()


def heals(pool: SearchProcesses) -> int:
    return pool.supervision().reloads["healed"]


def test_a_model_is_admitted_where_every_process_admits_it() -> None:
    states = [Supervision({"a": True, "b": True}), Supervision({"a": False}, Counter(failed=2)), Supervision()]
    assert Supervision.together(states) == Supervision({"a": False, "b": True}, Counter(failed=2))


def test_a_search_that_hangs_ends_with_its_deadline_and_its_process(
    processes: SearchProcesses, engine: RemoteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "HUNG_SECONDS", 0.05)
    before = set(processes.pids)
    with Deadline.after(0.05).in_force(), pytest.raises(BackendUnavailable, match="hung"):
        engine.search(SearchRequest(product_id=ENDLESS))
    until(lambda: len(processes.pids) == 2 and len(set(processes.pids) - before) == 1)


def test_nobody_waits_for_a_process_beyond_the_deadline(processes: SearchProcesses, engine: RemoteEngine) -> None:
    busy = [processes._free() for _ in range(2)]
    with Deadline.after(0.05).in_force(), pytest.raises(BackendUnavailable, match="no search process was free"):
        engine.search(OF_P001)
    gone = Deadline.after(10)
    gone.abandon()
    with gone.in_force(), pytest.raises(DeadlineExceeded):
        engine.search(OF_P001)
    for one in busy:
        processes._idle.put(one)


def test_a_release_that_cannot_be_loaded_is_refused_with_its_reason(
    processes: SearchProcesses, engine: RemoteEngine
) -> None:
    with pytest.raises(ReleaseError, match="is not this shop's"):
        processes.engine(Shop(catalogue="catalogue-b").release)
    assert engine.search(OF_P001).release_id == SHOP.release.release_id


def test_an_engine_is_let_go_everywhere_once_nobody_holds_it(processes: SearchProcesses) -> None:
    held = processes.engine(SHOP.release)
    call = SearchCall(held._number, "holds", "p001/0", 10.0, {})
    assert processes.ask(call).answer is True
    del held
    gc.collect()
    until(lambda: all("KeyError" in str(processes.ask(call).error) for _ in range(2)))


def test_a_server_answers_the_same_through_every_protocol(processes: SearchProcesses, tmp_path: Path) -> None:
    put_live(tmp_path / "releases", SHOP)
    with running(settings(tmp_path), processes.engine) as client:
        plain = client.http.post("/search?k=3", content=photo(7)).json()
        assert plain["release_id"] == SHOP.release.release_id
        deadly = client.http.post("/search", files={"product_id": (None, DEADLY)})
        assert (deadly.status_code, "process" in deadly.text) == (503, False)
        assert client.http.post("/search?k=3", content=photo(7)).json()["hits"] == plain["hits"]
        assert client.http.get("/products/p001").status_code == 200
        assert client.http.get("/health/ready").status_code == 200


def test_search_processes_end_with_a_server_that_is_killed() -> None:
    code = (
        "import sys; from serving.processes.pool import SearchProcesses; "
        "from tests.serving.process_shop import shop_process; from tests.search.shop import Shop; "
        "pool = SearchProcesses(shop_process, 1); engine = pool.engine(Shop().release); "
        "print(*pool.pids, flush=True); sys.stdin.read()"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        process = psutil.Process(int(server.stdout.readline()))
    finally:
        server.kill()
        server.communicate()
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def test_several_processes_are_not_given_one_file_of_milvus_lite(tmp_path: Path) -> None:
    chosen = ServingSettings.of_workspace(Workspace(tmp_path), str(tmp_path / "milvus.db"), processes=2)
    with pytest.raises(ConfigError, match=r"processes is 2, but only one may open the Milvus Lite file .*milvus\.db"):
        assemble(chosen)


@pytest.mark.slow
def test_real_parts_answer_the_same_in_processes_of_their_own(tmp_path: Path) -> None:
    shop = made_shop(tmp_path, range(12))
    milvus = LiteServer(shop.milvus)
    milvus.start()
    try:
        answers = [_similar(shop, milvus.uri, number) for number in (0, 2)]
    finally:
        milvus.end()
    assert answers[0] == answers[1]
    assert all("features" in hit for hit in answers[0])


def _similar(shop: Workspace, uri: str, processes: int) -> list[dict[str, Any]]:
    chosen = ServingSettings.of_workspace(shop, uri, http_port=0, grpc_port=0, processes=processes)
    with assembled(chosen) as client:
        hits: list[dict[str, Any]] = client.http.get("/products/p001/similar").json()["hits"]
        return hits
