"""Validate: catalogue in, checked products and quarantine out."""

from kfp import dsl
from kfp.dsl import Dataset, Markdown, Metrics, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def validate_catalogue(
    validated: Output[Dataset],
    summary: Output[Markdown],
    metrics: Output[Metrics],
    delivery: str,
    workspace: str,
    limit: int = 0,
    settings: dict = {},
):
    """Check a catalogue with Great Expectations and set bad rows aside.

    Args:
        delivery: digest of what was delivered.
        workspace: root of the shop's workspace, where the delivery's place is noted.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name, here those of "validate".
    """
    from components.outcome import log_record, show
    from lookalike import stages

    record = stages.validate_delivery(delivery, validated.path, workspace=workspace, limit=limit, settings=settings)
    show(validated.path, "summary.md", summary)
    log_record(record, metrics)
