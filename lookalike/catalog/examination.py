"""Every delivered photo is fetched, decoded and measured once; what fails says why."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lookalike.catalog.images import ImageLimits, decode_photo
from lookalike.catalog.near_duplicates import perceptual_hash, thumbnail
from lookalike.catalog.photo_sources import PhotoStore, RawPhoto
from lookalike.errors import ImageError, PhotoTooLarge
from lookalike.progress import progress
from lookalike.storage import digest_bytes

UNREADABLE = "unreadable_photo"
UNDECODABLE = "undecodable_photo"
GIANT = "giant_photo"


@dataclass(frozen=True)
class GoodPhoto:
    """A photo that decodes, and what later steps need of it."""

    raw: RawPhoto
    content: bytes
    sha256: str
    width: int
    height: int
    phash: int
    thumbnail: NDArray[np.uint8]
    """(768,), see near_duplicates."""


@dataclass(frozen=True)
class BadPhoto:
    """A photo that cannot be used, with the reason."""

    raw: RawPhoto
    reason: str
    detail: str


def examine_photos(
    photos: Sequence[RawPhoto], store: PhotoStore, limits: ImageLimits
) -> tuple[list[GoodPhoto], list[BadPhoto]]:
    """Fetch and decode all photos, in their order; threads, since reading and Pillow's decoders free the GIL."""
    good: list[GoodPhoto] = []
    bad: list[BadPhoto] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        examined = pool.map(partial(_examine, store=store, limits=limits), photos)
        for photo in progress(examined, "decode photos", total=len(photos)):
            if isinstance(photo, GoodPhoto):
                good.append(photo)
            else:
                bad.append(photo)
    return good, bad


def _examine(photo: RawPhoto, store: PhotoStore, limits: ImageLimits) -> GoodPhoto | BadPhoto:
    try:
        content = store.read(photo.source)
    except ImageError as error:
        return BadPhoto(photo, GIANT if isinstance(error, PhotoTooLarge) else UNREADABLE, str(error))
    try:
        image = decode_photo(content, limits)
    except ImageError as error:
        return BadPhoto(photo, GIANT if isinstance(error, PhotoTooLarge) else UNDECODABLE, str(error))
    small, hashed = thumbnail(image), perceptual_hash(image)
    return GoodPhoto(photo, content, digest_bytes(content), image.width, image.height, hashed, small)
