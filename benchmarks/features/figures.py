"""What was timed, as figures."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.features.readers import FEAST, OURS, RAW, SERVED
from benchmarks.features.timing import Timed
from benchmarks.results import Figure
from lookalike.storage import StageRecord

COUNTS = (1, 10, 100)
COMMAND = "make bench-features VALIDATED=<folder>"
GOAL_MS = 2.1
"""The best published p99 of Feast on Redis for ten ids."""

ByReader = Mapping[str, Timed]


def figures(timed: Mapping[int, ByReader], filled: StageRecord, memory: int, load: str) -> dict[str, Figure]:
    """p99 by number of ids, ratios to the raw pipeline, and what filling came to."""
    products = filled.figures["products"]
    of = f"{products:,} products, {len(filled.figures['features'])} features each; {load}"
    found = {f"feast_p99_ms_{count}": _p99(count, by_reader, of) for count, by_reader in timed.items()}
    found |= {f"feast_redis_ratio_{count}": _ratio(count, by_reader, of) for count, by_reader in timed.items()}
    return found | {
        "feast_filled_per_second": Figure(
            filled.figures["rows_per_second"],
            "products/s",
            f"converted, written to Redis in batches and noted, one process; {of}",
            COMMAND,
            n=products,
        ),
        "feast_redis_bytes_per_product": Figure(
            memory / products, "bytes", f"Redis' used_memory with one release in it; {of}", COMMAND, n=products
        ),
    }


def _p99(count: int, by_reader: ByReader, of: str) -> Figure:
    ours = by_reader[OURS]
    value = ours.percentile(99)
    beside = "; ".join(
        f"{name}: p50 {one.percentile(50):.3f}, p99 {one.percentile(99):.3f} ms" for name, one in by_reader.items()
    )
    turns, calls = ours.ms.shape
    told = f"FeastLookup.lookup of {count} drawn ids in one call, redis-server 7 on loopback; {beside}; {turns} turns "
    told += f"of {calls} calls of each reader, interval by drawing turns; {of}"
    figure = Figure(value, "ms", told, COMMAND, interval=ours.percentile_interval(99), n=turns * calls)
    return replace(figure, goal=f"< {GOAL_MS} ms", met=value < GOAL_MS) if count == 10 else figure


def _ratio(count: int, by_reader: ByReader, of: str) -> Figure:
    value, interval = by_reader[OURS].ratio(by_reader[RAW], 50)
    tail, tails = by_reader[OURS].ratio(by_reader[RAW], 99)
    feast, _ = by_reader[FEAST].ratio(by_reader[RAW], 50)
    served, _ = by_reader[SERVED].ratio(by_reader[RAW], 50)
    told = (
        f"p50 of our reader over that of a raw pipeline of the same HMGETs with its answers left as bytes, {count} ids "
        f"in one call, side by side; at p99 {tail:.2f} ({tails[0]:.2f} to {tails[1]:.2f}); get_online_features "
        f"{feast:.1f}, ours with the thread and deadline of a search {served:.2f}; {of}"
    )
    return Figure(value, "ratio", told, COMMAND, interval=interval, n=by_reader[OURS].ms.size)
