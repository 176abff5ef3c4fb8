"""Index: a collection built from shards that were embedded apart."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def merge_shards(
    validated: Input[Dataset],
    exported: Input[Model],
    embedded: Input[list[Artifact]],
    index: Output[Artifact],
    metrics: Output[Metrics],
    milvus_uri: str,
    settings: dict = {},
):
    """Join all shards, store them and seal the collection; it is the one a build without shards makes.

    Args:
        validated: the validated catalogue.
        exported: the exported model.
        embedded: every shard.
        milvus_uri: a Milvus server's URI, a Milvus Lite path or faiss:///folder; empty for MILVUS_URI of the
            task's environment, where MILVUS_TOKEN comes from, too.
        settings: overrides by stage name, here those of "index".
    """
    from components.outcome import log_record
    from lookalike import stages

    shards = [shard.path for shard in embedded]
    folders = (validated.path, exported.path, index.path)
    log_record(stages.index(*folders, milvus_uri=milvus_uri, shards=shards, settings=settings), metrics)
