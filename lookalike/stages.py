"""The flow's verbs over plain paths and settings: what the command line and the pipeline components call.

Every function takes paths as text and `settings` by stage name, imports only the rooms it needs, and
returns the stage's record.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from lookalike.config import StrictConfig, parse_config
from lookalike.errors import ReleaseError
from lookalike.storage import StageRecord, atomic_folder, read_json
from lookalike.workspace import Workspace

if TYPE_CHECKING:
    from lookalike.index.protocol import VectorIndex
    from lookalike.lifecycle.erase import Erased
    from lookalike.lifecycle.prune import Pruned
    from lookalike.release.manifest import Release
    from lookalike.release.update_log import Update

Settings = Mapping[str, Mapping[str, Any]]
Config = TypeVar("Config", bound=StrictConfig)

NONE: Settings = {}


def settings_for(kind: type[Config], settings: Settings, stage: str) -> Config:
    """One stage's settings out of the overrides by stage name. Raises ConfigError."""
    return parse_config(kind, dict(settings.get(stage, {})), f"settings.{stage}")


def draw(output: str, *, products: int, seed: int) -> StageRecord:
    """Draw the sample shop."""
    from lookalike.catalog.sample import SampleShop, draw_shop

    return draw_shop(Path(output), SampleShop(products=products, seed=seed))


def catalogue_digest(catalogue: str, mapping: str = "") -> str:
    """Digest over the bytes of a catalogue's files."""
    from lookalike.catalog.tables import CatalogueFiles

    return CatalogueFiles.find(catalogue, Path(mapping) if mapping else None).digest()


def validate(
    catalogue: str, output: str, *, mapping: str = "", limit: int = 0, settings: Settings = NONE
) -> StageRecord:
    """Check a catalogue and set bad rows aside."""
    from lookalike.catalog.thresholds import ValidationSettings
    from lookalike.catalog.validation import validate

    chosen = settings_for(ValidationSettings, settings, "validate")
    return validate(catalogue, Path(output), chosen, Path(mapping) if mapping else None, limit or None)


def split(validated: str, output: str, *, settings: Settings = NONE) -> StageRecord:
    """Assign products to train, validation and test."""
    from lookalike.catalog.splits import SplitSettings, split

    return split(Path(validated), Path(output), settings_for(SplitSettings, settings, "split"))


def mine(
    validated: str, splits: str, output: str, *, vectors: str = "", clicks: str = "", settings: Settings = NONE
) -> StageRecord:
    """Draw triplets over the train split, with hard negatives where there are vectors."""
    from lookalike.mining.mine import mine
    from lookalike.mining.settings import MiningSettings

    chosen = settings_for(MiningSettings, settings, "mine")
    further = (Path(vectors) if vectors else None, Path(clicks) if clicks else None)
    return mine(Path(validated), Path(splits), Path(output), chosen, *further)


def train(
    validated: str,
    splits: str,
    triplets: str,
    output: str,
    *,
    recipe: str,
    workspace: str,
    continue_from: str = "",
    cache: str = "",
    processes: int = 1,
) -> StageRecord:
    """Train the multi-task model; an interrupted run picks up again from the workspace.

    `cache` is a folder that keeps decoded photos for the next run; several `processes` share every batch. The recipe
    is YAML text: pipelines carry a mapping's whole numbers as fractions, which an encoder refuses.
    """
    from lookalike.release.export import CHECKPOINT
    from lookalike.release.promote import kept_export
    from lookalike.training.fit import train
    from lookalike.training.recipe import Recipe

    shop = Workspace(Path(workspace))
    inputs = (Path(validated), Path(splits), Path(triplets))
    start = kept_export(shop.releases, continue_from) / CHECKPOINT if continue_from else None
    chosen = parse_config(Recipe, yaml.safe_load(recipe), "recipe")
    return train(
        *inputs,
        Path(output),
        chosen,
        resume_folder=shop.training_state,
        start_from=start,
        cache_folder=Path(cache) if cache else None,
        processes=processes,
    )


def embed_products(validated: str, splits: str, checkpoint: str, output: str) -> StageRecord:
    """Embed the train split's products, for mining hard negatives."""
    from lookalike.training.embed_products import embed_products

    return embed_products(Path(validated), Path(splits), Path(checkpoint), Path(output))


def champion(workspace: str) -> str:
    """Id of the release in service; empty before the first."""
    from lookalike.release.manifest import live_release

    live = live_release(Workspace(Path(workspace)).releases)
    return live.release_id if live else ""


def evaluate(
    validated: str,
    splits: str,
    checkpoint: str,
    output: str,
    *,
    workspace: str,
    champion: str = "",
    settings: Settings = NONE,
) -> StageRecord:
    """Measure the challenger beside the champion and the frozen backbone, and decide on promotion."""
    from lookalike.evaluation.evaluate import evaluate
    from lookalike.evaluation.settings import EvaluationSettings
    from lookalike.release.promote import kept_export

    inputs = (Path(validated), Path(splits), Path(checkpoint))
    chosen = settings_for(EvaluationSettings, settings, "evaluate")
    beside = kept_export(Workspace(Path(workspace)).releases, champion) if champion else None
    return evaluate(*inputs, Path(output), chosen, champion=beside)


