"""What the watch may be told: how drift is measured, and when something is done about it."""

from typing import Self

from pydantic import Field, model_validator

from lookalike.config import StrictConfig
from monitoring.sequence import SequenceRule


class DriftSettings(StrictConfig):
    """How one window of the query log is compared with the release's reference."""

    alpha: float = Field(default=0.01, gt=0, lt=1)
    """False-alarm rate of the whole watch: the share of windows without drift that may still be called drifted."""
    draws: int = Field(default=999, ge=19)
    """Random cuts of the reference behind the threshold."""
    proof_draws: int = Field(default=400, ge=0)
    """Further cuts that measure the false-alarm rate of the threshold; 0 leaves it unmeasured."""
    min_rows: int = Field(default=50, ge=30)
    """Fewer rows than this, in the window or the reference, are not enough traffic to say anything."""
    max_rows: int = Field(default=5000, ge=50)
    """Most rows of a window: the newest, or with `hours` a random choice of those hours'."""
    max_reference_rows: int = Field(default=3500, ge=50)
    """Rows of the reference that are compared; a larger reference is thinned at random."""
    early_rows: int = Field(default=2000, ge=0)
    """So many of the release's first queries are kept as part of its reference; 0 keeps none."""
    hours: float | None = Field(default=None, gt=0)
    """A window is what the last so many hours brought; null takes the newest rows whatever their age."""
    count_repeats: bool = False
    """Count every query for the very same photo; calibration supposes independent rows, so one counts by default."""
    report_rows: int = Field(default=300, ge=50, le=2500)
    """Rows of either side drawn in Evidently's charts; its t-SNE takes 2 s for 300 and 50 s for 2,500."""
    rule: SequenceRule = SequenceRule()
    """When the last windows are believed, alone and as one; the decision believes what this says."""
    seed: int = 0
    """Randomness of splits, thinning and the report's sample."""

    @model_validator(mode="after")
    def _resolves_alpha(self) -> Self:
        if self.alpha * (self.draws + 1) < 1:
            raise ValueError(f"alpha {self.alpha} needs at least {int(1 / self.alpha)} draws, not {self.draws}")
        if self.max_rows < self.min_rows:
            raise ValueError(f"max_rows {self.max_rows} is below min_rows {self.min_rows}")
        return self


class DecisionSettings(StrictConfig):
    """When drift, age or a new catalogue start a pipeline run."""

    calm_windows: int = Field(default=3, ge=1)
    """Windows in a row that end an episode, without drift and without its being believed; the next episode may start
    a run of its own."""
    cooldown_days: float = Field(default=7.0, ge=0)
    """Days after a retrain was asked for in which no other one starts."""
    max_age_days: float | None = Field(default=90.0, gt=0)
    """A model older than this is retrained without drift; null never does."""
    budget_days: float = Field(default=90.0, gt=0)
    """The period that the two limits below are for: the last so many days."""
    most_retrains: int | None = Field(default=4, ge=0)
    """Retrains started in a period, failed ones too; null sets no limit. Reindexing is not counted."""
    most_hours: float | None = Field(default=None, ge=0)
    """Hours that the retrains of a period may take; null sets no limit."""
    hours_per_retrain: float = Field(default=2.0, gt=0)
    """What a retrain is reckoned at that has not finished or not begun; a finished one counts as long as it took."""
    most_attempts: int = Field(default=3, ge=1)
    """How often a run for one cause may fail, or fail to start, before a person has to look."""
    untaught_share: float = Field(default=0.02, ge=0, le=1)
    """A retrain starts when a larger share of the newest catalogue is of verticals the model was never taught, or has
    values of one attribute that it was never taught; 1 never starts one."""
    lost_share: float = Field(default=0.2, ge=0, le=1)
    """A catalogue that lacks a larger share of the products in service starts nothing: a broken delivery is likelier
    than a purge. 1 lets every catalogue pass."""
