"""The last step of a smaller or whitened embedding: principal axes, folded into the model."""

import torch
from torch import Tensor, nn

from lookalike.models.distances import normalise


class Projection(nn.Module):
    """Unit vectors (B, D), centred and turned onto E axes, to unit vectors (B, E).

    With all D axes, unscaled, cosines are those of the centred vectors: a rotation changes no angle. Fewer axes keep
    the directions in which the catalogue varies most; axes scaled to unit variance (whitening) count alike.
    """

    centre: Tensor
    """(D,)."""
    axes: Tensor
    """(E, D), with their scale."""

    def __init__(self, dimension: int, axes: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(dimension))
        self.register_buffer("axes", torch.eye(axes, dimension))

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, D) unit vectors to (B, E) unit vectors."""
        return normalise((embedding - self.centre) @ self.axes.T)
