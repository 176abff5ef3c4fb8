"""How a photo is cut and held: crops, slight rotations, mirrored cameras."""

import numpy as np
from numpy.random import Generator
from PIL import Image

CUT_AREAS = (0.08, 0.16, 0.40, 0.50, 0.60)
"""Share of the photo's area that a crop cuts away, by severity; 3 is the 40 % that evaluation asks about."""

STRETCH = 0.1
"""Largest change of a crop's proportions, as the logarithm of a side's factor."""

DEGREES = (3.0, 6.0, 9.0, 13.0, 18.0)
"""Largest rotation by severity."""


def crop(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Cut the severity's share of the area off the sides and enlarge the rest to the old size."""
    kept = 1 - CUT_AREAS[severity - 1]
    stretch = min(STRETCH, -np.log(kept) / 2)  # so that neither side grows beyond the photo
    sides = np.sqrt(kept) * np.exp(rng.uniform(-stretch, stretch) * np.array((1, -1)))
    corner = rng.uniform(0, 1, size=2) * (1 - sides)
    left, top, right, bottom = (
        np.concatenate([corner, corner + sides]).clip(0, 1) * (*image.size, *image.size)
    ).tolist()
    return image.resize(image.size, Image.Resampling.BILINEAR, box=(left, top, right, bottom))


def rotate(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Turn slightly either way; the corners are filled with the photo's own corner colour."""
    degrees = DEGREES[severity - 1] * rng.uniform(0.3, 1.0) * rng.choice((-1.0, 1.0))
    return image.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=image.getpixel((0, 0)))


def mirror(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Swap left and right; no severity makes it more or less so."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
