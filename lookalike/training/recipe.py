"""A recipe: everything that decides what a training run learns, from the encoder to the seed."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from lookalike.catalog.images import Preprocessing
from lookalike.config import StrictConfig
from lookalike.damage.profiles import PROFILES
from lookalike.models.encoder import EncoderSettings


def known_profile(damage: str) -> str:
    """The name again. Raises ValueError where there is no such damage profile."""
    if damage not in PROFILES:
        raise ValueError(f"unknown damage profile '{damage}'; accepted: {', '.join(PROFILES)}")
    return damage


class TaskWeights(StrictConfig):
    """What each task counts for in the loss; 0 switches it off and leaves its parameters out."""

    attributes: float = Field(default=1.0, ge=0)
    """Masked attribute classification, the cross-entropy of a known label."""
    triplets: float = Field(default=1.0, ge=0)
    """Ranking of the mined triplets."""
    contrast: float = Field(default=0.5, ge=0)
    """Supervised contrast across the batch: photos alike in the mapping's fine attributes before all others."""
    instance: float = Field(default=0.0, ge=0)
    """Instance discrimination: a damaged photo finds its own undamaged self before all others; see Twins."""
    label_ranking: float = Field(default=0.0, ge=0)
    """Ranking by class labels instead of mined triplets; see LabelRanking."""
    reconstruction: float = Field(default=1.0, ge=0)
    """Reconstruction of a thumbnail by the variational autoencoder."""
    kl: float = Field(default=0.001, ge=0)
    """Pull of the latent towards a standard normal; only with reconstruction."""

    @model_validator(mode="after")
    def _something_to_learn(self) -> "TaskWeights":
        learnable = {name: weight for name, weight in self.model_dump().items() if name != "kl"}
        if not any(learnable.values()):
            raise ValueError(f"{', '.join(learnable)} are all 0: there is nothing to learn")
        return self

    @model_validator(mode="after")
    def _one_kind_of_batch(self) -> "TaskWeights":
        if self.triplets and self.label_ranking:
            raise ValueError(
                f"triplets ({self.triplets}) and label_ranking ({self.label_ranking}) draw different batches; "
                "set one of them to 0"
            )
        return self


class LabelRanking(StrictConfig):
    """Ranking by one class label per product, as published baselines and rivals do it.

    Batches are then drawn by class, with as many photos as a batch of triplets, and not from the mined triplets.
    """

    loss: Literal["semi_hard", "proxy_anchor", "multi_similarity"] = "semi_hard"
    """FaceNet's online mining (Schroff et al. 2015), Proxy-Anchor (Kim et al. 2020) or Multi-Similarity (Wang et al.
    2019), each with its authors' constants."""
    attributes: tuple[str, ...] = ()
    """Products alike in all of these are one class; one with an unknown value is not drawn. Empty: the fine ones."""
    photos_per_class: int = Field(default=4, ge=2)
    """Photos of a class in a batch, from as many products as it has."""
    draw: Literal["products", "classes"] = "products"
    """Whether a class comes as often as its products are many, or every class equally often."""
    proxy_rate: float = Field(default=100.0, gt=0)
    """Learning rate of Proxy-Anchor's proxies as a multiple of `learning_rate`; 100 is the paper's."""


class Twins(StrictConfig):
    """Second views of a batch's photos, damaged worse than the first, that only instance discrimination sees."""

    count: int = Field(default=32, ge=1)
    """V, the batch's first photos that have a twin; each is encoded besides the 3T of the batch."""
    damage: str = "heavy"
    """Damage profile that twins suffer, every one of them."""
    temperature: float = Field(default=0.05, gt=0, le=1)
    """Cosine distance that counts as one unit."""

    @field_validator("damage")
    @classmethod
    def _known_damage(cls, damage: str) -> str:
        return known_profile(damage)


class ProjectionSettings(StrictConfig):
    """Principal axes of the training products' embeddings (PCA), fitted after the last epoch.

    The projection is part of the weights: evaluation, export and drift all see the vectors that are searched with.
    """

    dimension: int = Field(ge=2)
    """Axes kept, those of the largest variance; the size of the vectors from then on."""
    whiten: bool = False
    """Scale the axes to unit variance, so that no direction of variation outweighs another."""


