"""From an exported model to a release's collection, in one piece or in shards, and the choice of how to search it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lookalike.config import parse_config
from lookalike.stages.arguments import NONE, Settings, collections_at, settings_for
from lookalike.storage import StageRecord


def plan_shards(validated: str, shards: int, *, settings: Settings = NONE) -> list[str]:
    """Name the shards that a catalogue's gallery is embedded in, for `embed_shard`."""
    from lookalike.catalog.products import load_catalogue
    from lookalike.index.build import IndexSettings
    from lookalike.index.shards import plan_shards

    batch = settings_for(IndexSettings, settings, "index").batch
    return [str(shard) for shard in plan_shards(load_catalogue(Path(validated)), shards, batch)]


def embed_shard(validated: str, exported: str, output: str, *, shard: str, settings: Settings = NONE) -> StageRecord:
    """Embed one shard of the gallery, for `index` to join."""
    from lookalike.embedders.onnx import OnnxEmbedder
    from lookalike.index.build import IndexSettings
    from lookalike.index.shards import Shard, embed_shard

    part, batch = Shard.read(shard), settings_for(IndexSettings, settings, "index").batch
    folders = (Path(validated), Path(exported), Path(output))
    return embed_shard(*folders, OnnxEmbedder(Path(exported)), part, batch)


def index(
    validated: str,
    exported: str,
    output: str,
    *,
    milvus_uri: str,
    shards: Sequence[str] = (),
    settings: Settings = NONE,
) -> StageRecord:
    """Build the release's collection beside the live one, from `shards` that `embed_shard` made where there are any."""
    from lookalike.embedders.onnx import OnnxEmbedder
    from lookalike.index.build import IndexSettings, build_index

    chosen = settings_for(IndexSettings, settings, "index")
    with collections_at(milvus_uri) as store:
        embedder = OnnxEmbedder(Path(exported))
        folders = (Path(validated), Path(exported), Path(output))
        return build_index(*folders, store, embedder, chosen, [Path(shard) for shard in shards])


def select_index(
    vectors: str,
    output: str,
    *,
    limits: Mapping[str, Any],
    validated: str = "",
    quick: bool = False,
    settings: Settings = NONE,
) -> StageRecord:
    """Measure the ways to search these vectors and choose the cheapest within the limits."""
    from lookalike.selection.choice import Limits
    from lookalike.selection.select import SelectSettings, select_index

    overrides = {**settings.get("select", {}), **({"quick": True} if quick else {})}
    chosen = settings_for(SelectSettings, {"select": overrides}, "select")
    asked = parse_config(Limits, dict(limits), "limits")
    return select_index(Path(vectors), Path(output), asked, chosen, Path(validated) if validated else None)
