"""A page of damaged queries with their five nearest products, right and wrong ones framed."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from lookalike.catalog.images import decode_photo
from lookalike.catalog.products import Catalogue
from lookalike.evaluation.measure import Measured
from lookalike.evaluation.truth import Truth

SHOWN = 5
"""Results per query."""

CELL = (96, 128)
"""Width and height of a photo on the sheet."""

GAP, FRAME, HEADER = 8, 4, 44
PAPER, INK = "#ffffff", "#222222"

LEGEND = {
    "same product": "#1b7f3b",
    "fine match": "#1f6fd6",
    "coarse match": "#e0a100",
    "wrong": "#c62828",
}
"""Frames by what the result is; the first that holds counts. Colours differ in lightness too."""


@dataclass(frozen=True)
class SheetRow:
    """One query and its results."""

    query: bytes
    results: tuple[bytes, ...]
    judgements: tuple[str, ...]
    """One key of LEGEND per result."""


def sheet_rows(catalogue: Catalogue, measured: Measured, truth: Truth, rows: int) -> list[SheetRow]:
    """The first `rows` queries, which the seed drew: none is picked for its looks."""
    ranked = measured.known.products[:rows, :SHOWN]  # (rows, SHOWN)
    contents = _main_contents(catalogue, np.unique(ranked[ranked >= 0]))
    photos = measured.queries.photos
    sheet = []
    for query, own, products in zip(photos.contents, photos.products, ranked, strict=False):
        found = [int(product) for product in products if product >= 0]
        judgements = tuple(judge(truth, int(own), product) for product in found)
        sheet.append(SheetRow(query, tuple(contents[product] for product in found), judgements))
    return sheet


def products_on_sheet(measured: Measured, rows: int) -> NDArray[np.int64]:
    """Catalogue rows of the products whose photos the sheet shows, asked with or found."""
    ranked = measured.known.products[:rows, :SHOWN]  # (rows, SHOWN)
    return np.unique(np.concatenate([ranked[ranked >= 0], measured.queries.photos.products[:rows]]))


def judge(truth: Truth, own: int, product: int) -> str:
    """What a result is to the query's product, as a key of LEGEND."""
    equal = (truth.codes[own] == truth.codes[product]) & (truth.codes[own] >= 0)  # (A,)
    if product == own:
        return "same product"
    if equal[list(truth.fine)].all():
        return "fine match"
    return "coarse match" if equal[list(truth.coarse)].all() else "wrong"


def draw_sheet(rows: Sequence[SheetRow]) -> Image.Image:
    """Draw the rows under a legend; RGB."""
    step = (CELL[0] + GAP, CELL[1] + GAP)
    sheet = Image.new("RGB", (step[0] * (SHOWN + 1) + 3 * GAP, HEADER + step[1] * len(rows) + GAP), PAPER)
    _draw_legend(sheet)
    for number, row in enumerate(rows):
        top = HEADER + number * step[1]
        _paste(sheet, row.query, (GAP, top), None)
        for place, (photo, judgement) in enumerate(zip(row.results, row.judgements, strict=True), 1):
            _paste(sheet, photo, (3 * GAP + place * step[0], top), LEGEND[judgement])
    return sheet


def downscaled_png(sheet: Image.Image, width: int) -> bytes:
    """The sheet as a PNG at most `width` pixels wide, 256 colours to keep a report light."""
    small = ImageOps.contain(sheet, (width, sheet.height)) if sheet.width > width else sheet
    encoded = BytesIO()
    small.quantize(256).save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def _draw_legend(sheet: Image.Image) -> None:
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    draw.text((GAP, 4), "query", INK, font)
    draw.text((3 * GAP + CELL[0] + GAP, 4), f"{SHOWN} nearest products, best first", INK, font)
    left = float(GAP)
    for name, colour in LEGEND.items():
        draw.rectangle((left, 25, left + 12, 37), outline=colour, width=FRAME)
        draw.text((left + 18, 22), name, INK, font)
        left += 34 + draw.textlength(name, font)


def _paste(sheet: Image.Image, content: bytes, corner: tuple[int, int], colour: str | None) -> None:
    photo = ImageOps.contain(decode_photo(content), (CELL[0] - 2 * FRAME, CELL[1] - 2 * FRAME))
    at = (corner[0] + (CELL[0] - photo.width) // 2, corner[1] + (CELL[1] - photo.height) // 2)
    sheet.paste(photo, at)
    if colour is not None:
        box = (corner[0], corner[1], corner[0] + CELL[0] - 1, corner[1] + CELL[1] - 1)
        ImageDraw.Draw(sheet).rectangle(box, outline=colour, width=FRAME)


def _main_contents(catalogue: Catalogue, rows: NDArray[np.int64]) -> dict[int, bytes]:
    """Main photo by product row."""
    main = catalogue.gallery_photos.drop_duplicates("product_id").set_index("product_id")["photo_id"]
    ids = main.loc[catalogue.products["product_id"].to_numpy()[rows]]
    contents = catalogue.photo_contents(list(ids))
    return {int(row): contents[photo] for row, photo in zip(rows, ids, strict=True)}