class Recipe(StrictConfig):
    """Settings of one training run; the same recipe on the same data gives the same numbers on one machine."""

    encoder: EncoderSettings
    """The image model and where its weights come from."""
    preprocessing: Preprocessing = Preprocessing()
    """The pixels the model sees, in training and ever after."""
    dimension: int = Field(default=128, ge=2, le=4096)
    """D, the embedding size."""
    projection: ProjectionSettings | None = None
    """A last linear step to smaller or whitened vectors; none where not given."""
    tasks: TaskWeights = TaskWeights()
    """Weights of the tasks."""
    loss_weighting: Literal["fixed", "uncertainty"] = "fixed"
    """`fixed` keeps `tasks` as they are; `uncertainty` learns a weight per task beside the network (Kendall et al.
    2018), so that there `tasks` only says which are on. The KL term, no task of its own, keeps its weight."""
    label_ranking: LabelRanking = LabelRanking()
    """What `tasks.label_ranking` ranks by; without effect where that is 0."""
    contrast_temperature: float = Field(default=0.07, gt=0, le=1)
    """Cosine distance that counts as one unit of contrast; smaller looks at the nearest neighbours only."""
    twins: Twins = Twins()
    """What `tasks.instance` compares photos with; without effect where that is 0."""
    thumbnail: tuple[int, int] = (24, 18)
    """Height and width the decoder reconstructs."""
    damage: str = "reseller"
    """Damage profile that training photos suffer; `none` trains on clean ones."""
    damage_share: float = Field(default=1.0, ge=0, le=1)
    """Share of training photos that the profile is let loose on; the others stay as listed."""
    epochs: int = Field(ge=1)
    """Passes over the anchors; training can resume after each."""
    anchors_per_epoch: int | None = Field(default=None, ge=1)
    """Anchors drawn anew for every epoch, one triplet each; all of them where not given."""
    triplets_per_batch: int = Field(default=32, ge=1)
    """T; a batch has 3T photos, and all of them feed classification and reconstruction."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """AdamW's rate at its peak; it falls to zero along a cosine."""
    encoder_rate: float = Field(default=1.0, ge=0)
    """The encoder's rate as a share of `learning_rate`."""
    weight_decay: float = Field(default=0.05, ge=0)
    """AdamW's decoupled weight decay."""
    warm_up: float = Field(default=0.1, ge=0, le=1)
    """Share of the run over which the learning rate and the KL weight rise from zero."""
    gradient_clip: float = Field(default=5.0, gt=0)
    """Largest norm of the gradient; a single odd batch cannot throw the weights off."""
    seed: int = 0
    """Seed of weights, batches, damage and latent noise."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Arithmetic, in Lightning's words."""
    compile: bool = False
    """Whether torch.compile fuses the network's operations: worth its minute of compiling on long runs on a GPU."""
    device: str = "auto"
    """Lightning's accelerator: auto, cpu, cuda, mps."""
    workers: int = Field(default=0, ge=0)
    """Processes that prepare batches beside the training; 0 leaves it to a thread, right for few cores."""

    @property
    def vector_dimension(self) -> int:
        """Size of the vectors the trained model gives."""
        return self.dimension if self.projection is None else self.projection.dimension

    @field_validator("damage")
    @classmethod
    def _known_damage(cls, damage: str) -> str:
        return known_profile(damage)

    @model_validator(mode="after")
    def _twins_of_the_batch(self) -> "Recipe":
        if self.tasks.instance and self.twins.count > 3 * self.triplets_per_batch:
            raise ValueError(
                f"twins.count is {self.twins.count}; a batch has {3 * self.triplets_per_batch} photos "
                "(3 × triplets_per_batch), each with one twin at most"
            )
        return self

    @model_validator(mode="after")
    def _whole_classes(self) -> "Recipe":
        photos, each = 3 * self.triplets_per_batch, self.label_ranking.photos_per_class
        if self.tasks.label_ranking and (photos % each or photos < 2 * each):
            raise ValueError(
                f"a batch of {photos} photos (3 × triplets_per_batch) does not hold two or more whole classes of "
                f"label_ranking.photos_per_class = {each} photos"
            )
        return self

    @model_validator(mode="after")
    def _enough_axes(self) -> "Recipe":
        if self.projection is not None and self.projection.dimension > self.dimension:
            raise ValueError(
                f"projection.dimension is {self.projection.dimension}; an embedding of dimension = {self.dimension} "
                "has no more axes than that"
            )
        return self
