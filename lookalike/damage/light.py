"""How a camera sees: colour casts, brightness, blur."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

CASTS = (0.06, 0.11, 0.17, 0.24, 0.32)
"""Largest change of a channel's gain by severity."""

BLURS = (0.006, 0.010, 0.015, 0.022, 0.032)
"""Radius of the blur as a share of the shorter side, by severity."""

WARM = (1.0, 0.1, -1.0)
COLD = (-1.0, -0.1, 1.0)
GREEN = (-0.5, 1.0, -0.5)
"""Direction of a cast per channel: red, green, blue."""


def colour_cast(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Another white balance and exposure: lamps differ from yellow to blue, tubes from magenta to green."""
    cast = CASTS[severity - 1]
    lamp, tube, exposure, curve = rng.uniform(-1, 1, size=4)
    gains = 1 + cast * (lamp * np.array(WARM) + 0.4 * tube * np.array(GREEN) + 0.5 * exposure)
    return _relit(image, gains, float(np.exp(cast * curve)))


def warm_light(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """A yellow lamp: the same direction for every photo, unlike `colour_cast`."""
    return _relit(image, 1 + CASTS[severity - 1] * rng.uniform(0.8, 1.0) * np.array(WARM), 1.0)


def cold_light(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """An overcast winter day: blue and dark, the same direction for every photo."""
    return _relit(image, 1 + CASTS[severity - 1] * rng.uniform(0.8, 1.0) * np.array(COLD), 1.2)


def blur(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Out of focus, the same to the eye at every resolution."""
    radius = BLURS[severity - 1] * min(image.size) * rng.uniform(0.8, 1.2)
    return image.filter(ImageFilter.GaussianBlur(radius))


def _relit(image: Image.Image, gains: NDArray[np.floating], gamma: float) -> Image.Image:
    levels = 255 * (np.arange(256) / 255) ** gamma
    table = np.clip(levels[None, :] * gains[:, None], 0, 255)  # (3, 256)
    return image.point(table.round().astype(np.uint8).ravel().tolist())
