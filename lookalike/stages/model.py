"""From splits to an exported model that the gate let through."""

import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from lookalike.config import parse_config
from lookalike.errors import ConfigError
from lookalike.stages.arguments import NONE, Settings, settings_for
from lookalike.storage import StageRecord, read_json
from lookalike.workspace import Workspace


def mine(
    validated: str, splits: str, output: str, *, vectors: str = "", clicks: str = "", settings: Settings = NONE
) -> StageRecord:
    """Draw triplets over the train split, with hard negatives where there are vectors; `clicks` is a click log or a
    folder of collected feedback."""
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
    state: str = "",
    save_every: int = 0,
) -> StageRecord:
    """Train the multi-task model; an interrupted run picks up again from `state`, or from the workspace.

    `cache` is a folder that keeps decoded photos for the next run; several `processes` share every batch, 0 for one
    on each GPU of this machine. `state` is a folder or a URL of object storage, written every `save_every` steps. The
    recipe is YAML text: pipelines carry a mapping's whole numbers as fractions, which an encoder refuses.
    """
    from lookalike.embedders.model_folder import CHECKPOINT
    from lookalike.release.promote import kept_export
    from lookalike.training.fit import train
    from lookalike.training.launch import processes_here
    from lookalike.training.loop import SAVE_EVERY_STEPS
    from lookalike.training.recipe import Recipe

    shop = Workspace(Path(workspace))
    inputs = (Path(validated), Path(splits), Path(triplets))
    start = kept_export(shop.releases, continue_from) / CHECKPOINT if continue_from else None
    chosen = parse_config(Recipe, yaml.safe_load(recipe), "recipe")
    return train(
        *inputs,
        Path(output),
        chosen,
        resume_at=state or shop.training_state,
        start_from=start,
        cache_folder=Path(cache) if cache else None,
        processes=processes or processes_here(chosen),
        save_every_steps=save_every or SAVE_EVERY_STEPS,
    )


def read_recipe(recipe: str) -> tuple[str, str]:
    """A recipe without its comments and layout, and the digest of the pretrained encoder that it names.

    The digest is empty for random weights and for an encoder of the hub, which its name stands for.
    """
    from lookalike.embedders.pretrained import encoder_digest

    values = yaml.safe_load(recipe)
    if not isinstance(values, dict):
        raise ConfigError(f"the recipe is {recipe!r}; YAML that maps names to settings is accepted")
    source = (values.get("encoder") or {}).get("source")
    folder = Path(source) if source else None
    digest = encoder_digest(folder) if folder is not None and folder.is_dir() else ""
    return json.dumps(values, sort_keys=True), digest


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
    exported: str = "",
    feedback: str = "",
    alarms: Sequence[str] = (),
    settings: Settings = NONE,
) -> StageRecord:
    """Measure the challenger beside the champion and the frozen backbone, and decide on promotion.

    `exported` is the challenger's model folder, `feedback` what `collect_feedback` left, `alarms` are reasons to hold
    it back that were found elsewhere.
    """
    from lookalike.evaluation.evaluate import evaluate
    from lookalike.evaluation.settings import EvaluationSettings
    from lookalike.release.promote import kept_export

    inputs = (Path(validated), Path(splits), Path(checkpoint))
    chosen = settings_for(EvaluationSettings, settings, "evaluate")
    beside = kept_export(Workspace(Path(workspace)).releases, champion) if champion else None
    own, recent = (Path(path) if path else None for path in (exported, feedback))
    return evaluate(*inputs, Path(output), chosen, champion=beside, exported=own, recent=recent, alarms=alarms)


def promotion(evaluation: str) -> str:
    """ "promote" or "hold", as the evaluation decided."""
    return "promote" if read_json(Path(evaluation) / "promotion.json")["promote"] else "hold"


def export(checkpoint: str, validated: str, splits: str, output: str, *, settings: Settings = NONE) -> StageRecord:
    """Export to ONNX with Triton's configuration and prove parity; rounded copies are judged on the splits."""
    from lookalike.release.export import ExportSettings, export

    chosen = settings_for(ExportSettings, settings, "export")
    return export(Path(checkpoint), Path(validated), Path(output), chosen, splits=Path(splits))
