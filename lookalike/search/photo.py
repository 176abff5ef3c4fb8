"""The size of a photo as the shopper sees it."""

import io

from PIL import ExifTags, Image

from lookalike.catalog.images import TURNED


def photo_size(content: bytes) -> tuple[int, int]:
    """(width, height) after the EXIF turn, from the header alone; `content` was decoded before without error."""
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
        turned = image.getexif().get(ExifTags.Base.Orientation) in TURNED
    return (height, width) if turned else (width, height)
