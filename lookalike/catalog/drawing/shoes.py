"""Single shoes from the side, toe to the right."""

from lookalike.catalog.drawing.canvas import Canvas, Point, curve, seam, solid
from lookalike.catalog.drawing.look import Look
from lookalike.catalog.drawing.palette import RGB, shaded

_RUBBER: RGB = (232, 230, 224)
_LEATHER: RGB = (92, 64, 46)


def draw_sneaker(canvas: Canvas, look: Look) -> None:
    """Low canvas shoe with a pale sole, a toe cap and laces."""
    high = -0.28 - 0.22 * look.length
    upper: list[Point] = [(-0.82, 0.30), (-0.82, 0.30), (-0.84, high), (-0.84, high), (-0.30, high + 0.06)]
    upper += [(-0.24, high + 0.08), (0.10, 0.02), (0.62, 0.12), (0.86, 0.30), (0.86, 0.30)]
    canvas.fill(curve(upper), look.cloth, edge=seam(look.colour))
    canvas.fill(curve([(0.50, 0.12), (0.70, 0.12), (0.88, 0.32), (0.52, 0.32)]), solid(_RUBBER), 0.3)
    thick = 0.42 + 0.10 * look.width
    sole: list[Point] = [(-0.88, 0.28), (-0.88, 0.28), (0.90, 0.28), (0.90, 0.28), (0.90, thick), (-0.86, thick)]
    canvas.fill(curve(sole), solid(_RUBBER), 0.25, edge=shaded(_RUBBER, 0.7))
    for step in range(4):
        x, y = -0.18 + 0.13 * step, high + 0.16 + (0.02 - high) * 0.27 * step
        canvas.line([(x - 0.07, y + 0.08), (x + 0.06, y - 0.06)], _RUBBER, 4)


def draw_boot(canvas: Canvas, look: Look) -> None:
    """A shaft to the ankle or calf over a heeled sole."""
    high = -0.62 - 0.42 * look.length
    wide = 0.08 * look.width
    upper: list[Point] = [(-0.60 - wide, 0.42), (-0.60, 0.42), (-0.56 - wide, high), (-0.56 - wide, high)]
    upper += [
        (0.02 + wide, high),
        (0.02 + wide, high),
        (0.04, -0.05),
        (0.40, 0.08),
        (0.72, 0.24),
        (0.78, 0.42),
        (0.78, 0.42),
    ]
    canvas.fill(curve(upper), look.cloth, edge=seam(look.colour))
    sole: list[Point] = [(-0.64, 0.40), (-0.64, 0.40), (0.82, 0.40), (0.82, 0.40), (0.80, 0.50), (-0.22, 0.50)]
    canvas.fill([*sole, (-0.24, 0.62), (-0.64, 0.62)], solid(shaded(_LEATHER, 0.6)), 0.2)
    canvas.line([(-0.56, high + 0.10), (0.03, high + 0.10)], seam(look.colour), 2)
    canvas.line(curve([(-0.26, high + 0.12), (-0.22, -0.2), (-0.28, 0.36)], closed=False), seam(look.colour), 2)


def draw_sandal(canvas: Canvas, look: Look) -> None:
    """A flat sole with two or three straps."""
    sole: list[Point] = [
        (-0.86, 0.30),
        (-0.40, 0.32),
        (0.10, 0.40),
        (0.60, 0.34),
        (0.88, 0.36),
        (0.86, 0.50),
        (-0.84, 0.50),
    ]
    canvas.fill(curve(sole), solid(_LEATHER), 0.3, edge=shaded(_LEATHER, 0.6))
    canvas.fill(curve([(0.22, 0.40), (0.34, 0.08), (0.56, 0.10), (0.72, 0.38)]), look.cloth, edge=seam(look.colour))
    if look.width > 0.5:
        canvas.fill(curve([(-0.12, 0.38), (0.02, 0.0), (0.18, 0.02), (0.12, 0.40)]), look.cloth, edge=seam(look.colour))
    strap: list[Point] = [
        (-0.80, 0.30),
        (-0.74, -0.14),
        (-0.30, -0.06 - 0.14 * look.length),
        (-0.20, 0.34),
        (-0.34, 0.32),
    ]
    canvas.fill(curve([*strap, (-0.42, 0.08), (-0.66, 0.02), (-0.68, 0.30)]), look.cloth, edge=seam(look.colour))
    canvas.disc((-0.34, 0.02), 5, (206, 176, 96))


def draw_heel(canvas: Canvas, look: Look) -> None:
    """A pump on a high heel."""
    high = 0.06 + 0.30 * look.length  # how far the heel lifts the foot
    upper: list[Point] = [(-0.76, 0.08 - high), (-0.78, -0.18 - high), (-0.70, -0.24 - high), (-0.40, 0.0 - high * 0.4)]
    upper += [
        (0.10, 0.20),
        (0.38, 0.18),
        (0.66, 0.34),
        (0.90, 0.50),
        (0.90, 0.50),
        (0.40, 0.52),
        (0.10, 0.50),
        (-0.36, 0.22),
    ]
    heel: list[Point] = [(-0.76, 0.04 - high), (-0.50, 0.12 - high * 0.6), (-0.62, 0.56), (-0.72, 0.56)]
    canvas.fill(heel, solid(shaded(look.colour, 0.8)), 0.2, edge=seam(look.colour))
    canvas.fill(curve(upper), look.cloth, edge=seam(look.colour))
    canvas.line(
        curve([(-0.60, 0.10 - high), (-0.30, 0.27), (0.12, 0.53), (0.88, 0.54)], closed=False), shaded(_LEATHER, 0.6), 4
    )
    if look.width > 0.5:
        strap: list[Point] = [(-0.56, -0.12 - high), (-0.20, -0.30 - high * 0.4), (0.02, 0.16)]
        canvas.line(curve(strap, closed=False), look.colour, 7)
