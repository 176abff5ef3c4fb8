"""Colours and printed cloth of the drawn shop."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RGB = tuple[int, int, int]
Cloth = NDArray[np.float32]
"""(H, W, 3), 0..255: cloth as large as the canvas, cut to shape by whoever draws with it."""

COLOURS: dict[str, RGB] = {
    "black": (38, 38, 42),
    "white": (244, 243, 238),
    "grey": (142, 145, 150),
    "navy": (32, 46, 92),
    "blue": (62, 124, 200),
    "red": (198, 42, 48),
    "green": (58, 128, 78),
    "yellow": (238, 196, 62),
    "pink": (236, 142, 172),
    "beige": (212, 186, 146),
}
"""Colour words of the catalogue and what they look like."""


def plain(grid: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """No print: (H, W) zeros. Prints return how much of the accent colour shows, 0..1."""
    return np.zeros(grid.shape[1:], dtype=np.float32)


def striped(grid: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Horizontal stripes."""
    return ((grid[1] / scale) % 1 < 0.42).astype(np.float32)


def checked(grid: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Gingham: crossing bands, darker where they meet."""
    wide = scale * 1.15
    return (((grid[0] / wide) % 1 < 0.5) * 0.5 + ((grid[1] / wide) % 1 < 0.5) * 0.5).astype(np.float32)


def dotted(grid: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Round dots in staggered rows."""
    row = np.floor(grid[1] / scale)
    x = (grid[0] / scale + 0.5 * (row % 2)) % 1 - 0.5
    y = (grid[1] / scale) % 1 - 0.5
    return (np.hypot(x, y) < 0.28).astype(np.float32)


PATTERNS: dict[str, Callable[[NDArray[np.float32], float], NDArray[np.float32]]] = {
    "plain": plain,
    "striped": striped,
    "checked": checked,
    "dotted": dotted,
}
"""Pattern words of the catalogue and their prints."""


def print_cloth(size: tuple[int, int], base: RGB, pattern: str, scale: float) -> Cloth:
    """Cloth of (width, height) in a base colour; the accent is a lighter or darker relative of it."""
    width, height = size
    grid = np.mgrid[0:height, 0:width][::-1].astype(np.float32)  # (2, H, W): x, y in canvas pixels
    shown = PATTERNS[pattern](grid, scale)[..., None]  # (H, W, 1)
    ground = np.array(base, dtype=np.float32)
    return ground + shown * (accent(base) - ground)


def accent(base: RGB) -> NDArray[np.float32]:
    """A relative of the base colour with enough contrast to see a print: light on dark, dark on light."""
    ground = np.array(base, dtype=np.float32)
    return ground * 0.45 if ground.mean() > 165 else ground + (255 - ground) * 0.72


def shaded(base: RGB, factor: float) -> RGB:
    """The colour lighter (factor above 1) or darker."""
    red, green, blue = (round(min(channel * factor, 255)) for channel in base)
    return red, green, blue
