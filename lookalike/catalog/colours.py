"""The colours of a photo's product as a histogram over hue, saturation and value.

Visual Fashion-Product Search at SK Planet, arXiv 1609.07859: distance there is a weighted sum of appearance and an
HSV histogram of the detected product. The paper gives neither bins nor weights; both are ours. So is the region:
without a detector, the product is what differs from the colour along the photo's edge. HSV rather than Lab, as in
the paper: a hue of its own per bin survives a shadow, and named colours differ in hue first.
"""

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HUES, SATURATIONS, VALUES, GREYS = 12, 2, 2, 4
BINS = HUES * SATURATIONS * VALUES + GREYS
GREY = 40
"""Saturation (0..255) below which a pixel has no hue worth counting; compression alone gives white a hue."""
APART = 24
"""Difference to the background (0..255, of the channel that differs most) from which a pixel is product."""
LEVELS = 255
"""Steps in which a stored share is kept: a byte per bin."""
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


def histogram_text(histogram: NDArray[np.float32]) -> str:
    """A (BINS,) histogram in 72 letters: a byte per bin in base64, so that it is stored as any field is."""
    return base64.b64encode(np.rint(histogram * LEVELS).astype(np.uint8).tobytes()).decode("ascii")


def read_histograms(texts: Sequence[str | None]) -> NDArray[np.float32]:
    """(N, BINS) of what `histogram_text` wrote, each share within 1/510; zeros where nothing is known."""
    unknown = bytes(BINS)
    raw = b"".join(unknown if text is None else base64.b64decode(text) for text in texts)
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, BINS).astype(np.float32) / np.float32(LEVELS)
