"""The watch pipeline: drift, a reasoned decision, and the start of the run that the decision asks for."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact

from components.decide_action import decide_action
from components.detect_drift import detect_drift
from components.read_delivery import read_delivery
from components.start_runs import start_runs
from components.validate_catalogue import validate_catalogue


class Watched(NamedTuple):
    """What one watch saw and decided."""

    drift: Artifact
    decision: Artifact


@dsl.pipeline(name="watch", description="Compare recent queries with the release's reference and act on drift.")
def watch(
    catalogue: str,
    workspace: str,
    milvus_uri: str,
    recipe: str,
    now: str = "",
    mapping: str = "",
    limit: int = 0,
    settings: dict = {},
    api: str = "",
) -> Watched:
    """Watch the live release once; schedule it to watch on.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        workspace: root of the shop's workspace, on a volume every task mounts.
        milvus_uri: a Milvus server's URI or a Milvus Lite path.
        recipe: the recipe of a retraining as YAML text; it continues from the live release.
        now: time of the watch, UTC ISO 8601; empty for the present, as a schedule needs it.
        mapping: mapping file; empty for the one beside the data, or a preset.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name, for example {"drift": {"alpha": 0.05}}.
        api: KFP API server that starts what is decided, as the tasks reach it; empty for processes on this machine.
    """
    # Whatever happens between two watches of one schedule, its arguments stay the same: nothing here but the checked
    # catalogue, which depends on the digest, is taken from the cache.
    delivery = read_delivery(catalogue=catalogue, workspace=workspace, mapping=mapping, settings=settings)
    delivery.set_caching_options(False)
    digest, chosen = delivery.outputs["digest"], delivery.outputs["settings"]
    validated = validate_catalogue(
        catalogue=catalogue, catalogue_digest=digest, mapping=mapping, limit=limit, settings=chosen
    ).outputs["validated"]
    drift = detect_drift(validated=validated, workspace=workspace, now=now, settings=settings).set_caching_options(
        False
    )
    decision = decide_action(
        drift=drift.outputs["drift"], validated=validated, workspace=workspace, now=now, settings=settings, api=api
    ).set_caching_options(False)
    start_runs(
        catalogue=catalogue,
        catalogue_digest=digest,
        workspace=workspace,
        milvus_uri=milvus_uri,
        recipe=recipe,
        mapping=mapping,
        limit=limit,
        settings=chosen,
        api=api,
    ).after(decision).set_caching_options(False)
    return Watched(drift.outputs["drift"], decision.outputs["decision"])
