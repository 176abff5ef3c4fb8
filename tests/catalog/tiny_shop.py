"""A shop small enough to read: a few products, photos drawn as coloured blocks."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from PIL import Image

MAPPING = {
    "id": "id",
    "image": ["photo"],
    "title": "title",
    "vertical": "vertical",
    "attributes": {"type": "type", "colour": "colour"},
    "features": {"price": "price"},
    "required": ["type"],
    "alike": {"coarse": ["type"], "fine": ["type", "colour"]},
}


def picture(seed: int, size: tuple[int, int] = (48, 64)) -> Image.Image:
    """A photo unlike that of any other seed: a coarse random pattern."""
    blocks = np.random.default_rng(seed).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The file of an image."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(seed: int) -> bytes:
    """A JPEG unlike that of any other seed."""
    return encoded(picture(seed), quality=92)


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A sound row; its title, type and colour depend on the number."""
    kind, colour = ("shoe", "bag")[number % 2], ("red", "blue", "green")[number % 3]
    sound = {
        "id": f"p{number:02d}",
        "photo": photo(number),
        "title": f"Model {number} {colour.title()} {kind}",
        "vertical": f"{kind}s",
        "type": kind,
        "colour": colour,
        "price": 10.0 + number,
    }
    return sound | changes


def rows(count: int) -> list[dict[str, Any]]:
    """Sound rows."""
    return [row(number) for number in range(count)]


def write_shop(folder: Path, lines: list[dict[str, Any]], **mapping: Any) -> str:
    """A catalogue folder of one parquet file and its mapping.yaml; returns its path as text."""
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(lines, columns=list(row(0))).to_parquet(folder / "catalogue.parquet")
    (folder / "mapping.yaml").write_text(yaml.safe_dump(MAPPING | mapping, sort_keys=False))
    return str(folder)
