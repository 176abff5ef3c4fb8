"""The network as it leaves training: uint8 pixels in, embedding and attribute probabilities out."""

from torch import Tensor, nn

from lookalike.catalog.images import Preprocessing
from lookalike.models.embedder import EmbeddingNetwork
from lookalike.models.pixels import PixelNormaliser


class ServingModel(nn.Module):
    """Normalisation, network and softmax in one module, in evaluation mode: what is exported and served."""

    def __init__(self, network: EmbeddingNetwork, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.normaliser = PixelNormaliser(preprocessing)
        self.network = network
        self.eval()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(B, H, W, 3) uint8 to (B, D) unit vectors and (B, sum of C) probabilities, heads in label order.

        A projection changes the vectors alone: the heads read the embedding they were trained on.
        """
        encoded = self.network(self.normaliser(pixels))
        return self.network.vectors(encoded), self.network.heads.probabilities(encoded.embedding)
