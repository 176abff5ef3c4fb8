"""What an embedding that was interrupted had finished: its vectors and colours, a few batches to a piece.

A piece is a folder that is there whole or not at all. Pieces hold whole batches in the catalogue's order, so what is
left is cut into the same batches as before, and every picture is embedded in the company it would have had.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from lookalike.index.gallery import Gallery, load_gallery
from lookalike.storage import atomic_file, atomic_folder, remove_folder

BATCHES = 4
"""Batches per piece: a kill loses half a piece on average, 0.7 s of a thread at 256 photos a batch, and writing one
takes some hundredths of that."""
PHOTOS = "photos.parquet"


class Pieces:
    """The pieces in a folder, which need not be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> Gallery | None:
        """Everything finished so far; None where nothing is."""
        return join_galleries(map(load_gallery, self._places()))

    def photos(self, find: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """The photos whose vectors these are: what was found once, for of a large catalogue that takes seconds."""
        kept = self._folder / PHOTOS
        if not kept.is_file():
            with atomic_file(kept) as aside:
                find().to_parquet(aside, index=False)
        return pd.read_parquet(kept)

    def add(self, piece: Gallery) -> None:
        """Keep some more."""
        with atomic_folder(self._folder / f"{len(self._places()):06}") as aside:
            piece.save(aside)

    def clear(self) -> None:
        """Remove all of them: the whole is written."""
        if self._folder.is_dir():
            remove_folder(self._folder)

    def _places(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*"))


def join_galleries(galleries: Iterable[Gallery | None]) -> Gallery | None:
    """Those that there are, one after the other; None of none."""
    there = [gallery for gallery in galleries if gallery is not None]
    if len(there) < 2:
        return there[0] if there else None
    photos = pd.concat([gallery.photos for gallery in there], ignore_index=True)
    return Gallery(photos, np.concatenate([gallery.vectors for gallery in there]))
