"""How long features take from Feast on Redis: 1, 10 and 100 products in one call, beside the raw pipeline of the same
commands and Feast's own `get_online_features`, in turns on the same server.

A redis-server of its own is started on loopback. `--validated` is what validate made of a catalogue.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.features.figures import COUNTS, figures
from benchmarks.features.readers import agree, readers
from benchmarks.features.redis_server import redis_on_loopback, used_memory
from benchmarks.features.shop import filled, grown_catalogue
from benchmarks.features.timing import time_readers
from benchmarks.results import Figure, record
from lookalike.catalog.products import load_catalogue
from lookalike.errors import LookalikeError, ReleaseError
from serving.ports import LOOPBACK


def measure(arguments: argparse.Namespace, scratch: Path) -> dict[str, Figure]:
    """Fill a Redis, see that all readers find the same, and time them."""
    validated = arguments.validated
    if arguments.products:
        validated = grown_catalogue(validated, scratch / "grown", arguments.products)
    ids = load_catalogue(validated).products["product_id"].tolist()
    with redis_on_loopback(scratch) as client:
        port = client.connection_pool.connection_kwargs["port"]
        record = filled(scratch, validated, f"{LOOPBACK}:{port}")
        memory = used_memory(client)
        read = readers(scratch / "store", client)
        if not agree(read, ids[:100]):
            raise ReleaseError("the readers do not find the same features; their times say nothing")
        turns, calls = (2, 50) if arguments.quick else (arguments.turns, arguments.calls)
        timed = time_readers(read, ids, COUNTS, turns, calls, arguments.seed)
    waiting = "real-time" if os.sched_getscheduler(0) == os.SCHED_FIFO else "usual"
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores when it ended, reader and Redis at "
    load += f"{waiting} priority, seed {arguments.seed}"
    return figures(timed, record, memory, load)


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    arguments = _parser().parse_args()
    try:
        with tempfile.TemporaryDirectory() as made:
            found = measure(arguments, Path(made))
    except LookalikeError as error:
        sys.stderr.write(f"bench-features: {error}\n")
        return 2
    if arguments.products:
        command = f"python -m benchmarks.features --validated <folder> --products {arguments.products}"
        found = {f"{key}_grown": replace(figure, command=command) for key, figure in found.items()}
    with tempfile.TemporaryDirectory() as aside:
        record("cluster", found, **({"folder": Path(aside)} if arguments.quick else {}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.features", description=__doc__)
    parser.add_argument("--validated", type=Path, required=True, help="what validate made of a catalogue")
    parser.add_argument("--products", type=int, default=0, help="the catalogue grown to so many; keys end in _grown")
    parser.add_argument("--turns", type=int, default=12, help="rounds over the readers [12]")
    parser.add_argument("--calls", type=int, default=300, help="calls of every reader in a turn [300]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="two short turns; shown, not recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
