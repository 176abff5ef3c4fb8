"""What resellers draw over a photo: scribbles, prices and phone numbers, logos."""

from functools import lru_cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

WORDS = ("SALE", "50% OFF", "NEW", "ORDER NOW", "499/-", "COD", "9812345670", "FREE SHIP", "BEST PRICE", "@shop")
"""Typical captions; the ink matters, not the meaning."""

INKS = ((220, 20, 30), (20, 20, 20), (250, 250, 250), (250, 210, 0), (20, 70, 200), (10, 140, 60))

THICKNESS = 0.012
"""Of a scribbled line, at least, as a share of the shorter side."""

CAPTIONS = (1, 1, 2, 2, 3)
"""How many captions, by severity."""

CAPTION_HEIGHTS = (0.10, 0.13, 0.13, 0.16, 0.17)
"""Font size as a share of the shorter side, by severity."""

LABELLED = 0.3
"""Share of captions that stand on a label rather than on the photo itself."""


def scribble(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """One curved stroke per severity, begun near the middle, where the product is."""
    scribbled = image.copy()
    draw = ImageDraw.Draw(scribbled)
    thickness = max(1, round(min(image.size) * THICKNESS * rng.uniform(1, 2)))
    for _ in range(severity):
        points = (_stroke(rng) * image.size).tolist()
        draw.line([(x, y) for x, y in points], fill=_ink(rng), width=thickness, joint="curve")
    return scribbled


def text(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Captions in capitals that lie wholly on the photo where they fit, some on a label; more and larger with
    severity."""
    captioned = image.copy()
    draw = ImageDraw.Draw(captioned)
    font = _font(max(7, round(min(image.size) * CAPTION_HEIGHTS[severity - 1])))
    for _ in range(CAPTIONS[severity - 1]):
        words, ink = WORDS[rng.integers(len(WORDS))], _ink(rng)
        left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
        x, y = rng.random(2) * (max(image.width - right, 0), max(image.height - bottom, 0))
        if rng.random() < LABELLED:
            draw.rectangle((x + left - 2, y + top - 2, x + right + 2, y + bottom + 2), fill=_paper(ink))
        draw.text((x, y), words, font=font, fill=ink)
    return captioned


def logo(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """A half-transparent badge with letters in one of the corners."""
    radius = round(min(image.size) * (0.07 + 0.025 * severity))
    ink, layer = _ink(rng), image.copy()
    x = radius if rng.random() < 0.5 else image.width - radius
    y = radius if rng.random() < 0.5 else image.height - radius
    draw = ImageDraw.Draw(layer)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    draw.text((x - radius * 0.7, y - radius * 0.5), "LX", font=_font(max(7, radius)), fill=_paper(ink))
    return Image.blend(image, layer, float(rng.uniform(0.6, 0.95)))


def _stroke(rng: Generator) -> NDArray[np.floating]:
    """(P, 2) points of one smooth line within the photo, as shares of width and height."""
    points = np.vstack([rng.uniform(0.2, 0.8, size=2), rng.normal(0, 0.22, size=(5, 2))]).cumsum(axis=0)
    points = 1 - np.abs(1 - np.abs(points))  # a hand turns back at the edge
    for _ in range(3):  # cutting corners (Chaikin 1974) turns a zigzag into a curve
        ahead, behind = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        points = np.stack([ahead, behind], axis=1).reshape(-1, 2)
    return points


def _paper(ink: tuple[int, int, int]) -> tuple[int, int, int]:
    """White or black, whichever the ink can be read on."""
    return (255, 255, 255) if sum(ink) < 400 else (0, 0, 0)


def _ink(rng: Generator) -> tuple[int, int, int]:
    return INKS[rng.integers(len(INKS))]


@lru_cache(maxsize=256)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # parsing the font file takes longer than drawing with it
