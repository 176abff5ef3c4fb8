"""The watch pipeline: drift, a reasoned decision, and the start of the run that the decision asks for."""

from typing import NamedTuple

from kfp.dsl import Artifact

from components.decide_action import decide_action
from components.detect_drift import detect_drift
from components.read_delivery import read_delivery
from components.start_runs import start_runs
from components.validate_catalogue import validate_catalogue
from pipelines.flow import Flow
from pipelines.tasks import always, cached


class Watched(NamedTuple):
    """What one watch saw and decided."""

    drift: Artifact
    decision: Artifact


def look_and_decide(
    catalogue: str,
    workspace: str,
    recipe: str,
    milvus_uri: str = "",
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
        recipe: the recipe of a retraining as YAML text; it continues from the live release.
        milvus_uri: a Milvus server's URI or a Milvus Lite path; empty for MILVUS_URI of the tasks' environment.
        now: time of the watch, UTC ISO 8601; empty for the present, as a schedule needs it.
        mapping: mapping file; empty for the one beside the data, or a preset.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name, for example {"drift": {"alpha": 0.05}}.
        api: KFP API server that starts what is decided, as the tasks reach it; empty for processes on this machine.
    """
    # Whatever happens between two watches of one schedule, its arguments stay the same: nothing here but the checked
    # catalogue, which depends on the digest, is taken from the cache.
    delivery = always(
        read_delivery(catalogue=catalogue, workspace=workspace, mapping=mapping, settings=settings),
        "Read the delivery",
    )
    validating = validate_catalogue(
        delivery=delivery.outputs["delivery"], workspace=workspace, limit=limit, settings=delivery.outputs["validate"]
    )
    validated = cached(validating, "Validate the catalogue").outputs["validated"]
    looking = detect_drift(validated=validated, workspace=workspace, now=now, settings=settings)
    drift = always(looking, "Look for drift").outputs["drift"]
    deciding = decide_action(drift=drift, validated=validated, workspace=workspace, now=now, settings=settings, api=api)
    decision = always(deciding, "Decide")
    starting = start_runs(
        catalogue=catalogue,
        workspace=workspace,
        milvus_uri=milvus_uri,
        recipe=recipe,
        mapping=mapping,
        limit=limit,
        settings=settings,
        api=api,
    )
    always(starting.after(decision), "Start what was decided")
    return Watched(drift, decision.outputs["decision"])


WATCH = Flow(
    "watch",
    "Look and decide",
    "Compare recent queries with the release's reference and act on drift.",
    look_and_decide,
)
watch = WATCH.pipeline()
