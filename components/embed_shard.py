"""Embed: the vectors and colours of one shard of the gallery."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def embed_shard(
    validated: Input[Dataset],
    exported: Input[Model],
    embedded: Output[Artifact],
    metrics: Output[Metrics],
    shard: str,
    settings: dict = {},
):
    """Embed one shard; it reads nothing but the catalogue and the model, so a finished one comes from the cache.

    Args:
        validated: the validated catalogue.
        exported: the exported model.
        shard: which one, for example 2/8.
        settings: overrides by stage name, here those of "index".
    """
    from components.outcome import log_record
    from lookalike import stages

    record = stages.embed_shard(validated.path, exported.path, embedded.path, shard=shard, settings=settings)
    log_record(record, metrics)
