"""Which share of the traffic a challenger answers: by a hash of the request's id, so that every replica decides alike.

A caller that repeats a request with its id gets the same model again, and a larger share keeps whom a smaller one had.
"""

import hashlib
from typing import Literal

from pydantic import Field

from lookalike.config import StrictConfig

Mode = Literal["off", "shadow", "canary"]
Arm = Literal["champion", "challenger"]
BUCKETS = 1 << 32


class CanarySettings(StrictConfig):
    """How a challenger is tried on live traffic."""

    mode: Mode = "off"
    """`canary` lets it answer a share of the requests; `shadow` asks it too and answers none with it."""
    share: float = Field(default=0.05, ge=0, le=1)
    """Share of the requests it answers, or is asked beside the champion."""
    salt: str = ""
    """Changes who is in the share; the challenger's release id, so that two trials meet different requests."""


def arm_of(request_id: str, settings: CanarySettings) -> Arm:
    """Who answers this request, or is asked as well. Nobody but the champion while the mode is off."""
    if settings.mode == "off":
        return "champion"
    digest = hashlib.sha256(f"{settings.salt}\n{request_id}".encode()).digest()
    return "challenger" if int.from_bytes(digest[:4], "big") < settings.share * BUCKETS else "champion"
