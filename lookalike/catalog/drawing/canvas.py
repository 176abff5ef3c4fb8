"""A transparent sheet on which products are cut from cloth, with soft shading."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from lookalike.catalog.drawing.palette import RGB, Cloth, shaded

SIZE = (240, 320)
"""Width and height of the sheet: twice the photo's, so that shrinking smooths the edges."""

Point = tuple[float, float]

_UNIT = 120.0  # canvas pixels per drawing unit: x spans -1..1, y about -1.33..1.33 downwards


def mirrored(half: Sequence[Point]) -> list[Point]:
    """A closed outline from its right half, given from top to bottom."""
    return [*half, *((-x, y) for x, y in reversed(half))]


def curve(points: Sequence[Point], closed: bool = True, steps: int = 6) -> list[Point]:
    """A Catmull-Rom curve through the points; a point given twice is a corner."""
    knots = np.array(points, dtype=float)
    if closed:
        around = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        around = np.concatenate([knots[:1], knots, knots[-1:]])
    pieces = np.stack([around[i : len(around) - 3 + i] for i in range(4)])  # (4, S, 2)
    pieces = pieces[:, (pieces[1] != pieces[2]).any(axis=1)]  # a corner has no length of its own
    before, here, after, beyond = pieces[:, :, None]  # (S, 1, 2) each
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]  # (1, steps, 1)
    bent = 0.5 * (
        2 * here
        + (after - before) * t
        + (2 * before - 5 * here + 4 * after - beyond) * t**2
        + (3 * here - before - 3 * after + beyond) * t**3
    )
    smooth = [(float(x), float(y)) for x, y in bent.reshape(-1, 2)]
    return smooth if closed else [*smooth, points[-1]]


class Canvas:
    """Draws in units of half the sheet's width, the origin in the middle."""

    def __init__(self, rng: np.random.Generator) -> None:
        """`rng` moves the folds of the cloth."""
        self.image = Image.new("RGBA", SIZE, (0, 0, 0, 0))
        self._folds = _folds(rng)

    def fill(self, outline: Sequence[Point], cloth: Cloth, depth: float = 0.34, edge: RGB | None = None) -> None:
        """Cut the outline from cloth; `depth` darkens it towards its edge, `edge` draws a seam."""
        mask = Image.new("L", SIZE)
        ImageDraw.Draw(mask).polygon(_pixels(outline), fill=255)
        box = mask.getbbox()
        if box is None:
            return
        inside = mask.crop(box)
        relief = np.asarray(inside.filter(ImageFilter.BoxBlur(7)), dtype=np.float32) / 255
        left, top, right, bottom = box
        light = (1 - depth + depth * relief) * self._folds[top:bottom, left:right]
        lit = np.clip(cloth[top:bottom, left:right] * light[..., None], 0, 255).astype(np.uint8)
        self.image.paste(Image.fromarray(lit), box, inside)
        if edge is not None:
            self.line([*outline, outline[0]], edge, 1.6)

    def line(self, points: Sequence[Point], colour: RGB, width: float = 2.0) -> None:
        """A stroke, `width` in canvas pixels."""
        ImageDraw.Draw(self.image).line(_pixels(points), fill=(*colour, 255), width=round(width), joint="curve")

    def disc(self, centre: Point, radius: float, colour: RGB) -> None:
        """A button, eyelet or buckle; `radius` in canvas pixels."""
        (x, y) = _pixels([centre])[0]
        ImageDraw.Draw(self.image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, 255))


def solid(colour: RGB) -> Cloth:
    """Unprinted cloth for soles, straps and linings."""
    return np.broadcast_to(np.array(colour, dtype=np.float32), (SIZE[1], SIZE[0], 3))


def seam(colour: RGB) -> RGB:
    """The line a seam leaves on cloth: darker, on black lighter."""
    return shaded(colour, 0.62) if sum(colour) > 150 else shaded(colour, 1.9)


def _pixels(points: Sequence[Point]) -> list[Point]:
    return [(SIZE[0] / 2 + x * _UNIT, SIZE[1] / 2 + y * _UNIT) for x, y in points]


def _folds(rng: np.random.Generator) -> np.ndarray:
    """(H, W) light on hanging cloth: a few soft, slanting waves."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32) / _UNIT
    light = np.ones_like(x)
    for _ in range(3):
        slant, pitch, phase = rng.uniform(-0.6, 0.6), rng.uniform(3.0, 8.0), rng.uniform(0, 2 * math.pi)
        light += rng.uniform(0.015, 0.035) * np.sin(pitch * (x + slant * y) + phase)
    return light
