"""The colours of a photo's product as a histogram over hue, saturation and value.

Visual Fashion-Product Search at SK Planet, arXiv 1609.07859: distance there is a weighted sum of appearance and an
HSV histogram of the detected product. The paper gives neither bins nor weights; both are ours. So is the region:
without a detector, the product is what differs from the colour along the photo's edge.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HUES, SATURATIONS, VALUES, GREYS = 12, 2, 2, 4
BINS = HUES * SATURATIONS * VALUES + GREYS
GREY = 40
"""Saturation (0..255) below which a pixel has no hue worth counting; compression alone gives white a hue."""
APART = 24
"""Difference to the background (0..255, of the channel that differs most) from which a pixel is product."""
LEAST_PRODUCT = 0.05
"""Share of product pixels below which nothing stands out, a white shirt on white, and all pixels count."""


def colour_histogram(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(BINS,) shares of the product's pixels, summing to one, of one (H, W, 3) photo as the model sees it."""
    hsv = np.asarray(Image.fromarray(pixels).convert("HSV"), dtype=np.int64)[product_region(pixels)]  # (P, 3)
    hue, saturation, value = hsv[:, 0], hsv[:, 1], hsv[:, 2]
    vivid = (saturation - GREY) * SATURATIONS // (256 - GREY)
    coloured = (hue * HUES // 256 * SATURATIONS + vivid) * VALUES + value * VALUES // 256
    bins = np.where(saturation < GREY, BINS - GREYS + value * GREYS // 256, coloured)
    return (np.bincount(bins, minlength=BINS) / len(bins)).astype(np.float32)


def product_region(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W) true where an (H, W, 3) photo differs from its edge's median colour; everywhere where little does."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    apart = np.abs(pixels.astype(np.int16) - np.median(edge, axis=0)).max(axis=2)  # (H, W)
    product = apart >= APART
    return product if product.mean() >= LEAST_PRODUCT else np.ones_like(product)


def intersection(query: NDArray[np.float32], histograms: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) shared mass of (BINS,) and (N, BINS) histograms, in [0, 1]; one where they are equal."""
    return np.minimum(query, histograms).sum(axis=1)
