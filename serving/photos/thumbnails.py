"""A shop's photos, small enough for a page of answers."""

import io
import threading
from collections import OrderedDict
from dataclasses import dataclass

from PIL import Image, ImageOps

from lookalike.catalog.images import ImageLimits, decode_photo
from lookalike.storage import digest_bytes

QUALITY = 85


@dataclass(frozen=True)
class Thumbnail:
    """A JPEG and the mark that changes with it."""

    content: bytes
    etag: str


def thumbnail(photo: bytes, side: int, limits: ImageLimits) -> Thumbnail:
    """The photo as an upright JPEG of at most `side` pixels each way, never enlarged, without its metadata.

    Raises ImageError.
    """
    image = decode_photo(photo, limits, at_least=(side, side))
    if max(image.size) > side:
        image = ImageOps.contain(image, (side, side), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return Thumbnail(file.getvalue(), f'"{digest_bytes(file.getvalue())[:32]}"')


class KeptThumbnails:
    """The latest thumbnails, up to a number of bytes; safe from several threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, Thumbnail] = OrderedDict()
        self._bytes = 0
        self._guard = threading.Lock()

    def get(self, key: str) -> Thumbnail | None:
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: str, made: Thumbnail) -> None:
        with self._guard:
            before = self._kept.pop(key, None)
            self._kept[key] = made
            self._bytes += len(made.content) - (len(before.content) if before else 0)
            while self._bytes > self._most_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.content)
