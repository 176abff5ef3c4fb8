"""Cheap signs of how a photo was made: how strongly it is compressed, and how sharp the model sees it.

Both are for watching drift, never for judging one photo: a new app, camera or messenger moves them for everybody.
"""

import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from lookalike.catalog.upright import swaps_sides

LUMINANCE = np.array(
    [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
     51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120,
     101, 72, 92, 95, 98, 112, 100, 103, 99]
)  # fmt: skip
"""Quantisation of luminance at quality 50: table K.1 of ITU-T T.81, from which libjpeg scales every other."""


class PhotoHeader(NamedTuple):
    """What a photo's first bytes say."""

    width: int
    """As the shopper sees it, after the EXIF turn."""
    height: int
    jpeg_quality: float | None
    """1 to 100 on libjpeg's scale, as last saved; None for other formats."""


def photo_header(content: bytes) -> PhotoHeader:
    """From the header alone; `content` was decoded before without error."""
    with Image.open(io.BytesIO(content)) as photo:
        width, height = photo.size[::-1] if swaps_sides(photo) else photo.size
        return PhotoHeader(width, height, jpeg_quality(photo))


def jpeg_quality(photo: Image.Image) -> float | None:
    """The quality that an opened photo was last saved at, from its quantisation table alone.

    Encoders with tables of their own get the quality whose table is as coarse on the whole.
    """
    if not isinstance(photo, JpegImagePlugin.JpegImageFile) or 0 not in photo.quantization:
        return None
    table = photo.quantization[0]
    scale = 100.0 * sum(table) / int(LUMINANCE.sum())  # per cent
    return 5000.0 / scale if scale > 100.0 else (200.0 - scale) / 2.0


def sharpness(pixels: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the green channel of the model's input (H, W, 3): low is blurred.

    Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy (ICPR 2000), section 3.
    """
    green = pixels[:, :, 1].astype(np.float32)
    laplacian = green[:-2, 1:-1] + green[2:, 1:-1] + green[1:-1, :-2] + green[1:-1, 2:] - 4 * green[1:-1, 1:-1]
    return float(laplacian.var())
