"""What every arm of the experiment has in common: the base recipe, and the budget."""

from typing import Literal

from pydantic import Field, model_validator

from lookalike.catalog.images import Preprocessing
from lookalike.config import StrictConfig
from lookalike.models.encoder import EncoderSettings

EPOCHS = 4
"""Parts of a run after which it can resume; even, so that the arm with hard negatives mines again half-way."""


class Frozen(StrictConfig):
    """A backbone measured as it comes, untrained."""

    encoder: EncoderSettings
    """The backbone."""
    preprocessing: Preprocessing = Preprocessing()
    """The pixels it sees."""


class Experiment(StrictConfig):
    """The same for every arm; arms differ in their tasks, their triplets and their labels alone."""

    encoder: EncoderSettings = EncoderSettings(source="mobilenet_v1_0.5_160")
    """The backbone every arm starts from."""
    frozen: dict[str, Frozen] = {
        "frozen": Frozen(encoder=EncoderSettings(source="mobilenet_v1_0.5_160")),
        "frozen_mobilenet_v2": Frozen(encoder=EncoderSettings(source="mobilenet_v2_1.0_224")),
        "frozen_mobilenet_v2_128": Frozen(
            encoder=EncoderSettings(source="mobilenet_v2_1.0_224"), preprocessing=Preprocessing(height=128, width=96)
        ),
    }
    """Untrained baselines by name; the larger pixels show what a backbone made for 224 of them can do."""
    preprocessing: Preprocessing = Preprocessing()
    """The pixels every arm sees."""
    dimension: int = Field(default=192, ge=2)
    """D of every trained embedding."""
    photos: int = Field(default=48_000, ge=1)
    """Photos seen by each run, repeats counted: the budget."""
    triplets_per_batch: int = Field(default=32, ge=1)
    """T; every step sees 3T photos."""
    precision: Literal["32-true", "bf16-mixed"] = "bf16-mixed"
    """Arithmetic of training; measuring is always done in single precision."""

    @model_validator(mode="after")
    def _whole_batches(self) -> "Experiment":
        unit = 3 * self.triplets_per_batch * EPOCHS
        if self.photos % unit or self.triplets_per_batch % 4:
            raise ValueError(
                f"photos is {self.photos}; a multiple of {unit} fills the batches of {EPOCHS} epochs where "
                f"triplets_per_batch, {self.triplets_per_batch}, is a multiple of 4"
            )
        return self
