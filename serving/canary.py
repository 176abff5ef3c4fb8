"""Which share of the traffic a challenger meets: by a hash of the request's id, so that every replica decides alike.

A caller that repeats a request with its id gets the same model again, and a larger share keeps whom a smaller one had.
"""

import hashlib
from typing import Literal

Arm = Literal["champion", "challenger"]
BUCKETS = 1 << 32


def arm_of(request_id: str, share: float, salt: str = "") -> Arm:
    """Who answers this request, or is asked as well, where the challenger meets this share of them, 0 to 1.

    `salt`, the challenger's release id, changes who is in the share, so that two trials meet different requests.
    """
    digest = hashlib.sha256(f"{salt}\n{request_id}".encode()).digest()
    return "challenger" if int.from_bytes(digest[:4], "big") < share * BUCKETS else "champion"
