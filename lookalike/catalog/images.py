"""From a stranger's photo bytes to the model's pixels: the one preprocessing, used everywhere.

Training, indexing and serving all call `Preprocessing.pixels`; its fingerprint is part of the release
identity. Normalisation (mean, standard deviation) happens inside the exported model, so nothing outside
can get it wrong.
"""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from lookalike.catalog.crop import Crop
from lookalike.config import StrictConfig
from lookalike.errors import ImageError, PhotoTooLarge
from lookalike.storage import digest_json

ALGORITHM = "pillow-draft-exif-white-letterbox-bicubic-1"
"""Name of the steps below; change it whenever a step changes the pixels."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""Photo formats that are decoded; anything else is refused by its content, whatever its name says."""


class ImageLimits(StrictConfig):
    """What a photo may cost before it is refused."""

    bytes: int = 20_000_000
    """Largest encoded size."""
    pixels: int = 50_000_000
    """Largest width times height, checked before the pixels are decoded."""
    side: int = 16
    """Smallest width or height that still shows a product."""


TURNED = range(5, 9)
"""EXIF orientations that swap width and height."""


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
    if not content:
        raise ImageError("the photo is empty (0 bytes)")
    if len(content) > limits.bytes:
        raise PhotoTooLarge(f"the photo has {len(content)} bytes; at most {limits.bytes} are accepted")
    try:
        # Pillow's own bomb warning stays as it is: silencing it is global state, and this runs in many threads.
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_size(image, limits)
            if at_least is not None and image.format == "JPEG":
                image.draft("RGB", at_least if crop is None else _covering(image, at_least, crop))
            upright = ImageOps.exif_transpose(image)
            return _on_white(upright if crop is None else _cropped(upright, crop, limits))
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"the photo is not one of {', '.join(FORMATS)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoTooLarge(f"the photo is too large; at most {limits.pixels} pixels are accepted") from error
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError, OverflowError) as error:
        # Pillow's plugins raise all of these on damaged files.
        raise ImageError(f"the photo is damaged: {error}") from error


def _check_size(image: Image.Image, limits: ImageLimits) -> None:
    width, height = image.size
    if width * height > limits.pixels:
        raise PhotoTooLarge(f"the photo is {width}x{height}; at most {limits.pixels} pixels are accepted")
    if min(width, height) < limits.side:
        raise ImageError(f"the photo is {width}x{height}; each side needs at least {limits.side} pixels")


def _covering(image: Image.Image, at_least: tuple[int, int], crop: Crop) -> tuple[int, int]:
    """The size, as the photo is stored, at which the cropped part is still `at_least` as large."""
    width, height = crop.whole(*at_least)
    return (height, width) if image.getexif().get(ExifTags.Base.Orientation) in TURNED else (width, height)


def _cropped(upright: Image.Image, crop: Crop, limits: ImageLimits) -> Image.Image:
    part = upright.crop(crop.box(*upright.size))
    if min(part.size) < limits.side:
        raise ImageError(
            f"the cropped part is {part.width}x{part.height}; each side needs at least {limits.side} pixels"
        )
    return part


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion clips at 255 instead of scaling
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


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
