"""From a stranger's photo bytes to the model's pixels: the one preprocessing, used everywhere.

Training, indexing and serving all call `Preprocessing.pixels`; its fingerprint is part of the release
identity. Normalisation (mean, standard deviation) happens inside the exported model, so nothing outside
can get it wrong.
"""

import io
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from lookalike.catalog.crop import Crop
from lookalike.catalog.photo_formats import check_container, header_size, sniff
from lookalike.catalog.upright import on_white, swaps_sides, upright
from lookalike.config import StrictConfig
from lookalike.errors import ImageError, PhotoTooLarge
from lookalike.storage import digest_json

ALGORITHM = "pillow-draft-exif-white-letterbox-bicubic-1"
"""Name of the steps below; change it whenever a step changes the pixels."""

PhotoFormat = Literal["JPEG", "PNG", "WEBP", "BMP", "GIF", "AVIF"]

FORMATS: tuple[PhotoFormat, ...] = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""Photo formats that are decoded; anything else is refused by its content, whatever its name says."""


class ImageLimits(StrictConfig):
    """What a photo may cost before it is refused."""

    formats: tuple[PhotoFormat, ...] = FORMATS
    """What is decoded; AVIF may be added for a catalogue you trust, since its files can hide their size."""
    bytes: int = 20_000_000
    """Largest encoded size."""
    pixels: int = 50_000_000
    """Largest width times height of a JPEG, checked before the pixels are decoded."""
    whole_pixels: int = 25_000_000
    """The same for every other format: these cannot be decoded at a smaller scale."""
    side: int = 16
    """Smallest width or height that still shows a product."""


def decode_photo(
    content: bytes,
    limits: ImageLimits | None = None,
    at_least: tuple[int, int] | None = None,
    crop: Crop | None = None,
) -> Image.Image:
    """Decode a photo, or the cropped part of it, to upright RGB, transparent parts on white.

    `at_least` is a (width, height) hint: a JPEG may be decoded at a smaller DCT scale at which it, or the cropped
    part, still covers that much.
    Raises ImageError with the reason for bytes that are empty, truncated or not a photo, and its kind
    PhotoTooLarge for a photo beyond the limits.
    """
    limits = limits or ImageLimits()
    kind = _accepted_format(content, limits)
    try:
        check_container(kind, content)
        _check_size(header_size(kind, content), kind, limits)
        # Pillow's own bomb warning stays as it is: silencing it is global state, and this runs in many threads.
        with Image.open(io.BytesIO(content), formats=(kind,)) as image:
            _check_size(image.size, kind, limits)
            if at_least is not None and kind == "JPEG":  # Pillow says MPO where further pictures follow the first
                image.draft("RGB", at_least if crop is None else _covering(image, at_least, crop))
            turned = upright(image)
            return on_white(turned if crop is None else _cropped(turned, crop, limits))
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoTooLarge(f"the photo is too large; at most {limits.pixels} pixels are accepted") from error
    except Exception as error:  # Pillow's plugins raise anything on damaged files; the bytes are a stranger's
        raise ImageError(f"the photo is damaged: {_reason(error)}") from error


def _accepted_format(content: bytes, limits: ImageLimits) -> str:
    if not content:
        raise ImageError("the photo is empty (0 bytes)")
    if len(content) > limits.bytes:
        raise PhotoTooLarge(f"the photo has {len(content)} bytes; at most {limits.bytes} are accepted")
    kind = sniff(content)
    if kind not in limits.formats:
        seen = f"{kind}, " if kind else ""
        raise ImageError(f"the photo is {seen}not one of {', '.join(limits.formats)}")
    return kind


def _reason(error: Exception) -> str:
    """Pillow's sentence; not that of an error which shows its objects and places in memory."""
    return "it cannot be read" if isinstance(error, UnidentifiedImageError) else str(error) or type(error).__name__


def _check_size(size: tuple[int, int] | None, kind: str, limits: ImageLimits) -> None:
    if size is None:
        return
    width, height = size
    most = limits.pixels if kind == "JPEG" else min(limits.pixels, limits.whole_pixels)
    if width * height > most:
        raise PhotoTooLarge(f"the photo is {width}x{height}; at most {most} pixels are accepted as {kind}")
    if min(width, height) < limits.side:
        raise ImageError(f"the photo is {width}x{height}; each side needs at least {limits.side} pixels")


def _covering(image: Image.Image, at_least: tuple[int, int], crop: Crop) -> tuple[int, int]:
    """The size, as the photo is stored, at which the cropped part is still `at_least` as large."""
    width, height = crop.whole(*at_least)
    return (height, width) if swaps_sides(image) else (width, height)


def _cropped(upright: Image.Image, crop: Crop, limits: ImageLimits) -> Image.Image:
    part = upright.crop(crop.box(*upright.size))
    if min(part.size) < limits.side:
        raise ImageError(
            f"the cropped part is {part.width}x{part.height}; each side needs at least {limits.side} pixels"
        )
    return part


class Preprocessing(StrictConfig):
    """How a photo becomes the model's input; fixed at training, fingerprinted in every release."""

    height: int = 96
    """Rows of the model's input."""
    width: int = 72
    """Columns of the model's input; 96x72 keeps the 4:3 portrait of product photos."""
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Per-channel mean, on a 0..1 scale, subtracted inside the model."""
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Per-channel standard deviation, on a 0..1 scale, divided by inside the model."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the algorithm's name and every setting."""
        return digest_json({"algorithm": ALGORITHM, **self.model_dump()})

    def fit(self, image: Image.Image) -> NDArray[np.uint8]:
        """Scale an RGB image into the input, keeping its shape, on white. Returns (H, W, 3) uint8."""
        scaled = ImageOps.contain(image, (self.width, self.height), Image.Resampling.BICUBIC)
        canvas = Image.new("RGB", (self.width, self.height), "white")
        canvas.paste(scaled, ((self.width - scaled.width) // 2, (self.height - scaled.height) // 2))
        return np.asarray(canvas, dtype=np.uint8)

    def pixels(self, content: bytes, limits: ImageLimits | None = None, crop: Crop | None = None) -> NDArray[np.uint8]:
        """Decode and fit one photo, or the cropped part of it. Returns (H, W, 3) uint8. Raises ImageError."""
        return self.fit(decode_photo(content, limits, at_least=(self.width, self.height), crop=crop))

    def batch(self, photos: Sequence[bytes], limits: ImageLimits | None = None) -> NDArray[np.uint8]:
        """Decode and fit B photos. Returns (B, H, W, 3) uint8. Raises ImageError."""
        if not photos:
            return np.empty((0, self.height, self.width, 3), dtype=np.uint8)
        return np.stack([self.pixels(photo, limits) for photo in photos])
