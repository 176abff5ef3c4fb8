"""Index: a collection built beside the live one and measured."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def build_index(
    validated: Input[Dataset],
    exported: Input[Model],
    index: Output[Artifact],
    metrics: Output[Metrics],
    milvus_uri: str,
    settings: dict = {},
):
    """Embed every gallery photo and build the release's Milvus collection; nothing live changes.

    Args:
        validated: the validated catalogue.
        exported: the exported model.
        milvus_uri: a Milvus server's URI or a Milvus Lite path; empty for MILVUS_URI of the
            task's environment, where MILVUS_TOKEN comes from, too.
        settings: overrides by stage name, here those of "index".
    """
    from components.outcome import log_record
    from lookalike import stages

    record = stages.index(validated.path, exported.path, index.path, milvus_uri=milvus_uri, settings=settings)
    log_record(record, metrics)
