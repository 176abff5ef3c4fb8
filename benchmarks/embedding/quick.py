"""The experiment in small, on a drawn shop and from random weights: does every part of it still work?"""

from benchmarks.embedding.arms import MAIN
from benchmarks.embedding.places import Places
from benchmarks.embedding.settings import Experiment, Frozen
from lookalike.catalog.images import Preprocessing
from lookalike.catalog.sample import SampleShop, draw_shop
from lookalike.models.encoder import EncoderSettings

TINY_RESNET = {
    "model_type": "resnet",
    "layer_type": "basic",
    "embedding_size": 8,
    "hidden_sizes": [8, 16],
    "depths": [1, 1],
}

TINY = Frozen(
    encoder=EncoderSettings(config=TINY_RESNET, batch_norm="train"), preprocessing=Preprocessing(height=32, width=24)
)

QUICK = Experiment(
    encoder=TINY.encoder,
    frozen={"frozen": TINY, "frozen_mobilenet_v2": TINY},  # no pretrained weights are needed to try the harness
    preprocessing=TINY.preprocessing,
    dimension=16,
    photos=1_152,
    triplets_per_batch=8,
    precision="32-true",
)

QUICK_ARMS = ("single_label", "multi_attribute", MAIN)
"""What the headline ratios need."""

QUICK_SHOP = SampleShop(products=160, photos_per_product=1, shopper_photos=0.5)


def draw_quick_shop(places: Places, shop: SampleShop = QUICK_SHOP) -> str:
    """Draw the shop and return its folder."""
    draw_shop(places.drawn_shop, shop)
    return str(places.drawn_shop)
