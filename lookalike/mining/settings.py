"""How triplets are mined."""

from pydantic import Field, field_validator

from lookalike.config import StrictConfig


class MiningSettings(StrictConfig):
    """How triplets are drawn."""

    boundaries: tuple[float, ...] = Field(default=(0.2, 0.5, 0.75, 1.0), min_length=1, max_length=20)
    """Rising shares of matching attributes; a pair's level is how many of them it reaches."""
    weights: dict[str, float] = {}
    """Weight of an attribute in the share; 1 where not named, 0 leaves it out."""
    triplets_per_anchor: int = Field(default=8, ge=1, le=1000)
    """Triplets drawn for every product of the train split."""
    margin_per_level: float = Field(default=0.1, gt=0, le=1)
    """Margin, in cosine distance, for every level between the positive and the negative."""
    gap_decay: float = Field(default=0.5, gt=0, le=1)
    """Each further level between positive and negative makes a pair this much rarer; 1 draws all alike."""
    seed: int = 0
    """Seed of all draws."""

    @field_validator("boundaries")
    @classmethod
    def _rising(cls, boundaries: tuple[float, ...]) -> tuple[float, ...]:
        if list(boundaries) != sorted(set(boundaries)) or not 0 < boundaries[0] <= boundaries[-1] <= 1:
            raise ValueError(f"boundaries {boundaries} must rise and lie above 0 and up to 1")
        return boundaries
