"""Drift: recent queries against the release's reference."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Metrics, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def detect_drift(
    validated: Input[Dataset],
    drift: Output[Artifact],
    report: Output[HTML],
    metrics: Output[Metrics],
    workspace: str,
    now: str,
    settings: dict = {},
):
    """Compare the query log with the live release's reference, with a calibrated threshold.

    Args:
        validated: today's validated catalogue, for what it brings and for the verticals of queries.
        workspace: root of the shop's workspace, with the query log and the releases.
        now: time of the watch, UTC ISO 8601; empty for the present.
        settings: overrides by stage name, here those of "drift".
    """
    from components.outcome import log_record, show
    from monitoring import stages

    record = stages.drift(drift.path, workspace=workspace, now=now, settings=settings, validated=validated.path)
    show(drift.path, "drift.html", report)
    log_record(record, metrics)
