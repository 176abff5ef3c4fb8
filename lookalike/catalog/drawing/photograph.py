"""From a drawn product to a JPEG: pose, light, background."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from lookalike.catalog.drawing.canvas import SIZE

PHOTO = (SIZE[0] // 2, SIZE[1] // 2)
"""Width and height of a photo: 120x160."""

STUDIO = "studio"
"""The shop's main photo: upright, on white."""
STYLED = "styled"
"""The shop's further photos: turned, mirrored, on tinted paper, in other light."""
SHOPPER = "shopper"
"""What a shopper sends: tilted, on a floor or table, in lamp light."""

_GROUNDS = ((246, 240, 232), (232, 238, 246), (238, 246, 236), (246, 234, 238), (226, 226, 228))
_FLOORS = ((168, 132, 98), (120, 124, 132), (196, 186, 170), (92, 104, 96), (150, 110, 104))


def photograph(product: Image.Image, style: str, rng: np.random.Generator) -> bytes:
    """A JPEG of a product drawn on a transparent sheet; `rng` moves pose, light and background."""
    sheet = product.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if style != STUDIO and rng.random() < 0.5 else product
    posed = sheet.transform(SIZE, Image.Transform.AFFINE, _pose(style, rng), Image.Resampling.BILINEAR).reduce(2)
    scene = _ground(style, rng)
    shadow = posed.getchannel("A").filter(ImageFilter.BoxBlur(3)).point(lambda value: value * 0.32)
    scene.paste((40, 36, 40), (2, 3), shadow)
    scene.paste(posed, (0, 0), posed.getchannel("A"))
    pixels = np.asarray(scene, dtype=np.float32)  # (160, 120, 3)
    buffer = io.BytesIO()
    Image.fromarray(_lit(pixels, style, rng)).save(buffer, "JPEG", quality=int(rng.integers(76, 93)))
    return buffer.getvalue()


def _pose(style: str, rng: np.random.Generator) -> tuple[float, float, float, float, float, float]:
    """Inverse affine map about the centre: scale, turn, a slight skew for the viewpoint, shift."""
    ease = {STUDIO: 0.15, STYLED: 1.0, SHOPPER: 1.8}[style]
    scale = rng.uniform(1.04, 1.06 + 0.16 * ease)  # above 1 shrinks: the map goes from photo to sheet
    angle = rng.normal(0, 0.055) * ease
    skew, squeeze = rng.normal(0, 0.05) * ease, 1 + abs(rng.normal(0, 0.05)) * ease
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    a, b, d, e = cos * squeeze, sin + skew, -sin, cos
    centre_x, centre_y = SIZE[0] / 2 + rng.normal(0, 4) * ease, SIZE[1] / 2 + rng.normal(0, 5) * ease
    return a, b, SIZE[0] / 2 - a * centre_x - b * centre_y, d, e, SIZE[1] / 2 - d * centre_x - e * centre_y


def _ground(style: str, rng: np.random.Generator) -> Image.Image:
    if style == STUDIO:
        return Image.new("RGB", PHOTO, (253, 253, 253))
    tones = _GROUNDS if style == STYLED else _FLOORS
    ground = np.array(tones[rng.integers(len(tones))], dtype=np.float32) + rng.normal(0, 5, 3).astype(np.float32)
    y, x = np.mgrid[0 : PHOTO[1], 0 : PHOTO[0]].astype(np.float32)
    light = 1 + 0.06 * (x / PHOTO[0] - 0.5) * rng.choice((-1, 1)) - 0.05 * (y / PHOTO[1])
    if style == SHOPPER:  # boards or tiles
        board = rng.uniform(18, 35)
        light -= 0.14 * (((x + 0.2 * y) % board) < 1.5) + 0.05 * (((x + 0.2 * y) // board) % 2)
    return Image.fromarray(np.clip(ground * light[..., None], 0, 255).astype(np.uint8))


def _lit(pixels: NDArray[np.float32], style: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Brightness, warmth, gamma and sensor noise; gentle in the studio, so that colours stay true."""
    ease = {STUDIO: 0.25, STYLED: 1.0, SHOPPER: 1.7}[style]
    warmth = rng.normal(0, 0.02) * ease
    gain = (1 + rng.normal(0, 0.04) * ease) * np.array([1 + warmth, 1.0, 1 - warmth])
    curved = 255 * np.clip(pixels * gain / 255, 0, 1) ** (1 + rng.normal(0, 0.06) * ease)
    noisy = curved + rng.normal(0, 2.0 * ease, pixels.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
