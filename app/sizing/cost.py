"""What it costs: a month of serving, one rebuild."""

from app.sizing.constants import Constants
from app.sizing.index_size import disk_gib, redis_gib, replica_gib
from app.sizing.rebuild import rebuild
from app.sizing.serving import Serving, serving
from app.sizing.shop import Shop


def month_cost(shop: Shop, given: Constants) -> float:
    """Cores and memory of replicas, of Milvus and of Redis for every hour, and the disk."""
    made = serving(shop, given)
    cores = made.replicas * given.replica_cores + made.milvus_nodes * given.node_cores
    memory = made.replicas * made.replica_gib + _milvus_memory(made, given) + redis_gib(shop, given)
    hourly = cores * given.core_hour + memory * given.gib_hour
    return given.month_hours * hourly + disk_gib(shop, given) * given.disk_gib_month


def rebuild_cost(shop: Shop, given: Constants) -> float:
    """Embedding by the core; the join and the filling on one core with the new index in memory."""
    taken, made = rebuild(shop, given), serving(shop, given)
    joining = given.service_gib if made.index is None else replica_gib(made.index, shop, given)
    one_core = given.core_hour + joining * given.gib_hour
    return taken.core_hours * given.core_hour + (taken.storing + taken.features) * one_core


def _milvus_memory(made: Serving, given: Constants) -> float:
    """Whole nodes are paid for."""
    return made.milvus_nodes * given.node_gib
