"""From what a file stores to the picture a person sees: upright, in RGB, transparent parts on white."""

import numpy as np
from PIL import ExifTags, Image

BAND = 1024
"""Rows made opaque at a time; two copies of a whole large picture with its transparency would be gigabytes."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How each EXIF orientation is undone."""


def swaps_sides(image: Image.Image) -> bool:
    """Whether the picture is stored on its side."""
    return _orientation(image) in range(5, 9)


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation says; no other metadata is interpreted."""
    turn = _TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def on_white(image: Image.Image) -> Image.Image:
    """The picture in RGB."""
    image.load()
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        return _opaque(image)
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion clips at 255 instead of scaling
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image if image.mode == "RGB" else image.convert("RGB")


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(ExifTags.Base.Orientation, 1)
    return value if isinstance(value, int) else 1


def _opaque(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", image.size)
    for top in range(0, image.height, BAND):
        layer = image.crop((0, top, image.width, min(top + BAND, image.height))).convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        white.alpha_composite(layer)
        canvas.paste(white.convert("RGB"), (0, top))
    return canvas
