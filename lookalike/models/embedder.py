"""The multi-task network: one encoder, one embedding, up to three tasks reading it (Shopsy, arXiv 2210.04560)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lookalike.models.decoder import ThumbnailDecoder
from lookalike.models.distances import normalise
from lookalike.models.encoder import Encoder
from lookalike.models.heads import AttributeHeads
from lookalike.models.projection import Projection

STARTING_LOG_VARIANCE = -4.0
"""The latent starts almost noiseless, so that the decoder sees the photo from the first step."""


@dataclass(frozen=True)
class Encoded:
    """What the network makes of B images."""

    embedding: Tensor
    """(B, D), unit length: the normalised mean, trained and classified from."""
    mean: Tensor
    """(B, D)."""
    log_variance: Tensor | None
    """(B, D); None without the generative task."""

    def first(self, count: int) -> "Encoded":
        """The first images alone."""
        log_variance = None if self.log_variance is None else self.log_variance[:count]
        return Encoded(self.embedding[:count], self.mean[:count], log_variance)


class EmbeddingNetwork(nn.Module):
    """Encoder, latent heads, attribute heads and decoder; tasks that are off have no parameters here."""

    def __init__(
        self,
        encoder: Encoder,
        features: int,
        dimension: int,
        value_counts: Sequence[int] = (),
        thumbnail: tuple[int, int] | None = None,
    ) -> None:
        """`features` is the encoder's F, `value_counts` the classes per attribute, `thumbnail` (height, width)."""
        super().__init__()
        self.encoder = encoder
        self.mean = nn.Linear(features, dimension)
        self.heads = AttributeHeads(dimension, value_counts)
        self.projection: Projection | None = None
        self.log_variance: nn.Linear | None = None
        self.decoder: ThumbnailDecoder | None = None
        if thumbnail is not None:
            self.log_variance = nn.Linear(features, dimension)
            nn.init.zeros_(self.log_variance.weight)
            nn.init.constant_(self.log_variance.bias, STARTING_LOG_VARIANCE)
            self.decoder = ThumbnailDecoder(dimension, *thumbnail)

    def forward(self, images: Tensor) -> Encoded:
        """images: (B, 3, H, W), normalised."""
        features = self.encoder(images).float()  # (B, F)
        mean = self.mean(features).float()
        log_variance = None if self.log_variance is None else self.log_variance(features).float()
        return Encoded(normalise(mean), mean, log_variance)

    def vectors(self, encoded: Encoded) -> Tensor:
        """What is searched with: the embedding (B, D), or its projection (B, E) where one was fitted."""
        return encoded.embedding if self.projection is None else self.projection(encoded.embedding)

    def reconstruct(self, encoded: Encoded, noise: Tensor) -> Tensor:
        """Thumbnails (B, 3, h, w) from a latent drawn with `noise` (B, D), standard normal."""
        if self.decoder is None or encoded.log_variance is None:
            raise RuntimeError("this network was built without the generative task")
        return self.decoder(encoded.mean + torch.exp(0.5 * encoded.log_variance) * noise)
