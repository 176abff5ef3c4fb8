"""The training pipeline: catalogue in, release in service out, behind the promotion gate."""

from typing import Any, NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Model

from components.build_index import build_index
from components.collect_feedback import collect_feedback
from components.evaluate_model import evaluate_model
from components.export_model import export_model
from components.find_champion import find_champion
from components.mine_triplets import mine_triplets
from components.promotion_gate import promotion_gate
from components.read_delivery import read_delivery
from components.read_recipe import read_recipe
from components.split_catalogue import split_catalogue
from components.train_model import train_model
from components.validate_catalogue import validate_catalogue
from pipelines.deploy import deploy
from pipelines.flow import Flow
from pipelines.tasks import always, cached


class Trained(NamedTuple):
    """What a training run leaves behind, whether or not it was promoted."""

    validated: Dataset
    splits: Dataset
    feedback: Dataset
    triplets: Dataset
    checkpoint: Model
    evaluation: Artifact


class Given(NamedTuple):
    """What a training begins with."""

    delivery: Any
    """The task that read the delivery: what each cached task depends on is among its outputs."""
    champion: Any
    """Id of the release in service, which changes between runs with the same arguments."""
    validated: Any
    splits: Any
    feedback: Any
    """The task that collected it."""


def train_and_release(
    catalogue: str,
    workspace: str,
    recipe: str,
    milvus_uri: str = "",
    mapping: str = "",
    limit: int = 0,
    settings: dict = {},
    continue_from: str = "",
    trigger: str = "",
) -> Trained:
    """Train a model on a catalogue and release it.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        workspace: root of the shop's workspace, on a volume every task mounts.
        recipe: the training recipe as YAML text, as in pipelines/recipes.
        milvus_uri: a Milvus server's URI or a Milvus Lite path; empty for MILVUS_URI of the tasks' environment.
        mapping: mapping file; empty for the one beside the data, or a preset.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name, for example {"evaluate": {"seed": 7}}.
        continue_from: release whose weights to start from; empty for the recipe's own encoder.
        trigger: what asked for this run; a new one is a new training.
    """
    given = _begin(catalogue, workspace, mapping, limit, settings)
    triplets = _mine(given, workspace)
    checkpoint = _train(given, triplets, recipe, workspace, continue_from, trigger)
    exported, evaluation = _judge(given, checkpoint, workspace)
    verdict = cached(promotion_gate(evaluation=evaluation), "Promotion gate").outputs["Output"]
    with dsl.If(verdict == "promote", name="promoted"):
        built = build_index(validated=given.validated, exported=exported, milvus_uri=milvus_uri, settings=settings)
        index = always(built, "Build the index").outputs["index"]
        deploy(given.validated, exported, evaluation, index, workspace, milvus_uri, settings)
    collected = given.feedback.outputs["feedback"]
    return Trained(given.validated, given.splits, collected, triplets, checkpoint, evaluation)


def _begin(catalogue: Any, workspace: Any, mapping: Any, limit: Any, settings: Any) -> Given:
    champion = always(find_champion(workspace=workspace), "Find the release in service").output
    delivery = always(
        read_delivery(catalogue=catalogue, workspace=workspace, mapping=mapping, settings=settings),
        "Read the delivery",
    )
    validated = cached(
        validate_catalogue(
            delivery=delivery.outputs["delivery"],
            workspace=workspace,
            limit=limit,
            settings=delivery.outputs["validate"],
        ),
        "Validate the catalogue",
    ).outputs["validated"]
    splits = cached(
        split_catalogue(validated=validated, settings=delivery.outputs["split"]), "Split train, validation, test"
    ).outputs["splits"]
    # What shoppers did is no argument either; tasks after this are cached by the name that is the digest of it.
    feedback = collect_feedback(
        validated=validated, splits=splits, workspace=workspace, champion=champion, settings=settings
    )
    return Given(delivery, champion, validated, splits, always(feedback, "Collect feedback"))


def _mine(given: Given, workspace: Any) -> Any:
    task = mine_triplets(
        validated=given.validated,
        splits=given.splits,
        workspace=workspace,
        feedback=given.feedback.outputs["Output"],
        settings=given.delivery.outputs["mine"],
    )
    return cached(task, "Mine triplets").outputs["triplets"]


def _train(given: Given, triplets: Any, recipe: Any, workspace: Any, continue_from: Any, trigger: Any) -> Any:
    read = always(read_recipe(recipe=recipe), "Read the recipe")
    task = train_model(
        validated=given.validated,
        splits=given.splits,
        triplets=triplets,
        recipe=read.outputs["recipe"],
        encoder=read.outputs["encoder"],
        workspace=workspace,
        continue_from=continue_from,
        trigger=trigger,
    )
    return cached(task, "Train the model").outputs["checkpoint"]


def _judge(given: Given, checkpoint: Any, workspace: Any) -> tuple[Any, Any]:
    """The exported model and its evaluation: the gate weighs and times the file that would be served."""
    chosen = given.delivery.outputs
    exporting = export_model(
        checkpoint=checkpoint, validated=given.validated, splits=given.splits, settings=chosen["export"]
    )
    exported = cached(exporting, "Export to ONNX").outputs["exported"]
    evaluating = evaluate_model(
        validated=given.validated,
        splits=given.splits,
        checkpoint=checkpoint,
        exported=exported,
        workspace=workspace,
        champion=given.champion,
        feedback=given.feedback.outputs["Output"],
        settings=chosen["evaluate"],
    )
    return exported, cached(evaluating, "Evaluate beside the champion").outputs["evaluation"]


TRAINING = Flow(
    "training", "Train and release", "Validate, mine, train, evaluate and, if it is better, release.", train_and_release
)
training = TRAINING.pipeline()
