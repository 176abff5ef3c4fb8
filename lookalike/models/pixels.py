"""From the catalogue's pixels to the encoder's numbers; part of the exported model, so nobody else normalises."""

import torch
from torch import Tensor, nn

from lookalike.catalog.images import Preprocessing


class PixelNormaliser(nn.Module):
    """(B, H, W, 3) uint8 to (B, 3, H, W) float32 with the preprocessing's mean and standard deviation."""

    offset: Tensor
    scale: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        mean, deviation = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
        # Not persistent: preprocessing lives in the checkpoint's record, weights only in its weights.
        self.register_buffer("scale", (1 / (255 * deviation)).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("offset", (mean / deviation).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.permute(0, 3, 1, 2).float() * self.scale - self.offset
