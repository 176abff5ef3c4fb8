"""The size of a photo as the shopper sees it."""

import io

from PIL import Image

from lookalike.catalog.upright import swaps_sides


def photo_size(content: bytes) -> tuple[int, int]:
    """(width, height) after the EXIF turn, from the header alone; `content` was decoded before without error."""
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
        return (height, width) if swaps_sides(image) else (width, height)
