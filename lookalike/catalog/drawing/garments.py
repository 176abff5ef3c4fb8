"""Tops, dresses, skirts and trousers, laid flat."""

from collections.abc import Sequence

from lookalike.catalog.drawing.canvas import Canvas, Point, curve, mirrored, seam, solid
from lookalike.catalog.drawing.look import Look
from lookalike.catalog.drawing.palette import shaded


def draw_top(canvas: Canvas, look: Look) -> None:
    """T-shirt, shirt, sweater or hoodie: sleeves and neckline as the look says, women's cut at the waist."""
    length = 0.86 + 0.16 * look.length
    _sleeves(canvas, look)
    body = [(0.24, -0.98), (0.24, -0.98), (0.60, -0.84), (0.60, -0.84), (0.53, -0.42)]
    body += [(_waist(look), 0.15), (0.54, length), (0.54, length)]
    outline = curve(mirrored(body))
    if look.neckline == "hooded":
        canvas.fill(curve(mirrored([(0.0, -1.22), (0.30, -1.12), (0.40, -0.80), (0.18, -0.62)])), look.cloth, 0.45)
    canvas.fill(outline, look.cloth, edge=seam(look.colour))
    _neck(canvas, look)
    if look.type == "shirt":
        _placket(canvas, look, length)
    if look.type in ("sweater", "hoodie"):
        _ribs(canvas, look, length)
    if look.type == "hoodie":
        pocket = mirrored([(0.24, 0.30), (0.24, 0.30), (0.36, 0.62), (0.36, 0.62)])
        canvas.fill(curve(pocket), look.cloth, 0.2, edge=seam(look.colour))


def draw_dress(canvas: Canvas, look: Look) -> None:
    """A fitted bodice and a skirt that flares."""
    hem, flare = 0.85 + 0.32 * look.length, 0.55 + 0.28 * look.width
    _sleeves(canvas, look)
    half = [(0.22, -1.05), (0.22, -1.05), (0.50, -0.94), (0.50, -0.94), (0.44, -0.55), (0.34, -0.12)]
    half += [(flare * 0.75, hem * 0.55), (flare, hem), (flare, hem), (0.0, hem + 0.05)]
    canvas.fill(curve(mirrored(half)), look.cloth, edge=seam(look.colour))
    canvas.line(curve([(-0.34, -0.12), (0.0, -0.08), (0.34, -0.12)], closed=False), seam(look.colour), 3)
    _pleats(canvas, look, (0.30, -0.05), (flare * 0.8, hem - 0.04))
    _neck(canvas, look, top=-1.05)


def draw_skirt(canvas: Canvas, look: Look) -> None:
    """A waistband and a flaring skirt."""
    hem, flare = 0.45 + 0.50 * look.length, 0.52 + 0.34 * look.width
    half = [(0.38, -0.68), (0.38, -0.68), (flare * 0.86, hem * 0.3), (flare, hem), (flare, hem), (0.0, hem + 0.06)]
    canvas.fill(curve(mirrored(half)), look.cloth, edge=seam(look.colour))
    band = mirrored([(0.37, -0.80), (0.37, -0.80), (0.39, -0.66), (0.39, -0.66)])
    canvas.fill(curve(band), solid(shaded(look.colour, 0.85)), 0.2)
    _pleats(canvas, look, (0.30, -0.60), (flare * 0.82, hem - 0.04))


def draw_trousers(canvas: Canvas, look: Look) -> None:
    """Trousers or shorts: two legs below a waistband."""
    short = look.type == "shorts"
    crotch = 0.60 if short else 0.86
    top = -0.62 if short else -1.14
    hem = top + ((1.0 + 0.24 * look.length) if short else (2.16 + 0.20 * look.length))
    leg = (0.26 if short else 0.14) + 0.10 * look.width
    hip = 0.44 if look.gender == "women" else 0.47
    outer = 0.34 + 0.4 * leg
    half = [
        (0.36, top + 0.06),
        (0.36, top + 0.06),
        (hip, top + 0.52),
        (outer + leg * 0.3, hem),
        (outer + leg * 0.3, hem),
    ]
    half += [(outer - leg * 0.9, hem), (outer - leg * 0.9, hem), (0.015, top + crotch), (0.015, top + crotch)]
    canvas.fill(curve(mirrored(half)), look.cloth, edge=seam(look.colour))
    band = mirrored([(0.36, top), (0.36, top), (0.37, top + 0.14), (0.37, top + 0.14)])
    canvas.fill(curve(band), solid(shaded(look.colour, 0.86)), 0.2)
    canvas.line([(0.0, top + 0.14), (0.0, top + crotch - 0.02)], seam(look.colour), 2)
    for side in (-1, 1):
        pocket: list[Point] = [(side * 0.24, top + 0.16), (side * 0.30, top + 0.30), (side * 0.42, top + 0.36)]
        canvas.line(curve(pocket, closed=False), seam(look.colour), 2)
    canvas.disc((0.0, top + 0.07), 3, seam(look.colour))


