"""The watch pipeline: drift, a reasoned decision, and the run that the decision asks for."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact

from components.decide_action import decide_action
from components.detect_drift import detect_drift
from components.find_champion import find_champion
from components.planned_action import planned_action
from components.validate_catalogue import validate_catalogue
from pipelines.refresh_index import refresh_index
from pipelines.training import training


class Watched(NamedTuple):
    """What one watch saw and decided."""

    drift: Artifact
    decision: Artifact


@dsl.pipeline(name="watch", description="Compare recent queries with the release's reference and act on drift.")
def watch(
    catalogue: str,
    catalogue_digest: str,
    workspace: str,
    milvus_uri: str,
    recipe: str,
    now: str,
    mapping: str = "",
    limit: int = 0,
    settings: dict = {},
) -> Watched:
    """Watch the live release once; schedule it to watch on.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        catalogue_digest: digest of the catalogue's bytes; the command line fills it in.
        workspace: root of the shop's workspace, on a volume every task mounts.
        milvus_uri: a Milvus server's URI or a Milvus Lite path.
        recipe: the recipe of a retraining as YAML text; it continues from the live release.
        now: time of the watch, UTC ISO 8601; names the retraining it may start.
        mapping: mapping file; empty for the one beside the data, or a preset.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name, for example {"drift": {"alpha": 0.05}}.
    """
    validated = validate_catalogue(
        catalogue=catalogue, catalogue_digest=catalogue_digest, mapping=mapping, limit=limit, settings=settings
    ).outputs["validated"]
    drift = detect_drift(validated=validated, workspace=workspace, now=now, settings=settings).set_caching_options(
        False
    )
    decision = decide_action(
        drift=drift.outputs["drift"],
        validated=validated,
        workspace=workspace,
        now=now,
        settings=settings,
    ).set_caching_options(False)
    action = planned_action(decision=decision.outputs["decision"]).set_caching_options(False).output
    with dsl.If(action == "retrain", name="retrain"):
        live = find_champion(workspace=workspace).set_caching_options(False)
        training(
            catalogue=catalogue,
            catalogue_digest=catalogue_digest,
            workspace=workspace,
            milvus_uri=milvus_uri,
            recipe=recipe,
            mapping=mapping,
            limit=limit,
            settings=settings,
            continue_from=live.output,
            trigger=now,
        )
    with dsl.Elif(action == "reindex", name="reindex"):
        refresh_index(
            catalogue=catalogue,
            catalogue_digest=catalogue_digest,
            workspace=workspace,
            milvus_uri=milvus_uri,
            mapping=mapping,
            limit=limit,
            settings=settings,
        )
    return Watched(drift.outputs["drift"], decision.outputs["decision"])
