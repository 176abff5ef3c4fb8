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
):
    """Embed one shard; it reads nothing but the catalogue and the model, so a finished one comes from the cache.

    Args:
        validated: the validated catalogue.
        exported: the exported model.
        shard: which one, and the settings it depends on, as plan_shards says it.
    """
    import json

    from components.outcome import log_record
    from lookalike import stages

    log_record(stages.embed_shard(validated.path, exported.path, embedded.path, **json.loads(shard)), metrics)
