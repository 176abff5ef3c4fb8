"""Settings of the evaluation stage and of the promotion gate."""

from typing import Literal

from pydantic import Field

from lookalike.config import StrictConfig
from lookalike.evaluation.new_products import SuspicionSettings


class GateSettings(StrictConfig):
    """What a challenger must show before it may be released."""

    minimum_fine_precision: float = Field(default=0.02, ge=0, le=1)
    """A first release needs at least this fine precision@4 on catalogue photos."""
    minimum_coarse_precision: float = Field(default=0.2, ge=0, le=1)
    """A first release needs at least this coarse precision@4 on catalogue photos."""
    minimum_recall: float = Field(default=0.2, ge=0, le=1)
    """A first release needs at least this known-item recall@10 on damaged photos."""
    precision_tolerance: float = Field(default=0.01, ge=0, le=1)
    """How far below zero the interval of the fine precision@4 difference to the champion may reach."""
    recall_tolerance: float = Field(default=0.02, ge=0, le=1)
    """How much known-item recall@10 on damaged photos may fall against the champion."""
    vertical_tolerance: float = Field(default=0.05, ge=0, le=1)
    """How much fine precision@4 may fall within any one vertical against the champion."""
    vertical_share: float = Field(default=0.2, ge=0, le=1)
    """Share of the champion's own precision there that may be lost, where that is less: some verticals have little."""
    vertical_queries: int = Field(default=30, ge=1)
    """Verticals with fewer queries than this are reported but decide nothing."""
    head_tolerance: float = Field(default=0.03, ge=0, le=1)
    """How much the accuracy of any one attribute's head may fall against the champion."""
    recent_tolerance: float = Field(default=0.02, ge=0, le=1)
    """How much the gain on labelled recent traffic may fall against the champion."""
    recent_answers: int = Field(default=200, ge=1)
    """Labelled answers below which recent traffic is reported but decides nothing."""
    guard_confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Probability with which no guardrail stops a challenger that has not fallen, all guardrails together."""
    latency_ratio: float = Field(default=1.25, gt=0)
    """How many times the champion's time per photo the exported challenger may take, on one thread."""
    latency_rounds: int = Field(default=60, ge=10)
    """Photos that each model embeds in turn to measure it."""
    size_ratio: float = Field(default=1.25, gt=0)
    """How many times the champion's bytes the exported challenger may have."""


class EvaluationSettings(StrictConfig):
    """What is measured, on how much, and how the intervals are drawn."""

    split: Literal["validation", "test"] = "test"
    """Products that serve as queries and gallery; the model never trained on them."""
    catalogue_queries: int = Field(default=20_000, ge=1)
    """Most catalogue photos used as queries, drawn by the seed from larger splits."""
    damaged_queries: int = Field(default=1_500, ge=1)
    """Photos damaged by the mix of all damages; also the number of other real photos used at most."""
    queries_per_damage: int = Field(default=500, ge=1)
    """Photos damaged by each damage alone; a part of the photos of the mix."""
    distractors: int = Field(default=50_000, ge=0)
    """Catalogue photos outside the split that join the gallery for the whole-catalogue figures; 0 leaves them out."""
    repeats: int = Field(default=1_000, ge=100)
    """Bootstrap resamples behind every interval."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Probability that an interval holds the figure."""
    seed: int = 0
    """Draws queries, damages and resamples."""
    batch: int = Field(default=128, ge=1)
    """Photos embedded at a time."""
    sheet_rows: int = Field(default=12, ge=1, le=40)
    """Queries shown in the contact sheet."""
    gate: GateSettings = GateSettings()
    """When a challenger may be released."""
    suspicion: SuspicionSettings = SuspicionSettings()
    """When the products that only the challenger was trained on look poisoned."""
