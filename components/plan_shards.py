"""Plan: into how many shards the gallery is cut."""

from kfp import dsl
from kfp.dsl import Dataset, Input

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def plan_shards(validated: Input[Dataset], shards: int = 1, settings: dict = {}) -> list[str]:
    """Name the shards of a catalogue's gallery, each with the settings that it depends on, as JSON.

    In a loop the runner on this machine gives the loop's item to every parameter that another task made, so the item
    has to say everything.

    Args:
        validated: the validated catalogue.
        shards: how many are wanted; there are fewer where there are fewer batches of photos.
        settings: overrides by stage name, here those of "index".
    """
    import json

    from lookalike import stages

    planned = stages.plan_shards(validated.path, shards, settings=settings)
    return [json.dumps({"shard": shard, "settings": settings}, sort_keys=True) for shard in planned]
