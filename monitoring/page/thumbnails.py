"""Small copies of catalogue photos, written into the page itself."""

import base64
import io
import logging
from collections.abc import Sequence

from lookalike.catalog.images import decode_photo
from lookalike.catalog.products import Catalogue
from lookalike.errors import ImageError

SIDE = 96
"""Pixels of the longer side."""
QUALITY = 70
"""Pure noise takes 5.2 KB then, a photo of a product about 2."""
log = logging.getLogger(__name__)


def thumbnails(catalogue: Catalogue, photo_ids: Sequence[str]) -> dict[str, str]:
    """Photo id to `data:` address, of those photos that can be read."""
    found = {}
    for photo, content in catalogue.stream_contents(frozenset(photo_ids)):
        try:
            found[photo] = "data:image/jpeg;base64," + base64.b64encode(thumbnail(content)).decode()
        except ImageError as error:
            log.warning("Photo %s is shown by its id: %s", photo, error)
    return found


def thumbnail(content: bytes) -> bytes:
    """A JPEG of at most SIDE by SIDE pixels. Raises ImageError for a photo that cannot be read."""
    image = decode_photo(content, at_least=(SIDE, SIDE))
    image.thumbnail((SIDE, SIDE))
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=QUALITY, optimize=True)
    return encoded.getvalue()
