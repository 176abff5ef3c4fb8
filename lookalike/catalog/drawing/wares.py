"""What the drawn shop sells: its types, and the designs drawn at random from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lookalike.catalog.drawing.bags import draw_backpack, draw_handbag, draw_tote
from lookalike.catalog.drawing.canvas import SIZE, Canvas
from lookalike.catalog.drawing.garments import draw_dress, draw_skirt, draw_top, draw_trousers
from lookalike.catalog.drawing.look import Look
from lookalike.catalog.drawing.palette import COLOURS, PATTERNS, print_cloth
from lookalike.catalog.drawing.shoes import draw_boot, draw_heel, draw_sandal, draw_sneaker

Choice = TypeVar("Choice")

BRANDS = ("Norrby", "Halden", "Mirelle", "Oakbay", "Tamsin", "Quillon", "Verano", "Petrova")

_FIRST = (
    *("Alma", "Bruno", "Calla", "Dario", "Edda", "Fenna", "Gala", "Hugo", "Iris", "Juno"),
    *("Kaia", "Lino", "Mara", "Nilo", "Opal", "Pia", "Runa", "Saga", "Tova", "Vera"),
)
_SECOND = (
    *("Bay", "Brook", "Cove", "Crest", "Dale", "Dune", "Elm", "Fern", "Field", "Glen"),
    *("Grove", "Haven", "Lane", "Moss", "Peak", "Reef", "Ridge", "Shore", "Vale", "Wood"),
)

_COLOUR_WEIGHTS = (18, 14, 9, 12, 11, 9, 8, 6, 7, 6)  # in the order of COLOURS: black sells most
_PATTERN_WEIGHTS = {"garments": (52, 20, 14, 14), "bags": (70, 12, 10, 8), "shoes": (84, 6, 6, 4)}


@dataclass(frozen=True)
class Ware:
    """One product type of the shop."""

    vertical: str
    draw: Callable[[Canvas, Look], None]
    share: int
    """How much of the shop it is, relative to the others."""
    price: float
    """Middle of its prices."""
    sleeves: tuple[str | None, ...] = (None,)
    necklines: tuple[str | None, ...] = (None,)
    genders: tuple[str | None, ...] = (None,)


_BOTH: tuple[str | None, ...] = ("women", "men")
_WOMEN: tuple[str | None, ...] = ("women",)

WARES = {
    "t-shirt": Ware("garments", draw_top, 16, 18, ("short", "short", "long", "sleeveless"), ("crew", "v-neck"), _BOTH),
    "shirt": Ware("garments", draw_top, 12, 39, ("long", "long", "short"), ("collar",), _BOTH),
    "sweater": Ware("garments", draw_top, 8, 49, ("long",), ("crew", "v-neck"), _BOTH),
    "hoodie": Ware("garments", draw_top, 5, 45, ("long",), ("hooded",), _BOTH),
    "dress": Ware("garments", draw_dress, 12, 59, ("sleeveless", "short", "long"), ("crew", "v-neck"), _WOMEN),
    "skirt": Ware("garments", draw_skirt, 6, 35, genders=_WOMEN),
    "trousers": Ware("garments", draw_trousers, 9, 55, genders=_BOTH),
    "shorts": Ware("garments", draw_trousers, 5, 29, genders=_BOTH),
    "sneaker": Ware("shoes", draw_sneaker, 8, 69),
    "boot": Ware("shoes", draw_boot, 5, 110),
    "sandal": Ware("shoes", draw_sandal, 4, 42),
    "heel": Ware("shoes", draw_heel, 4, 79),
    "handbag": Ware("bags", draw_handbag, 4, 89),
    "tote": Ware("bags", draw_tote, 3, 32),
    "backpack": Ware("bags", draw_backpack, 3, 65),
}
"""Product types by the word the catalogue uses."""


@dataclass(frozen=True)
class Design:
    """One design, sold in one or more colours."""

    name: str
    """Brand and name; no two designs share it."""
    type: str
    pattern: str
    sleeve: str | None
    neckline: str | None
    gender: str | None
    season: str
    length: float
    width: float
    scale: float
    """Pitch of the print, in canvas pixels."""
    price: float
    colours: tuple[str, ...]

    @property
    def vertical(self) -> str:
        return WARES[self.type].vertical


def draw_design(number: int, rng: np.random.Generator) -> Design:
    """The number-th design of a shop."""
    kind = str(_pick(list(WARES), [ware.share for ware in WARES.values()], rng))
    ware = WARES[kind]
    pattern = _pick(list(PATTERNS), _PATTERN_WEIGHTS[ware.vertical], rng)
    sleeve = ware.sleeves[rng.integers(len(ware.sleeves))]
    colours = rng.choice(list(COLOURS), _pick([1, 2, 3], (55, 30, 15), rng), replace=False, p=_shares(_COLOUR_WEIGHTS))
    return Design(
        name=_name(number),
        type=kind,
        pattern=pattern,
        sleeve=sleeve,
        neckline=ware.necklines[rng.integers(len(ware.necklines))],
        gender=ware.genders[rng.integers(len(ware.genders))],
        season=_season(kind, sleeve, rng),
        length=float(rng.random()),
        width=float(rng.random()),
        scale=float(rng.uniform(17, 34)),
        price=round(ware.price * float(rng.lognormal(0, 0.25)), 2),
        colours=tuple(str(colour) for colour in colours),
    )


def draw_product(design: Design, colour: str, rng: np.random.Generator) -> Canvas:
    """A design in one of its colours, on a transparent sheet."""
    canvas = Canvas(rng)
    cloth = print_cloth(SIZE, COLOURS[colour], design.pattern, design.scale)
    shape = (design.sleeve, design.neckline, design.gender, design.length, design.width)
    WARES[design.type].draw(canvas, Look(design.type, COLOURS[colour], cloth, *shape))
    return canvas


def title(design: Design, colour: str) -> str:
    """As shops write them: brand, name, whom it is for, colour, print, type."""
    words = [design.name, design.gender or "", colour, "" if design.pattern == "plain" else design.pattern, design.type]
    return " ".join(word.capitalize() if word.islower() else word for word in words if word)


def _name(number: int) -> str:
    pairs = len(_FIRST) * len(_SECOND)
    spread = (number * 7) % pairs  # 7 shares no factor with 400: neighbours differ, none repeats
    repeat = f" {number // pairs + 1}" if number >= pairs else ""
    return f"{BRANDS[number % len(BRANDS)]} {_FIRST[spread % 20]} {_SECOND[spread // 20]}{repeat}"


def _season(kind: str, sleeve: str | None, rng: np.random.Generator) -> str:
    """Mostly what one would guess from the cut; a fifth of the labels follows the buyer's mood."""
    if rng.random() < 0.2:
        return str(rng.choice(["summer", "winter"]))
    warm = sleeve == "long" or kind in ("trousers", "boot", "backpack", "handbag")
    return "winter" if warm else "summer"


def _pick(choices: Sequence[Choice], weights: Sequence[int], rng: np.random.Generator) -> Choice:
    return choices[int(rng.choice(len(choices), p=_shares(weights)))]


def _shares(weights: Sequence[int]) -> np.ndarray:
    return np.array(weights) / sum(weights)
