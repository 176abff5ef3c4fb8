"""The refresh pipeline: a changed catalogue, the same model, a new index and features."""

from components.find_champion import find_champion
from components.live_model import live_model
from components.read_delivery import read_delivery
from components.validate_catalogue import validate_catalogue
from pipelines.deploy import deploy
from pipelines.flow import Flow
from pipelines.sharded_index import sharded_index
from pipelines.tasks import always, cached


def index_and_switch(
    catalogue: str,
    workspace: str,
    milvus_uri: str = "",
    mapping: str = "",
    limit: int = 0,
    settings: dict = {},
    shards: int = 1,
):
    """Rebuild index and features for a changed catalogue, without training.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        workspace: root of the shop's workspace, on a volume every task mounts.
        milvus_uri: a Milvus server's URI or a Milvus Lite path; empty for MILVUS_URI of the tasks' environment.
        mapping: mapping file; empty for the one beside the data, or a preset.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name, for example {"index": {"batch": 512}}.
        shards: how many tasks embed the catalogue side by side.
    """
    # Which release is live is not visible in the arguments, so this is never taken from the cache. What was made with
    # the same model is: shards that an interrupted run finished.
    champion = always(find_champion(workspace=workspace), "Find the release in service").output
    live = cached(live_model(workspace=workspace, release=champion), "Copy its model")
    delivery = always(
        read_delivery(catalogue=catalogue, workspace=workspace, mapping=mapping, settings=settings),
        "Read the delivery",
    )
    validating = validate_catalogue(
        delivery=delivery.outputs["delivery"], workspace=workspace, limit=limit, settings=delivery.outputs["validate"]
    )
    validated = cached(validating, "Validate the catalogue").outputs["validated"]
    exported, evaluation = live.outputs["exported"], live.outputs["evaluation"]
    index = sharded_index(validated, exported, shards, milvus_uri, settings, delivery.outputs["embed"])
    deploy(validated, exported, evaluation, index, workspace, milvus_uri, settings)


REFRESH_INDEX = Flow(
    "refresh-index",
    "Index and switch",
    "Index today's catalogue with the model in service and switch to it.",
    index_and_switch,
)
refresh_index = REFRESH_INDEX.pipeline()
