"""From a latent back to a thumbnail: the generative task that keeps the embedding smooth."""

import math

from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (64, 48, 32)


class ThumbnailDecoder(nn.Module):
    """Latent (B, D) to a small RGB image (B, 3, h, w) in 0..1; it exists for its gradient, not for its looks."""

    def __init__(self, dimension: int, height: int, width: int) -> None:
        super().__init__()
        self.size = (height, width)
        self._grid = (CHANNELS[0], math.ceil(height / 4), math.ceil(width / 4))
        self.expand = nn.Linear(dimension, math.prod(self._grid))
        self.convolutions = nn.Sequential(
            nn.Conv2d(CHANNELS[0], CHANNELS[1], 3, padding=1),
            nn.SiLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(CHANNELS[1], CHANNELS[2], 3, padding=1),
            nn.SiLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(CHANNELS[2], 3, 3, padding=1),
        )

    def forward(self, latent: Tensor) -> Tensor:
        grid = functional.silu(self.expand(latent)).unflatten(1, self._grid)
        images = self.convolutions(grid)  # at least (B, 3, h, w), up to 3 pixels more
        return images[:, :, : self.size[0], : self.size[1]].sigmoid()
