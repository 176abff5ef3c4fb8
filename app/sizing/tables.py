"""The answers as tables in Markdown, for a terminal and for a page."""

from collections.abc import Callable, Sequence

from app.sizing.constants import Constants, stated
from app.sizing.cost import month_cost, rebuild_cost
from app.sizing.index_size import disk_gib, node_fits, private_gib, redis_gib, scanned_gib, structures, vector_gib
from app.sizing.rebuild import rebuild
from app.sizing.serving import serving
from app.sizing.shop import Shop, named

Table = Callable[[Sequence[Shop], Constants], str]
MILVUS = "Milvus distributed"


def needs(shops: Sequence[Shop], given: Constants) -> str:
    """What is stored."""
    rows = [
        [
            named(shop.products),
            f"{shop.photos:,.0f}",
            _gib(vector_gib(shop)),
            *(_gib(scanned_gib(kind, shop)) for kind in structures(shop.dimension)),
            _gib(disk_gib(shop, given)),
            _gib(redis_gib(shop, given)),
        ]
        for shop in shops
    ]
    head = ["products", "photos", "vectors", "graph", "product codes", "binary", "disk", "Redis"]
    return markdown(head, rows)


def memory(shops: Sequence[Shop], given: Constants) -> str:
    """GiB that one process holds of one release, and what fits a node."""
    rows = []
    for shop in shops:
        kinds = structures(shop.dimension)
        cells = [
            f"{_gib(private_gib(kind, shop, given))}{'' if node_fits(kind, shop, given) else ' (no)'}" for kind in kinds
        ]
        rows.append([named(shop.products), *cells, serving(shop, given).index or MILVUS])
    return markdown(["products", "graph", "product codes", "binary", "chosen"], rows)


def hours(shops: Sequence[Shop], given: Constants) -> str:
    """What a rebuild takes and costs."""
    rows = []
    for shop in shops:
        taken = rebuild(shop, given)
        parts = (taken.core_hours, taken.embedding, taken.storing, taken.features, taken.hours)
        rows.append([named(shop.products), *(_short(part) for part in parts), f"{rebuild_cost(shop, given):,.2f}"])
    head = ["products", "core hours", "embedding", "storing", "features", "hours in all", "cost"]
    return markdown(head, rows)


def months(shops: Sequence[Shop], given: Constants) -> str:
    """What serving takes and costs."""
    rows = []
    for shop in shops:
        made = serving(shop, given)
        rows.append(
            [
                named(shop.products),
                f"{shop.queries_per_second:g}",
                made.index or MILVUS,
                f"{made.query_ms:.1f}{'' if made.index else ' and Milvus'}",
                str(made.replicas),
                _gib(made.replica_gib),
                str(made.nodes),
                str(made.milvus_nodes) if made.milvus_nodes else "",
                f"{month_cost(shop, given):,.0f}",
            ]
        )
    head = ["products", "queries/s", "index", "core ms", "replicas", "GiB each", "nodes", "Milvus nodes", "cost"]
    return markdown(head, rows)


def sources(shops: Sequence[Shop], given: Constants) -> str:
    """Every constant and where it comes from; the reader's own are told as such."""
    rows = []
    for name, told in stated().items():
        value = getattr(given, name)
        known = (told.kind, told.source) if value == told.value else ("given", "")
        rows.append([f"`{name}`", f"{value:,.6g}", *known])
    return markdown(["constant", "value", "", "source"], rows)


TABLES: dict[str, Table] = {"needs": needs, "memory": memory, "hours": hours, "months": months, "sources": sources}


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


def _gib(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else _short(value)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
