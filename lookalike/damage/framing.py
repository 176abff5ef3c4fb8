"""What a photo is shown inside: a phone's screen, a collage of several pictures."""

from itertools import pairwise

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

BARS = (0.04, 0.07, 0.10, 0.14, 0.18)
"""Height of a screenshot's bar as a share of the photo, at most, by severity."""

MAIN_PANELS = (0.85, 0.75, 0.64, 0.52, 0.40)
"""Share of a collage's length that the whole photo gets, by severity."""

GAP = 0.012
"""Width of a collage's white lines as a share of the shorter side."""

Size = tuple[int, int]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""


def screenshot(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Show the photo inside a phone's screen: a status bar above, buttons below.

    A screen is taller than a photo; brought back to the photo's size, all that it shows is squeezed.
    """
    width, height = image.size
    top, bottom = (max(2, round(height * BARS[severity - 1] * share)) for share in rng.uniform(0.5, 1.0, size=2))
    shade = int(rng.choice((0, 24, 245)))
    screen = Image.new("RGB", image.size, (shade, shade, shade))
    screen.paste(image.resize((width, max(1, height - top - bottom)), Image.Resampling.BILINEAR), (0, top))
    draw = ImageDraw.Draw(screen)
    ink = (255 - shade,) * 3
    draw.rectangle((width * 0.04, top * 0.3, width * 0.22, top * 0.6), fill=ink)  # the clock
    for place in (0.25, 0.5, 0.75):
        x, y, radius = width * place, height - bottom / 2, min(width, bottom) / 5
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    return screen


def collage(image: Image.Image, rng: Generator, severity: int) -> Image.Image:
    """Show the whole photo in one panel, and one to three tiles beside, above or below it.

    Resellers fill the tiles with further views. There is only this photo, so a tile is an enlarged detail of it,
    its mirror image, or a plain panel as behind a caption. Another product's picture would be a question with two
    right answers.
    """
    page, gap = Image.new("RGB", image.size, "white"), max(1, round(min(image.size) * GAP))
    main, *tiles = _panels(image.size, rng, severity, gap)
    page.paste(_plain(image, (0, 0), (main[2] - main[0], main[3] - main[1])), main)
    _show_whole(page, image, main)
    for box in tiles:
        page.paste(_tile(image, rng, (box[2] - box[0], box[3] - box[1])), box)
    return page


def _panels(size: Size, rng: Generator, severity: int, gap: int) -> list[Box]:
    """The boxes of a collage, the whole photo's first, with a gap between any two."""
    beside, first = rng.random(2) < 0.5
    length, breadth = size if beside else size[::-1]
    main = round(length * MAIN_PANELS[severity - 1])
    cuts = np.linspace(0, breadth + gap, int(rng.integers(1, 4)) + 1).round().astype(int).tolist()
    near, far = ((0, main), (main + gap, length)) if first else ((length - main, length), (0, length - main - gap))
    boxes = [(near[0], 0, near[1], breadth)]
    boxes += [(far[0], low, far[1], high - gap) for low, high in pairwise(cuts)]
    boxes = [(left, top, max(right, left + 1), max(bottom, top + 1)) for left, top, right, bottom in boxes]
    return boxes if beside else [(top, left, bottom, right) for left, top, right, bottom in boxes]


def _show_whole(page: Image.Image, image: Image.Image, box: Box) -> None:
    """Paste the photo into the middle of a box, as large as its proportions allow."""
    width, height = box[2] - box[0], box[3] - box[1]
    scale = min(width / image.width, height / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    corner = (box[0] + (width - size[0]) // 2, box[1] + (height - size[1]) // 2)
    page.paste(image.resize(size, Image.Resampling.BILINEAR), corner)


def _tile(image: Image.Image, rng: Generator, size: Size) -> Image.Image:
    """A detail of the photo, its mirror image cut to fit, or a panel in one of its colours."""
    kind, zoom = rng.choice(("detail", "mirror image", "panel"), p=(0.5, 0.25, 0.25)), rng.uniform(1.5, 3.0)
    if kind == "panel":
        x, y = (rng.random(2) * image.size).astype(int).tolist()
        return _plain(image, (x, y), size)
    scale = max(size[0] / image.width, size[1] / image.height) * (zoom if kind == "detail" else 1.0)
    shown = np.minimum(np.array(size) / scale, image.size)  # width and height of what the tile shows
    left, top = (rng.uniform(0.2, 0.8, size=2) * (image.size - shown)).tolist()
    box = (left, top, min(left + shown[0], image.width), min(top + shown[1], image.height))
    tile = image.resize(size, Image.Resampling.BILINEAR, box=box)
    return tile.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if kind == "mirror image" else tile


def _plain(image: Image.Image, place: Size, size: Size) -> Image.Image:
    """A panel in the colour that the photo has at a place."""
    return image.crop((*place, place[0] + 1, place[1] + 1)).resize(size)
