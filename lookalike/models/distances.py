"""Sign and scale of closeness: the only place that knows them.

Closeness is the cosine of two embeddings; its distance is 1 - cosine, from 0 (same direction) to 2 (opposite).
Margins are stated in this distance. On unit vectors it is half the squared Euclidean distance, so it orders
neighbours exactly as inner product and L2 indexes do.
"""

import torch
from torch import Tensor
from torch.nn import functional

NEAREST, FARTHEST = 0.0, 2.0


def normalise(vectors: Tensor) -> Tensor:
    """(..., D) to unit length, in float32 whatever the precision before; a zero vector stays zero."""
    return functional.normalize(vectors.float(), dim=-1)


def distance(one: Tensor, other: Tensor) -> Tensor:
    """Cosine distance row by row: (..., D) and (..., D) to (...). Smaller is closer."""
    return 1.0 - (normalise(one) * normalise(other)).sum(dim=-1)


def pairwise_distance(queries: Tensor, gallery: Tensor) -> Tensor:
    """Cosine distance of all pairs: (Q, D) and (N, D) to (Q, N). Smaller is closer."""
    return 1.0 - normalise(queries) @ normalise(gallery).T


def margin_violation(near: Tensor, far: Tensor, margin: Tensor) -> Tensor:
    """How much `near` falls short of being smaller than `far` by the margin; 0 where it does not."""
    return torch.relu(near - far + margin)
