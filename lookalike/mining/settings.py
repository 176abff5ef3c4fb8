"""How triplets are mined."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from lookalike.config import StrictConfig


class MiningSettings(StrictConfig):
    """How triplets are drawn."""

    scheme: Literal["levels", "single_attribute", "clicks"] = "levels"
    """`levels` compares all attributes at once; `single_attribute` draws one attribute per triplet, its value shared
    by the positive and not by the negative; `clicks` takes triplets from the click log alone."""

    boundaries: tuple[float, ...] = Field(default=(0.2, 0.5, 0.75, 1.0), min_length=1, max_length=20)
    """Rising shares of matching attributes; a pair's level is how many of them it reaches."""
    across_level: int = Field(default=0, ge=0)
    """The highest level a pair from two verticals can reach, however many attributes match; 0: a red shoe is no
    red bag."""
    weights: dict[str, float] = {}
    """Weight of an attribute in the share; 1 where not named, more for what the eye sees, 0 leaves it out."""
    weighting: Literal["named", "information"] = "named"
    """`information` multiplies the weights by how rare a value is: agreeing on teal says more than on black."""

    least_common: float = Field(default=0.0, ge=0, le=1)
    """Share of what is known of an anchor, by weight, that must be known of the other product too; of a pair with less
    too little is known to call it alike or not. Matters where many attributes are missing."""

    triplets_per_anchor: int = Field(default=8, ge=1, le=1000)
    """Triplets drawn for every product of the train split."""
    gap_decay: float = Field(default=0.5, gt=0, le=1)
    """Each further level between positive and negative makes a pair this much rarer; 1 draws all alike."""
    positive_weights: dict[int, float] = {}
    """How often positives come from a level, relative to the others; 1 where not named, 0 never."""
    negative_weights: dict[int, float] = {}
    """How often negatives come from a level, relative to the others; 1 where not named, 0 never."""
    margin_per_level: float = Field(default=0.1, gt=0, le=1)
    """Margin, in cosine distance, for every level between the positive and the negative."""
    margin_steps: tuple[float, ...] = ()
    """Margins from each level to the next higher one, level 0 to 1 first, in place of one for all."""

    enumerate_up_to: int = Field(default=400_000_000, ge=0)
    """Pairs of distinct attribute signatures up to which all candidates are listed; beyond, they are sampled."""

    hard_share: float = Field(default=0.5, ge=0, le=1)
    """Share of triplets whose negative is sought among the products nearest to the anchor; needs vectors."""
    hard_nearest: int = Field(default=10, ge=1)
    """A hard negative is drawn from this many products of its level, the nearest to the anchor."""
    hard_depth: int = Field(default=256, ge=1, le=2047)
    """Neighbours of an anchor that are looked at, of any level; what lies beyond is not hard. Faiss on a GPU finds
    no more than 2,048, the anchor among them."""
    hard_ceiling: float = Field(default=0.98, gt=-1, le=1)
    """Products this cosine-similar to the anchor are taken for unknown copies of it and are no hard negatives."""
    hard_lead: float = Field(default=0.1, ge=-1, le=2)
    """A hard negative may be at most this much more similar to the anchor than the positive; below 0: less."""

    click_positive: float = Field(default=0.5, ge=-1, le=1)
    """Clicked products less cosine-similar to the query than this are taken for slips and are no positives."""
    click_negative: float = Field(default=0.9, ge=-1, le=1)
    """Shown products this similar to the query or to a clicked one may be what was sought and are no negatives."""
    triplets_per_click: int = Field(default=4, ge=1)
    """Negatives set against one clicked product, those shown highest first."""

    seed: int = 0
    """Seed of all draws."""

    @property
    def level_count(self) -> int:
        """L: levels run from 0 to L - 1."""
        return len(self.boundaries) + 1

    @field_validator("boundaries")
    @classmethod
    def _rising(cls, boundaries: tuple[float, ...]) -> tuple[float, ...]:
        if list(boundaries) != sorted(set(boundaries)) or not 0 < boundaries[0] <= boundaries[-1] <= 1:
            raise ValueError(f"boundaries {boundaries} must rise and lie above 0 and up to 1")
        return boundaries

    @model_validator(mode="after")
    def _levels_exist(self) -> "MiningSettings":
        top = self.level_count - 1
        if self.across_level > top:
            raise ValueError(
                f"across_level is {self.across_level}; {len(self.boundaries)} boundaries make levels 0 to {top}"
            )
        if self.margin_steps and (len(self.margin_steps) != top or min(self.margin_steps) <= 0):
            raise ValueError(f"margin_steps {self.margin_steps} must be {top} margins above 0, one per boundary")
        _check_level_weights("positive_weights", self.positive_weights, range(1, top + 1))
        _check_level_weights("negative_weights", self.negative_weights, range(top))
        return self


def _check_level_weights(name: str, weights: Mapping[int, float], levels: range) -> None:
    if set(weights) - set(levels) or min(weights.values(), default=0) < 0:
        raise ValueError(f"{name} {dict(weights)} must weigh levels {levels[0]} to {levels[-1]} with 0 or more")
    if not any(weights.get(level, 1) for level in levels):
        raise ValueError(f"{name} {dict(weights)} leave no level to draw from")
