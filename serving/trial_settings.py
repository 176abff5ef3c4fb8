"""How releases are tried on live traffic."""

from pydantic import Field

from lookalike.config import StrictConfig
from serving.live_comparison import LiveGuardrails


class TrialSettings(StrictConfig):
    """When a release on trial goes, and what may be asked of it beside the live one."""

    guardrails: LiveGuardrails = LiveGuardrails()
    """How much worse the tried release may be before it is rolled back."""
    shadow_waiting: int = Field(default=8, ge=0)
    """Requests that may wait to be asked in the shadow; further ones are not."""
    shadow_seconds: float = Field(default=2.0, gt=0)
    """Longest time for an answer in the shadow."""