def _waist(look: Look) -> float:
    return (0.40 if look.gender == "women" else 0.52) + 0.04 * look.width


def _sleeves(canvas: Canvas, look: Look) -> None:
    arm: Sequence[Point]
    if look.sleeve == "short":
        arm = [(0.46, -0.92), (0.62, -0.84), (0.94, -0.42), (0.94, -0.42), (0.68, -0.26), (0.68, -0.26), (0.48, -0.45)]
    elif look.sleeve == "long":
        arm = [
            (0.48, -0.80),
            (0.60, -0.84),
            (0.60, -0.84),
            (0.80, -0.20),
            (0.96, 0.56),
            (0.96, 0.56),
            (0.76, 0.62),
            (0.76, 0.62),
        ]
        arm = [*arm, (0.58, -0.05), (0.46, -0.40)]
    else:
        return
    for side in (-1, 1):
        canvas.fill(curve([(side * x, y) for x, y in arm]), look.cloth, 0.42, edge=seam(look.colour))


def _neck(canvas: Canvas, look: Look, top: float = -0.98) -> None:
    inside = solid(shaded(look.colour, 0.55 if sum(look.colour) > 150 else 1.7))
    wide = 0.25 if look.gender == "women" else 0.22
    if look.neckline == "v-neck":
        canvas.fill(mirrored([(wide, top - 0.01), (0.0, top + 0.42)]), inside, 0.2, edge=seam(look.colour))
    elif look.neckline == "collar":
        canvas.fill(mirrored([(0.20, top - 0.02), (0.0, top + 0.24)]), inside, 0.2)
        for side in (-1, 1):
            flap = [
                (side * 0.02, top + 0.22),
                (side * 0.24, top - 0.10),
                (side * 0.36, top + 0.12),
                (side * 0.20, top + 0.30),
            ]
            canvas.fill(flap, look.cloth, 0.3, edge=seam(look.colour))
    else:
        deep = 0.16 if look.neckline == "crew" else 0.10
        scoop = curve(
            [(wide, top - 0.02), (0.14, top + deep), (-0.14, top + deep), (-wide, top - 0.02), (0.0, top + 0.03)]
        )
        canvas.fill(scoop, inside, 0.2, edge=seam(look.colour))


def _placket(canvas: Canvas, look: Look, hem: float) -> None:
    canvas.line([(0.05, -0.74), (0.05, hem)], seam(look.colour), 2)
    for step in range(6):
        canvas.disc(
            (0.0, -0.64 + step * (hem + 0.50) / 6), 2.6, shaded(look.colour, 1.5 if sum(look.colour) < 400 else 0.6)
        )


def _ribs(canvas: Canvas, look: Look, hem: float) -> None:
    band = mirrored([(0.54, hem - 0.09), (0.54, hem - 0.09), (0.51, hem + 0.02), (0.51, hem + 0.02)])
    canvas.fill(curve(band), solid(shaded(look.colour, 0.88)), 0.2)
    for rib in range(-9, 10):
        canvas.line([(rib * 0.053, hem - 0.08), (rib * 0.053, hem)], seam(look.colour), 1)


def _pleats(canvas: Canvas, look: Look, top: Point, bottom: Point) -> None:
    for share in (-0.66, -0.22, 0.22, 0.66):
        canvas.line([(share * top[0], top[1]), (share * bottom[0], bottom[1])], shaded(look.colour, 0.8), 1.5)
