"""Embed the photos of a catalogue's gallery, each picture once, and note its colours while its pixels are there."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lookalike.catalog.colours import colour_histogram, histogram_text
from lookalike.catalog.group_fields import COLOURS
from lookalike.catalog.products import Catalogue
from lookalike.embedders.protocol import Embedder
from lookalike.index.gallery import GALLERY_COLUMNS, Gallery
from lookalike.index.pieces import BATCHES, Pieces, join_galleries
from lookalike.progress import progress


def embed_gallery(
    catalogue: Catalogue,
    embedder: Embedder,
    batch: int,
    known: Gallery | None = None,
    pieces: Pieces | None = None,
) -> tuple[Gallery, int]:
    """Embed the pictures whose bytes are not in `known` (vectors of the same model); returns how many those were.

    Photos of the same bytes share one vector, that of the first. A picture whose colours alone are unknown is only
    looked at again. What an interrupted run left in `pieces` is known, too, and they get what is embedded now.
    """
    known = join_galleries([known, pieces.load() if pieces else None])
    photos = catalogue.gallery_photos[GALLERY_COLUMNS].reset_index(drop=True)
    pictures = photos.drop_duplicates("sha256")  # M of the N photos
    vectors, colours, unseen = _recalled(pictures["sha256"], known, embedder.identity.dimension)
    wanted = {photo: row for row, photo in enumerate(pictures["photo_id"]) if unseen[row] or colours[row] is None}
    total, since = -(-len(wanted) // batch), list[NDArray[np.int64]]()
    for some in progress(_batches(catalogue.stream_contents(wanted), batch), "embedding photos", total=total):
        rows = np.array([wanted[photo] for photo, _ in some])  # (B,)
        pixels = embedder.identity.preprocessing.batch([content for _, content in some])  # (B, H, W, 3)
        colours[rows] = [histogram_text(colour_histogram(photo)) for photo in pixels]
        new = unseen[rows]
        if new.any():
            vectors[rows[new]] = embedder.embed(pixels[new]).vectors
        since.append(rows)
        if pieces and len(since) == BATCHES:
            done = np.concatenate(since)
            pieces.add(Gallery(pictures.iloc[done].assign(**{COLOURS: colours[done]}), vectors[done]))
            since.clear()
    places = pd.Index(pictures["sha256"]).get_indexer(pd.Index(photos["sha256"]))  # (N,)
    return Gallery(photos.assign(**{COLOURS: colours[places]}), vectors[places]), int(unseen.sum())


def _recalled(
    pictures: "pd.Series[str]", known: Gallery | None, dimension: int
) -> tuple[NDArray[np.float32], NDArray[np.object_], NDArray[np.bool_]]:
    """(M, D) vectors and (M,) colours as far as they are known, and (M,) true where the vector is not."""
    colours = np.full(len(pictures), None, dtype=object)
    if known is None or not len(known.photos):
        return np.zeros((len(pictures), dimension), dtype=np.float32), colours, np.ones(len(pictures), dtype=bool)
    first = np.flatnonzero(~known.photos["sha256"].duplicated().to_numpy())
    rows = pd.Index(known.photos["sha256"].to_numpy()[first]).get_indexer(pd.Index(pictures))  # (M,), -1 where unknown
    found = rows >= 0
    vectors = known.vectors[first[rows]]  # where it is not known, one that will be written over
    if COLOURS in known.photos:
        colours[found] = known.photos[COLOURS].to_numpy()[first[rows[found]]]
    return vectors, colours, ~found


def _batches(photos: Iterable[tuple[str, bytes]], size: int) -> Iterator[list[tuple[str, bytes]]]:
    some: list[tuple[str, bytes]] = []
    for photo in photos:
        some.append(photo)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some
