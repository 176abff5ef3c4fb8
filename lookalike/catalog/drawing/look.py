"""What a drawn product looks like: its true attributes and the small choices of its design."""

from dataclasses import dataclass

from lookalike.catalog.drawing.palette import RGB, Cloth


@dataclass(frozen=True)
class Look:
    """All that the drawing functions need."""

    type: str
    colour: RGB
    cloth: Cloth
    """Cut to shape by the drawing functions."""
    sleeve: str | None
    """"sleeveless", "short" or "long"; None where there are no arms."""
    neckline: str | None
    """"crew", "v-neck", "collar" or "hooded"; None where there is no neck."""
    gender: str | None
    """"women" has a waist; None where nothing shows it."""
    length: float
    """0..1, the design's own length."""
    width: float
    """0..1, the design's own fullness."""
