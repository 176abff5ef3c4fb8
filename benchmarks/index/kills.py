"""kill -9 at every step of what changes an index: is anything acknowledged lost, anything half-built seen?

Processes are killed at every change of a file they announce, at every request to a server, and servers at random
moments. After each kill a reader opens everything anew, then a new process goes on after the last acknowledged act.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.index.kill_collection import FaissCollections, expected_views
from benchmarks.index.kill_milvus import MilvusCollections, kill_the_server, serve
from benchmarks.index.kill_run import Scenario
from benchmarks.index.kill_shop import ShopVerbs, make_inputs
from benchmarks.index.kill_trial import AHEAD, Reference, Toll, refer, trial, views_of
from benchmarks.index.plan import COMMAND, Plan
from benchmarks.results import Figure
from benchmarks.study import Measured

STEP = "kills"
Amount = tuple[int, int, int]
"""At least so many kills, at most so many for the sake of steps not hit yet, at least one in so many acts."""
Kill = Callable[[Path, np.random.Generator, Amount], Toll]
TIMES = 3
"""How often every step is hit, where that is not too many kills."""
NOT_COUNTED = "not counted: in the middle of a purge of Milvus Lite a collection may be missing until it is repeated"
MOST_FAULTS = 20
"""Then something is so wrong that it need not be counted."""


def measure(plan: Plan) -> Measured:
    """The figures `kills` and `kills_lost`, and what was covered."""
    root, few = plan.places.scratch(STEP), plan.quick
    asked: dict[str, tuple[Kill, Amount]] = {
        FaissCollections.name: (kill_collections, (8, 8, 9) if few else (200, 1_500, AHEAD)),
        ShopVerbs.name: (kill_verbs, (4, 4, 9) if few else (100, 1_200, AHEAD)),
        MilvusCollections.name: (kill_lite, (1, 1, 9) if few else (100, 600, AHEAD)),
    }
    with ThreadPoolExecutor() as side_by_side:  # each waits for processes most of the time
        seeds = np.random.default_rng(plan.study.seed).spawn(len(asked))
        begun = {
            name: side_by_side.submit(kill, root, random, amount)
            for (name, (kill, amount)), random in zip(asked.items(), seeds, strict=True)
        }
    tolls = {name: task.result() for name, task in begun.items()}
    kills = sum(toll.kills for toll in tolls.values())
    lost = [fault for toll in tolls.values() for fault in toll.faults]
    first = f"{lost[0][:300]} …" if lost else ""
    how = "; ".join([*(f"{name}: {_told(toll)}" for name, toll in tolls.items()), NOT_COUNTED])
    figures = {
        "kills": Figure(kills, "kills", f"{__doc__.splitlines()[0]} {how}", COMMAND, ">= 200", kills >= 200, n=kills),
        "kills_lost": Figure(len(lost), "faults", first or how, COMMAND, "0", not lost, n=kills),
    }
    hits = {name: {f"{act}: {step}": n for (act, step), n in toll.hits.items()} for name, toll in tolls.items()}
    return Measured(figures, {"hits": hits, "faults": lost})


def kill_collections(root: Path, random: np.random.Generator, amount: Amount) -> Toll:
    """Acts on the collections of a faiss folder."""
    scenario = FaissCollections()
    reference = refer(scenario, root / "collections", expected_views())
    return _killed(scenario, root / "collections", reference, random, amount)


def kill_verbs(root: Path, random: np.random.Generator, amount: Amount) -> Toll:
    """The verbs of a shop over a faiss folder."""
    scenario = ShopVerbs(make_inputs(root / "inputs"))
    reference = refer(scenario, root / "shop", views_of(scenario, root / "viewed"))
    return _killed(scenario, root / "shop", reference, random, amount)


def kill_lite(root: Path, random: np.random.Generator, amount: Amount) -> Toll:
    """Acts on the collections of Milvus Lite: half of the kills end its client, half its server."""
    scenario = MilvusCollections()
    server = serve(root / "milvus")
    try:
        reference = refer(scenario, server.root, expected_views())
        toll = _killed(scenario, server.root, reference, random, amount)
        clients = toll.kills
        while toll.kills < clients + amount[0]:
            kill_the_server(scenario, server, reference, toll, random)
        return toll
    finally:
        server.kill()


def _told(toll: Toll) -> str:
    seldom = min(toll.hits.values())
    return f"{toll.kills} kills in {toll.trials} lives, {len(toll.hits)} different steps hit {seldom} times or more"


def _killed(scenario: Scenario, root: Path, reference: Reference, random: np.random.Generator, amount: Amount) -> Toll:
    toll, (least, most, ahead) = Toll(), amount
    while toll.kills < least or (toll.kills < most and toll.fewest(reference) < TIMES):
        trial(scenario, root, reference, toll, random, ahead)
        if len(toll.faults) > MOST_FAULTS:
            break
    return toll
