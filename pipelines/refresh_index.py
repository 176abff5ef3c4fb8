"""The refresh pipeline: a changed catalogue, the same model, a new index and features."""

from kfp import dsl

from components.find_champion import find_champion
from components.live_model import live_model
from components.validate_catalogue import validate_catalogue
from pipelines.deploy import deploy
from pipelines.sharded_index import sharded_index


@dsl.pipeline(name="refresh-index", description="Index today's catalogue with the model in service and switch to it.")
def refresh_index(
    catalogue: str,
    catalogue_digest: str,
    workspace: str,
    milvus_uri: str,
    mapping: str = "",
    limit: int = 0,
    settings: dict = {},
    shards: int = 1,
):
    """Rebuild index and features for a changed catalogue, without training.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        catalogue_digest: digest of the catalogue's bytes; the command line fills it in.
        workspace: root of the shop's workspace, on a volume every task mounts.
        milvus_uri: a Milvus server's URI or a Milvus Lite path.
        mapping: mapping file; empty for the one beside the data, or a preset.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name, for example {"index": {"batch": 512}}.
        shards: how many tasks embed the catalogue side by side.
    """
    # Which release is live is not visible in the arguments, so this is never taken from the cache. What was made with
    # the same model is: shards that an interrupted run finished.
    champion = find_champion(workspace=workspace).set_caching_options(False)
    live = live_model(workspace=workspace, release=champion.output)
    validated = validate_catalogue(
        catalogue=catalogue, catalogue_digest=catalogue_digest, mapping=mapping, limit=limit, settings=settings
    ).outputs["validated"]
    index = sharded_index(validated, live.outputs["exported"], shards, milvus_uri, settings)
    deploy(validated, live.outputs["exported"], live.outputs["evaluation"], index, workspace, milvus_uri, settings)
