"""The index of a large catalogue: shards embedded side by side, then joined, stored and sealed in one task."""

from typing import Any

from kfp import dsl

from components.embed_shard import embed_shard
from components.merge_shards import merge_shards
from components.plan_shards import plan_shards
from pipelines.tasks import always, cached


def sharded_index(validated: Any, exported: Any, shards: Any, milvus_uri: Any, settings: Any, embed: Any) -> Any:
    """The index, as the task's output; called while a pipeline is being written down.

    A shard depends on catalogue, model and what `embed` has of the settings alone, so a run that was interrupted takes
    the finished ones from the cache.
    """
    plan = cached(plan_shards(validated=validated, shards=shards, settings=embed), "Plan the shards")
    with dsl.ParallelFor(plan.output, name="shards") as shard:
        embedding = embed_shard(validated=validated, exported=exported, shard=shard)
        cached(embedding, "Embed a shard")
    joining = merge_shards(
        validated=validated,
        exported=exported,
        embedded=dsl.Collected(embedding.outputs["embedded"]),
        milvus_uri=milvus_uri,
        settings=settings,
    )
    return always(joining, "Join the shards into an index").outputs["index"]
