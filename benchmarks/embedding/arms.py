"""The arms of the experiment: in one screen, everything that differs between them."""

from dataclasses import dataclass, field
from typing import Literal

from benchmarks.embedding.settings import EPOCHS, Experiment
from lookalike.mining.settings import MiningSettings
from lookalike.training.recipe import LabelRanking, Recipe, TaskWeights, Twins

Labels = Literal["all", "hidden_30", "hidden_60", "with_titles"]
"""What the model is told about training products: everything known, less, or more from their titles."""


def only(**weights: float) -> TaskWeights:
    """These tasks and no others."""
    off = dict.fromkeys(TaskWeights.model_fields, 0.0)
    return TaskWeights(**(off | weights))


VAE = {"reconstruction": 1.0, "kl": 0.001}
THREE = {"attributes": 1.0, "triplets": 1.0, **VAE}
"""The three tasks of Shopsy (arXiv 2210.04560)."""
FOUR = {**THREE, "contrast": 0.5}
"""And supervised contrast over the fine attributes."""
FIVE = {**FOUR, "instance": 1.0}
"""And a damaged photo before all others of its own undamaged self, as in the recipe we recommend."""


@dataclass(frozen=True)
class Arm:
    """One way to train, compared on equal budget."""

    name: str
    tasks: TaskWeights
    scheme: Literal["levels", "single_attribute"] = "levels"
    """How its triplets are mined; arms without a triplet task draw their photos through them."""
    ranking: LabelRanking = field(default_factory=LabelRanking)
    weighting: Literal["fixed", "uncertainty"] = "fixed"
    labels: Labels = "all"
    hard: bool = False
    """Whether the second half of the budget sees triplets mined from the first half's embeddings."""
    learning_rate: float = 3e-4
    """AdamW's peak, sought among RATES on validation (`--steps sweep`)."""

    def recipe(self, settings: Experiment, seed: int) -> Recipe:
        """The whole budget under one seed; an arm with hard negatives spends it in two equal parts.

        With instance discrimination every fourth photo of a batch is a twin of another, and counts like any photo.
        """
        roles = 4 if self.tasks.instance else 3
        triplets = 3 * settings.triplets_per_batch // roles
        return Recipe(
            encoder=settings.encoder,
            preprocessing=settings.preprocessing,
            dimension=settings.dimension,
            tasks=self.tasks,
            label_ranking=self.ranking,
            loss_weighting=self.weighting,
            damage="mild",
            damage_share=0.5,
            epochs=EPOCHS // 2 if self.hard else EPOCHS,
            anchors_per_epoch=settings.photos // (roles * EPOCHS),
            triplets_per_batch=triplets,
            twins=Twins(count=triplets),
            learning_rate=self.learning_rate,
            precision=settings.precision,
            device="cpu",
            seed=seed,
        )

    def mining(self, seed: int) -> MiningSettings:
        """How the triplets are mined that do not look at embeddings."""
        return MiningSettings(scheme=self.scheme, seed=seed)


SINGLE = (
    Arm(
        "single_label",
        only(label_ranking=1.0),
        ranking=LabelRanking(loss="semi_hard", attributes=("type",)),
        learning_rate=1e-4,
    ),
    Arm("multi_attribute", only(triplets=1.0)),
    Arm("attributes", only(attributes=1.0), learning_rate=1.5e-3),
    Arm("vae", only(**VAE)),
    Arm("single_attribute", only(triplets=1.0), scheme="single_attribute"),
)
"""One task each."""

RIVALS = (
    Arm("proxy_anchor", only(label_ranking=1.0), ranking=LabelRanking(loss="proxy_anchor", proxy_rate=1.0)),
    Arm("multi_similarity", only(label_ranking=1.0), ranking=LabelRanking(loss="multi_similarity")),
)
"""Modern losses over the fine attributes' joint classes, one each."""

MULTI = (
    Arm("multi_task", only(**THREE)),
    Arm("multi_task_contrast", only(**FOUR)),
    Arm("multi_task_robust", only(**FIVE)),
    Arm("multi_task_hard", only(**THREE), hard=True),
    Arm("multi_task_uncertainty", only(**THREE), weighting="uncertainty"),
)
"""Several tasks at once, from the same labels."""

OTHER_LABELS = (
    Arm("hidden_30", only(**FOUR), labels="hidden_30"),
    Arm("hidden_60", only(**FOUR), labels="hidden_60"),
    Arm("text_attributes", only(**FOUR), labels="with_titles"),
)
"""The main arm with less or more to learn from."""

MAIN = "multi_task_contrast"
"""The arm whose heads and pictures are shown."""

ROBUST = "multi_task_robust"
"""The arm made for damaged photos."""

_BY_NAME = {arm.name: arm for arm in (*SINGLE, *RIVALS, *MULTI, *OTHER_LABELS)}

ORDER = ("multi_attribute", "single_label", "multi_task", MAIN, ROBUST, "attributes", "multi_task_hard", "vae")
"""Run first, so that an experiment cut short still answers its questions."""

RATES = (1.5e-3, 3e-4, 1e-4)
"""Learning rates that are tried: a loss of distances alone throws a pretrained encoder off its features
at a rate that classification thrives on."""

SWEPT = (*(arm.name for arm in (*SINGLE, *RIVALS)), "multi_task", MAIN)
"""Arms whose rate is sought; the others share that of the arm they vary."""

ARMS = {name: _BY_NAME[name] for name in dict.fromkeys((*ORDER, *_BY_NAME))}
"""By name, in the order in which they run."""
