"""What a client may ask, and how it goes over the wire."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from PIL import Image, ImageOps

Photo = Path | bytes | Image.Image
"""A photo's file, its encoded bytes, or the picture itself."""
Condition = str | Sequence[str] | Mapping[str, Any]
"""What a field must hold: one text, one of several, or operators such as {"missing": true}."""

QUALITY = 95
"""Of the JPEG that a picture in memory is sent as."""


class ProductOptions(TypedDict, total=False):
    """What may be asked with a product."""

    k: int
    filters: Mapping[str, Condition]
    group: Literal["photo", "product", "item", "design"]
    vertical: str
    stock: Literal["any", "first", "only"]
    explain: bool
    cursor: str


class PhotoOptions(ProductOptions, total=False):
    """What may be asked with a photo."""

    crop: tuple[float, float, float, float]
    narrow: bool
    colour_weight: float
    category: Literal["off", "auto", "boost", "narrow"]


def as_texts(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as URLs and forms carry them."""
    return {name: _text(name, value) for name, value in options.items() if value is not None}


def encoded(photo: Photo) -> bytes:
    """The bytes to send; a picture in memory is turned upright, as its file would be by the service."""
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, Path):
        return photo.read_bytes()
    file = io.BytesIO()
    ImageOps.exif_transpose(photo).convert("RGB").save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _text(name: str, value: Any) -> str:
    if name == "crop":
        return ",".join(str(edge) for edge in value)
    return value if isinstance(value, str) else json.dumps(value)
