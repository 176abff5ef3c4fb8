"""Bags from the front."""

from lookalike.catalog.drawing.canvas import Canvas, curve, mirrored, seam, solid
from lookalike.catalog.drawing.look import Look
from lookalike.catalog.drawing.palette import RGB, shaded

_BRASS: RGB = (206, 176, 96)


def draw_tote(canvas: Canvas, look: Look) -> None:
    """An open bag with two long handles."""
    low, wide = 0.74 + 0.20 * look.length, 0.60 + 0.14 * look.width
    strap = shaded(look.colour, 0.78)
    for lift, width in ((-1.08, 8.0), (-0.98, 8.0)):
        handle = curve([(-0.34, -0.34), (-0.28, lift), (0.28, lift), (0.34, -0.34)], closed=False)
        canvas.line(handle, shaded(strap, 0.85 if lift < -1 else 1.0), width)
    body = [(wide, -0.40), (wide, -0.40), (wide * 0.90, low), (wide * 0.90, low)]
    canvas.fill(curve(mirrored(body)), look.cloth, edge=seam(look.colour))
    canvas.line([(-wide * 0.98, -0.28), (wide * 0.98, -0.28)], seam(look.colour), 2)
    for side in (-1, 1):
        canvas.disc((side * 0.34, -0.32), 4, _BRASS)


def draw_backpack(canvas: Canvas, look: Look) -> None:
    """A rounded pack with a front pocket and a top handle."""
    low, wide = 0.80 + 0.16 * look.length, 0.56 + 0.12 * look.width
    canvas.line(
        curve([(-0.16, -0.84), (-0.14, -1.04), (0.14, -1.04), (0.16, -0.84)], closed=False), seam(look.colour), 7
    )
    for side in (-1, 1):
        strap = [(side * (wide - 0.10), -0.60), (side * (wide + 0.16), -0.1), (side * (wide + 0.04), low - 0.2)]
        canvas.line(curve(strap, closed=False), shaded(look.colour, 0.7), 9)
    body = [
        (0.10, -0.90),
        (wide * 0.8, -0.74),
        (wide, -0.30),
        (wide, low - 0.1),
        (wide - 0.12, low),
        (wide - 0.12, low),
    ]
    canvas.fill(curve(mirrored(body)), look.cloth, edge=seam(look.colour))
    canvas.line(curve([(-wide + 0.06, -0.30), (0.0, -0.48), (wide - 0.06, -0.30)], closed=False), seam(look.colour), 3)
    pocket = mirrored([(0.36, 0.12), (0.42, 0.24), (0.42, low - 0.14), (0.36, low - 0.08)])
    canvas.fill(curve(pocket), look.cloth, 0.45, edge=seam(look.colour))
    canvas.line([(-0.36, 0.24), (0.36, 0.24)], seam(look.colour), 2)
    canvas.disc((0.28, 0.24), 4, _BRASS)


def draw_handbag(canvas: Canvas, look: Look) -> None:
    """A flap, a clasp and one short handle."""
    low, wide = 0.50 + 0.16 * look.length, 0.66 + 0.16 * look.width
    handle = curve([(-0.40, -0.28), (-0.34, -0.80), (0.34, -0.80), (0.40, -0.28)], closed=False)
    canvas.line(handle, shaded(look.colour, 0.72), 10)
    body = [(wide * 0.84, -0.34), (wide * 0.84, -0.34), (wide, low), (wide - 0.08, low + 0.06), (0.0, low + 0.08)]
    canvas.fill(curve(mirrored(body)), look.cloth, edge=seam(look.colour))
    flap = [(wide * 0.84, -0.36), (wide * 0.84, -0.36), (wide * 0.80, 0.02), (0.20, 0.20), (0.0, 0.22)]
    canvas.fill(curve(mirrored(flap)), look.cloth, 0.45, edge=seam(look.colour))
    canvas.fill(curve(mirrored([(0.05, 0.12), (0.05, 0.12), (0.05, 0.28), (0.05, 0.28)])), solid(_BRASS), 0.3)
    for side in (-1, 1):
        canvas.disc((side * 0.40, -0.30), 5, _BRASS)
