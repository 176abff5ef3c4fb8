"""What the study measures, and how much of it."""

from pydantic import Field

from benchmarks.embedding.settings import Frozen
from lookalike.catalog.images import Preprocessing
from lookalike.config import StrictConfig
from lookalike.models.encoder import EncoderSettings


class Study(StrictConfig):
    """The same for every step; `--quick` has its own."""

    k: int = Field(default=10, ge=1)
    """Products asked for."""
    uploads: int = Field(default=1_000, ge=8)
    """Photos that are uploaded in turn: other photos of catalogue products, none of them indexed."""
    mobile: Frozen = Frozen(
        encoder=EncoderSettings(source="mobilenet_v2_1.0_224"), preprocessing=Preprocessing(height=224, width=168)
    )
    """The usual mobile backbone at its usual resolution, not trained any further: here it only has to cost its cost."""
    grown: int = Field(default=1_000_000, ge=1)
    """Products of the large shop."""
    ef_construction: int = Field(default=64, ge=8)
    """Of the graph over them."""
    turns: int = Field(default=40, ge=3)
    """Turns that two ways to do something take, side by side."""
    per_turn: int = Field(default=50, ge=1)
    """Photos in each."""
    clients: int = Field(default=8, ge=1)
    """Who ask at the same time."""
    think_seconds: float = Field(default=0.1, gt=0)
    """Mean pause of a client between an answer and its next question, where it has one."""
    measured_seconds: float = Field(default=30, gt=0)
    """Length of a run under load."""
    warm_seconds: float = Field(default=5, gt=0)
    """Load before it that is not counted."""
    overload: float = Field(default=5, gt=1)
    """Questions per second at overload, over those answered at saturation."""
    deadline_seconds: float = Field(default=1.0, gt=0)
    """An answer after that is no good any more."""
    switches: int = Field(default=100, ge=2)
    """Releases put in service while clients of every protocol ask."""
    soak_minutes: float = Field(default=60, gt=0)
    """Length of the soak."""
    fault_seconds: float = Field(default=60, gt=0)
    """From one fault to the next."""
    fault_lasts: float = Field(default=10, gt=0)
    """How long those last that do not heal by themselves."""
    known: int = Field(default=100, ge=8)
    """Photos whose right answers are known, asked during swaps and the soak."""
    enlarged: int = Field(default=10_000, ge=8)
    """Uploads, at most, that are enlarged and decoded both ways."""
    decodings: int = Field(default=20, ge=1)
    """Repeats of each, the fastest of which counts."""
    judged: int = Field(default=20_000, ge=8)
    """Products of a split, at most, whose category is told."""
    stable: int = Field(default=64, ge=1)
    """Photos whose vectors are compared over every way to them."""
    loads: int = Field(default=12, ge=1)
    """Of the model in Triton, each with a first request."""
    rounded: int = Field(default=200, ge=2)
    """Runs of a rounded model beside the whole one."""
    mutated_photos: int = Field(default=100_000, ge=1)
    """Damaged photos that are decoded."""
    mutated_requests: int = Field(default=20_000, ge=1)
    """Generated and damaged requests that are sent."""
    seed: int = 0
    """Which photos are asked, in which order, and when."""


QUICK = Study(
    k=5,
    uploads=16,
    mobile=Frozen(
        encoder=EncoderSettings(
            config={
                "model_type": "resnet",
                "layer_type": "basic",
                "embedding_size": 8,
                "hidden_sizes": [8, 16],
                "depths": [1, 1],
            },
            batch_norm="train",
        ),
        preprocessing=Preprocessing(height=32, width=24),
    ),
    grown=500,
    turns=3,
    per_turn=4,
    clients=2,
    think_seconds=0.01,
    measured_seconds=1,
    warm_seconds=0.2,
    switches=4,
    soak_minutes=0.2,
    fault_seconds=1.5,
    fault_lasts=0.5,
    known=8,
    enlarged=20,
    decodings=2,
    judged=40,
    stable=4,
    loads=2,
    rounded=4,
    mutated_photos=200,
    mutated_requests=60,
)
"""Does every part of the study still work?"""
