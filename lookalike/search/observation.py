"""`lookalike.observation` under the name search knows it by; evaluation, which search builds on, uses it too."""

from lookalike.observation import (
    REFERENCE_SCHEMA,
    Observation,
    observations_table,
    predicted_attributes,
    score_margin,
)

__all__ = ["REFERENCE_SCHEMA", "Observation", "observations_table", "predicted_attributes", "score_margin"]
