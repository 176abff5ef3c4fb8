"""Validate: catalogue in, checked products and quarantine out."""

from kfp import dsl
from kfp.dsl import Dataset, Markdown, Metrics, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def validate_catalogue(
    validated: Output[Dataset],
    summary: Output[Markdown],
    metrics: Output[Metrics],
    catalogue: str,
    catalogue_digest: str,
    mapping: str = "",
    limit: int = 0,
    settings: dict = {},
):
    """Check a catalogue with Great Expectations and set bad rows aside.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        catalogue_digest: digest of the catalogue's bytes, so that the cache key changes when the data does.
        mapping: mapping file; empty for the one beside the data, or a preset.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name, here those of "validate".
    """
    from components.outcome import log_record, show
    from lookalike import stages

    record = stages.validate(catalogue, validated.path, mapping=mapping, limit=limit, settings=settings)
    show(validated.path, "summary.md", summary)
    log_record(record, metrics)
