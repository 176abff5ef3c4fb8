"""Near-duplicate photos: the same picture sold twice, encoded or scaled differently."""

import faiss
import imagehash
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lookalike.config import StrictConfig

THUMBNAIL = 16
"""Side of the square RGB thumbnail that confirms a pair of hashes."""

_QUERIES = 4096  # hashes searched at once: bounds the candidate pairs held in memory


class NearDuplicateSettings(StrictConfig):
    """When two photos count as the same picture.

    A perceptual hash sees grey shapes only: on 40,578 fashion products, hashes within 4 bits alone chain
    7,320 products into one group, and colour variants fall together. So hashes only propose pairs and a
    16x16 RGB thumbnail confirms them. Of 2,687 photos delivered in a second encoding (225x300 against
    60x80), 99 % lie within 4 bits and 90 % below a difference of 0.10; with both, the largest group has
    29 products and 97 % of the pairs share their product type.
    """

    radius: int = Field(default=4, ge=0, le=16)
    """Largest Hamming distance between two 64-bit perceptual hashes."""
    difference: float = Field(default=0.10, ge=0)
    """Largest root-mean-square difference of the thumbnails, as a share of the plainer photo's contrast."""
    contrast: float = Field(default=4.0, ge=0)
    """Photos whose thumbnail deviates less than this from one flat colour (0..255) are never duplicates."""


def perceptual_hash(image: Image.Image) -> int:
    """64-bit pHash (DCT of a 32x32 grey image, against the median) of an RGB image."""
    return int.from_bytes(np.packbits(imagehash.phash(image).hash).tobytes(), "big")


def thumbnail(image: Image.Image) -> NDArray[np.uint8]:
    """(768,) uint8: the image shrunk to 16x16 RGB by averaging."""
    small = image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.uint8).reshape(-1)


def contrast(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N,) mean over channels of the standard deviation inside each thumbnail."""
    pixels = thumbnails.reshape(-1, THUMBNAIL**2, 3).astype(np.float32)  # (N, 256, 3)
    return pixels.std(axis=1).mean(axis=1)


def near_duplicate_groups(
    product_ids: NDArray[np.object_],
    hashes: NDArray[np.uint64],
    thumbnails: NDArray[np.uint8],
    settings: NearDuplicateSettings,
) -> pd.DataFrame:
    """Products that share a picture, from N photos: their ids, (N,) hashes and (N, 768) thumbnails.

    Returns product_id and group_id (the group's first id in text order), one row per product that has a
    near-duplicate, sorted by product_id.
    """
    usable = np.flatnonzero(contrast(thumbnails) >= settings.contrast)
    left, right = _pairs(hashes[usable], thumbnails[usable], settings)
    products, owner = np.unique(product_ids.astype(str), return_inverse=True)  # sorted, so the first is the smallest
    labels = components(len(products), owner[usable[left]], owner[usable[right]])
    sizes = np.bincount(labels, minlength=1)
    _, first = np.unique(labels, return_index=True)
    shared = sizes[labels] > 1
    return pd.DataFrame(
        {"product_id": products[shared].astype(object), "group_id": products[first[labels[shared]]].astype(object)}
    )


def components(count: int, left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.int32]:
    """(count,) labels of the connected components of an undirected graph given by its edges."""
    edges = coo_matrix((np.ones(len(left), dtype=bool), (left, right)), shape=(count, count))
    return connected_components(edges, directed=False)[1]


def _pairs(
    hashes: NDArray[np.uint64], thumbnails: NDArray[np.uint8], settings: NearDuplicateSettings
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of confirmed pairs; identical pictures are linked to their first, so a crowd costs no square."""
    keys = np.concatenate([hashes.reshape(-1, 1).view(np.uint8), thumbnails], axis=1)  # (N, 8 + 768)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    repeats = np.flatnonzero(first[inverse.reshape(-1)] != np.arange(len(keys)))
    left, right = [repeats], [first[inverse.reshape(-1)][repeats]]
    for near, far in _candidates(hashes[first], settings.radius):
        confirmed = _difference(thumbnails[first[near]], thumbnails[first[far]]) <= settings.difference
        left.append(first[near[confirmed]])
        right.append(first[far[confirmed]])
    return np.concatenate(left), np.concatenate(right)


def _candidates(hashes: NDArray[np.uint64], radius: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Pairs of indices, first below second, within the Hamming radius."""
    codes = np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 8)
    index = faiss.IndexBinaryFlat(64)
    index.add(codes)
    pairs = []
    for start in range(0, len(codes), _QUERIES):
        limits, _, found = index.range_search(codes[start : start + _QUERIES], radius + 1)  # strictly below
        query = start + np.repeat(
            np.arange(len(limits) - 1), limits[1:].astype(np.int64) - limits[:-1].astype(np.int64)
        )
        pairs.append((query[found > query], found[found > query]))
    return pairs


def _difference(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(P,) root-mean-square difference of thumbnail pairs over the smaller contrast."""
    apart = (left.astype(np.float32) - right.astype(np.float32)) ** 2  # (P, 768)
    return np.sqrt(apart.mean(axis=1)) / np.maximum(np.minimum(contrast(left), contrast(right)), 1e-6)
