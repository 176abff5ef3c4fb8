"""What resellers draw over a photo: scribbles, prices and phone numbers, logos."""

from functools import lru_cache

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

WORDS = ("SALE", "50% OFF", "NEW", "ORDER NOW", "499/-", "COD", "9812345670", "FREE SHIP", "BEST PRICE", "@shop")
"""Typical captions; the ink matters, not the meaning."""

INKS = ((220, 20, 30), (20, 20, 20), (250, 250, 250), (250, 210, 0), (20, 70, 200), (10, 140, 60))


def scribble(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """One curved stroke per severity, across a good part of the photo."""
    scribbled = image.copy()
    draw = ImageDraw.Draw(scribbled)
    size = np.array(image.size)
    thickness = max(1, round(float(size.min()) * 0.012 * rng.uniform(1, 2)))
    for _ in range(severity):
        start, steps = rng.uniform(0, 1, size=2), rng.normal(0, 0.16, size=(5, 2))
        points = (np.vstack([start, steps]).cumsum(axis=0) * size).tolist()
        draw.line([(x, y) for x, y in points], fill=_ink(rng), width=thickness, joint="curve")
    return scribbled


def text(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """A caption or two in capitals, larger with severity."""
    captioned = image.copy()
    draw = ImageDraw.Draw(captioned)
    font = _font(max(7, round(min(image.size) * (0.08 + 0.02 * severity))))
    for _ in range(1 + severity // 3):
        x, y = rng.uniform(0, 0.6) * image.width, rng.uniform(0, 0.9) * image.height
        draw.text((x, y), WORDS[rng.integers(len(WORDS))], font=font, fill=_ink(rng))
    return captioned


def logo(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """A half-transparent badge with letters in one of the corners."""
    radius = round(min(image.size) * (0.07 + 0.025 * severity))
    ink, layer = _ink(rng), image.copy()
    x = radius if rng.random() < 0.5 else image.width - radius
    y = radius if rng.random() < 0.5 else image.height - radius
    draw = ImageDraw.Draw(layer)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    paper = (255, 255, 255) if sum(ink) < 400 else (0, 0, 0)
    draw.text((x - radius * 0.7, y - radius * 0.5), "LX", font=_font(max(7, radius)), fill=paper)
    return Image.blend(image, layer, float(rng.uniform(0.6, 0.95)))


def _ink(rng: Generator) -> tuple[int, int, int]:
    return INKS[rng.integers(len(INKS))]


@lru_cache(maxsize=256)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # parsing the font file takes longer than drawing with it
