"""A tiny gallery whose answers can be seen."""

import numpy as np
from numpy.typing import NDArray

from lookalike.index.protocol import CollectionInfo, GalleryBatch

FIELDS = ("vertical", "colour")
VALUES = ["red", "Red", "rosé", "2010", "2012", '"', "\\", "日本"]


def info(name: str = "shoes", model: str = "model-a", dimension: int = 4) -> CollectionInfo:
    return CollectionInfo(name, f"release-of-{name}", model, dimension, FIELDS)


def unit(rows: list[list[float]]) -> NDArray[np.float32]:
    vectors = np.array(rows, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def axis(number: int) -> NDArray[np.float32]:
    """(1, 4) query along one axis."""
    return np.eye(4, dtype=np.float32)[[number]]


def gallery() -> GalleryBatch:
    """Five photos of four products; photos c/0 and a/0 are the same picture, d's colour is unknown."""
    return GalleryBatch(
        photo_ids=["c/0", "a/0", "a/1", "b/0", "d/0"],
        product_ids=["c", "a", "a", "b", "d"],
        vectors=unit([[1, 0, 0, 0], [1, 0, 0, 0], [0.8, 0.6, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]),
        fields={"vertical": ["shoe"] * 5, "colour": ["red", "blue", "blue", "red", None]},
    )


def random_gallery(count: int, dimension: int = 4, seed: int = 0) -> GalleryBatch:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((count, dimension)).astype(np.float32)
    colours = [("red", "blue", "green", None)[pick] for pick in random.integers(4, size=count)]
    return GalleryBatch(
        photo_ids=[f"p{i:03}/0" for i in range(count)],
        product_ids=[f"p{i:03}" for i in range(count)],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        fields={"vertical": [f"v{i % 3}" for i in range(count)], "colour": colours},
    )


def every_value() -> GalleryBatch:
    """A photo of three verticals with every colour and with none; the stored order is that by nearness to axis 0."""
    pairs = [(vertical, colour) for vertical in VALUES[:3] for colour in [*VALUES, None]]
    names = [f"{i:02}/0" for i in range(len(pairs))]
    vectors = unit([[1, i / 100, 0, 0] for i in range(len(pairs))])
    return GalleryBatch(names, names, vectors, {"vertical": [v for v, _ in pairs], "colour": [c for _, c in pairs]})
