"""The training pipeline: catalogue in, release in service out, behind the promotion gate."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Model

from components.build_index import build_index
from components.collect_feedback import collect_feedback
from components.evaluate_model import evaluate_model
from components.export_model import export_model
from components.find_champion import find_champion
from components.mine_triplets import mine_triplets
from components.promotion_gate import promotion_gate
from components.split_catalogue import split_catalogue
from components.train_model import train_model
from components.validate_catalogue import validate_catalogue
from pipelines.deploy import deploy


class Trained(NamedTuple):
    """What a training run leaves behind, whether or not it was promoted."""

    validated: Dataset
    splits: Dataset
    feedback: Dataset
    triplets: Dataset
    checkpoint: Model
    evaluation: Artifact


@dsl.pipeline(name="training", description="Validate, mine, train, evaluate and, if it is better, release.")
def training(
    catalogue: str,
    catalogue_digest: str,
    workspace: str,
    milvus_uri: str,
    recipe: str,
    mapping: str = "",
    limit: int = 0,
    settings: dict = {},
    continue_from: str = "",
    trigger: str = "",
) -> Trained:
    """Train a model on a catalogue and release it.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        catalogue_digest: digest of the catalogue's bytes; the command line fills it in.
        workspace: root of the shop's workspace, on a volume every task mounts.
        milvus_uri: a Milvus server's URI or a Milvus Lite path.
        recipe: the training recipe as YAML text, as in pipelines/recipes.
        mapping: mapping file; empty for the one beside the data, or a preset.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name, for example {"evaluate": {"seed": 7}}.
        continue_from: release whose weights to start from; empty for the recipe's own encoder.
        trigger: what asked for this run; a new one is a new training.
    """
    # The champion changes between runs with the same arguments, so it is never taken from the cache.
    champion = find_champion(workspace=workspace).set_caching_options(False).output
    validated = validate_catalogue(
        catalogue=catalogue, catalogue_digest=catalogue_digest, mapping=mapping, limit=limit, settings=settings
    ).outputs["validated"]
    splits = split_catalogue(validated=validated, settings=settings).outputs["splits"]
    # What shoppers did is no argument either; tasks below are cached by the name that is the digest of it.
    collected = collect_feedback(
        validated=validated, splits=splits, workspace=workspace, champion=champion, settings=settings
    ).set_caching_options(False)
    feedback = collected.outputs["Output"]
    triplets = mine_triplets(
        validated=validated, splits=splits, workspace=workspace, feedback=feedback, settings=settings
    ).outputs["triplets"]
    checkpoint = train_model(
        validated=validated,
        splits=splits,
        triplets=triplets,
        recipe=recipe,
        workspace=workspace,
        continue_from=continue_from,
        trigger=trigger,
    ).outputs["checkpoint"]
    # Before the gate, which weighs and times the file that would be served.
    exported = export_model(checkpoint=checkpoint, validated=validated, splits=splits, settings=settings).outputs[
        "exported"
    ]
    evaluation = evaluate_model(
        validated=validated,
        splits=splits,
        checkpoint=checkpoint,
        exported=exported,
        workspace=workspace,
        champion=champion,
        feedback=feedback,
        settings=settings,
    ).outputs["evaluation"]
    verdict = promotion_gate(evaluation=evaluation).output
    with dsl.If(verdict == "promote", name="promoted"):
        index = build_index(validated=validated, exported=exported, milvus_uri=milvus_uri, settings=settings)
        deploy(validated, exported, evaluation, index.set_caching_options(False), workspace, milvus_uri, settings)
    return Trained(validated, splits, collected.outputs["feedback"], triplets, checkpoint, evaluation)