def promotion(evaluation: str) -> str:
    """ "promote" or "hold", as the evaluation decided."""
    return "promote" if read_json(Path(evaluation) / "promotion.json")["promote"] else "hold"


def export(checkpoint: str, validated: str, splits: str, output: str, *, settings: Settings = NONE) -> StageRecord:
    """Export to ONNX with Triton's configuration and prove parity; rounded copies are judged on the splits."""
    from lookalike.release.export import ExportSettings, export

    chosen = settings_for(ExportSettings, settings, "export")
    return export(Path(checkpoint), Path(validated), Path(output), chosen, splits=Path(splits))


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


def features(validated: str, index: str, output: str, *, workspace: str, definitions: str) -> StageRecord:
    """Apply and materialise the release's features; `definitions` is the folder of a Feast repository."""
    from lookalike.features.materialise import materialise

    release = read_json(Path(index) / "index.json")["release_id"]
    store = Workspace(Path(workspace)).feature_store
    return materialise(Path(validated), Path(output), store, release, datetime.now(UTC), Path(definitions))


def release(
    validated: str, exported: str, evaluation: str, index: str, features: str, *, workspace: str, milvus_uri: str
) -> str:
    """Publish the model and put the release in service; returns its id."""
    from lookalike.release.promote import promote

    shop = Workspace(Path(workspace))
    parts = (Path(validated), Path(exported), Path(evaluation), Path(index), Path(features))
    with collections_at(milvus_uri) as store:
        return promote(*parts, shop.releases, shop.model_repository, store, datetime.now(UTC)).release_id


def rollback(*, workspace: str, milvus_uri: str, to: str = "") -> "Release":
    """Put the release before the live one, or a named one, back in service."""
    from lookalike.release.promote import rollback

    with collections_at(milvus_uri) as store:
        return rollback(Workspace(Path(workspace)).releases, store, to=to)


def way_back(*, workspace: str, to: str = "") -> "Release":
    """The release that `rollback` would put in service."""
    from lookalike.release.promote import way_back

    return way_back(Workspace(Path(workspace)).releases, to)


def prune(*, workspace: str, milvus_uri: str, keep: int, unreleased: bool, dry_run: bool) -> "Pruned":
    """Clear away releases out of reach, and all that is theirs."""
    from lookalike.lifecycle.prune import prune

    with collections_at(milvus_uri) as store:
        return prune(Workspace(Path(workspace)), store, datetime.now(UTC), keep, unreleased, dry_run)


def update(validated: str, *, workspace: str, milvus_uri: str, settings: Settings = NONE) -> "Update | None":
    """Apply a validated catalogue to the live release in place; None where it holds that catalogue already."""
    from lookalike.embedders.onnx import OnnxEmbedder
    from lookalike.features.materialise import refresh
    from lookalike.index.build import IndexSettings
    from lookalike.lifecycle.update import update
    from lookalike.release.manifest import live_release

    shop, now = Workspace(Path(workspace)), datetime.now(UTC)
    live = live_release(shop.releases)
    if live is None:
        raise ReleaseError(f"nothing is in service under {shop.releases}; run `lookalike release` first")
    chosen = settings_for(IndexSettings, settings, "index")
    features = partial(refresh, shop.feature_store, live.feature_service, now)
    with collections_at(milvus_uri) as store:
        embedder = OnnxEmbedder(shop.model_repository / live.model)
        return update(Path(validated), shop.releases, store, embedder, features, now, chosen)


def erase(product_ids: Sequence[str], *, workspace: str, milvus_uri: str, cache: str = "") -> "Erased":
    """Erase products from the workspace and note them, so that no delivery brings them back."""
    from lookalike.lifecycle.erase import erase

    shop = Workspace(Path(workspace))
    with collections_at(milvus_uri) as store:
        return erase(shop, store, product_ids, datetime.now(UTC), Path(cache) if cache else None)


def live_model(exported: str, evaluation: str, *, workspace: str, release: str) -> None:
    """Copy the model and evaluation of `release`, the live one, out. Raises ReleaseError before the first release."""
    from lookalike.release.promote import kept_evaluation, kept_export

    releases = Workspace(Path(workspace)).releases
    if not release:
        raise ReleaseError(f"nothing is in service under {releases}; run the training pipeline first")
    copies = {exported: kept_export(releases, release), evaluation: kept_evaluation(releases, release)}
    for target, source in copies.items():
        with atomic_folder(Path(target)) as folder:
            shutil.copytree(source, folder, dirs_exist_ok=True)


@contextmanager
def collections_at(uri: str) -> Iterator["VectorIndex"]:
    """An open index; Milvus' token, a secret, comes from the environment and not from a pipeline's arguments."""
    from lookalike.index.choose import open_index

    store = open_index(uri, token=os.environ.get("MILVUS_TOKEN", ""))
    try:
        yield store
    finally:
        store.close()
