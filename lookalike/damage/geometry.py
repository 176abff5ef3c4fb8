"""How a photo is cut and held: crops, slight rotations, mirrored cameras, screenshots."""

from numpy.random import Generator
from PIL import Image, ImageDraw

CROPPED_SIDES = (0.06, 0.12, 0.18, 0.25, 0.35)
"""Share of each side cut away, at most, by severity."""

DEGREES = (3.0, 6.0, 9.0, 13.0, 18.0)
"""Largest rotation by severity."""

BORDERS = (0.04, 0.07, 0.10, 0.14, 0.18)
"""Height of a screenshot's bar as a share of the photo, at most, by severity."""


def crop(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Cut the sides at random and enlarge the rest to the old size."""
    width, height = image.size
    cut = CROPPED_SIDES[severity - 1] * rng.uniform(0.4, 1.0, size=2)
    left, top = rng.uniform(0, 1, size=2) * cut
    box = (left * width, top * height, (1 + left - cut[0]) * width, (1 + top - cut[1]) * height)
    return image.resize(image.size, Image.Resampling.BILINEAR, box=box)


def rotate(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Turn slightly either way; the corners are filled with the photo's own corner colour."""
    degrees = DEGREES[severity - 1] * rng.uniform(0.3, 1.0) * rng.choice((-1.0, 1.0))
    return image.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=image.getpixel((0, 0)))


def mirror(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Swap left and right; no severity makes it more or less so."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def screenshot(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Show the photo inside a phone's screen: a status bar above, buttons below."""
    width, height = image.size
    top, bottom = (max(2, round(height * BORDERS[severity - 1] * share)) for share in rng.uniform(0.5, 1.0, size=2))
    shade = int(rng.choice((0, 24, 245)))
    screen = Image.new("RGB", image.size, (shade, shade, shade))
    screen.paste(image.resize((width, height - top - bottom), Image.Resampling.BILINEAR), (0, top))
    draw = ImageDraw.Draw(screen)
    ink = (255 - shade,) * 3
    draw.rectangle((width * 0.04, top * 0.3, width * 0.22, top * 0.6), fill=ink)  # the clock
    for place in (0.25, 0.5, 0.75):
        x, y, radius = width * place, height - bottom / 2, bottom / 5
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    return screen
