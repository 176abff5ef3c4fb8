"""What the search processes under test do: each makes the same shop in memory, and some products are dangerous."""

import os
import signal
import threading
from collections import Counter
from multiprocessing.connection import Connection

from lookalike.deadline import Deadline
from lookalike.errors import ReleaseError
from lookalike.release.manifest import Release
from lookalike.search.answer import SearchAnswer
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from serving.processes.worker import Worker
from serving.triton.supervision import Supervision
from tests.search.shop import Shop

DEADLY, ENDLESS, UNFORESEEN = "deadly", "endless", "unforeseen"


class FragileEngine(SearchEngine):
    """Ends its process, never answers or fails as no engine should, by the product it is asked about."""

    def search(self, request: SearchRequest, deadline: Deadline | None = None) -> SearchAnswer:
        match request.product_id:
            case "deadly":
                os.kill(os.getpid(), signal.SIGKILL)
            case "endless":
                threading.Event().wait()
            case "unforeseen":
                raise UnicodeDecodeError("utf-8", b"", 0, 1, "nobody thought of this")
        return super().search(request, deadline)


def make_engine(release: Release, tried: bool = False) -> SearchEngine:
    """Raises ReleaseError for any release but the shop's."""
    shop = Shop()
    if release.release_id != shop.release.release_id:
        raise ReleaseError(f"release {release.release_id[:12]} is not this shop's")
    return FragileEngine(shop.embedder, shop.index, shop.features, release)


def shop_process(calls: Connection, orders: Connection) -> None:
    Worker(make_engine, supervision=healed_once).work(calls, orders)


def healed_once() -> Supervision:
    """As a process knows of a model in Triton that it healed."""
    return Supervision({"embedder": True}, Counter(healed=1))
