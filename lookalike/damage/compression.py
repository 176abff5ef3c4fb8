"""What apps and messengers do to a photo's bytes: compress, compress again, shrink."""

import io

from numpy.random import Generator
from PIL import Image

QUALITIES = (60, 42, 28, 16, 8)
"""JPEG quality by severity; messengers use about 60, a photo forwarded many times looks like 10."""

REMAINING_SIDES = (0.8, 0.65, 0.5, 0.35, 0.25)
"""Share of the width and height that survives, by severity."""


def jpeg(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Compress once, at the severity's quality give or take a fifth."""
    return _compressed(image, round(QUALITIES[severity - 1] * rng.uniform(0.8, 1.2)))


def double_jpeg(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Compress, shift by a few pixels, compress again: the second grid of 8x8 blocks falls elsewhere."""
    quality = QUALITIES[severity - 1]
    once = _compressed(image, round(quality * rng.uniform(0.9, 1.3)))
    right, down = (int(shift) for shift in rng.integers(1, 8, size=2))
    shifted = Image.new("RGB", (image.width + right, image.height + down), image.getpixel((0, 0)))
    shifted.paste(once, (right, down))
    twice = _compressed(shifted, round(quality * rng.uniform(0.9, 1.3)))
    return twice.crop((right, down, *shifted.size))


def downscale(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Shrink and enlarge again, as thumbnails passed from group to group are."""
    share = REMAINING_SIDES[severity - 1] * rng.uniform(0.9, 1.1)
    small = (max(8, round(image.width * share)), max(8, round(image.height * share)))
    return image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BILINEAR)


def _compressed(image: Image.Image, quality: int) -> Image.Image:
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=min(max(quality, 2), 95))
    encoded.seek(0)
    with Image.open(encoded, formats=("JPEG",)) as decoded:
        return decoded.convert("RGB")
