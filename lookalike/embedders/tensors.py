"""The tensors an embedder takes and gives, checked alike wherever the model runs."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.catalog.images import Preprocessing
from lookalike.embedders.protocol import Embeddings, ModelIdentity
from lookalike.errors import LookalikeError, QueryError

PIXELS = "pixels"
EMBEDDING = "embedding"
ATTRIBUTES = "attributes"

UNIT_TOLERANCE = 1e-3
"""Largest distance of a vector's length from 1; half precision on a GPU keeps well within it."""


def check_pixels(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> None:
    """Raise QueryError unless pixels is (B, H, W, 3) uint8 of the model's size, B >= 1."""
    wanted = (preprocessing.height, preprocessing.width, 3)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != wanted or len(pixels) == 0:
        raise QueryError(
            f"pixels are {pixels.dtype} of shape {pixels.shape}; the model takes uint8 of shape (B >= 1, {wanted})"
        )


def attribute_count(labels: Mapping[str, Sequence[str]]) -> int:
    """Sum of C over the attributes: the columns of the model's `attributes` output."""
    return sum(len(values) for values in labels.values())


def output_names(identity: ModelIdentity) -> list[str]:
    """The outputs to ask for; a model without attribute heads has no second one."""
    return [EMBEDDING, ATTRIBUTES] if identity.attribute_labels else [EMBEDDING]


def answer(
    vectors: NDArray[np.float32], probabilities: NDArray[np.float32] | None, identity: ModelIdentity, count: int
) -> Embeddings:
    """Check a model's two outputs for `count` photos and cut the second into attributes.

    A sick backend may answer with empty tensors or zeros while it calls itself ready: LookalikeError then.
    """
    labels = identity.attribute_labels
    wanted = (count, attribute_count(labels))
    if probabilities is None:
        probabilities = np.empty((count, 0), dtype=np.float32)
    if vectors.shape != (count, identity.dimension) or probabilities.shape != wanted:
        raise LookalikeError(
            f"the model answered with shapes {vectors.shape} and {probabilities.shape} for {count} photos; "
            f"expected {(count, identity.dimension)} and {wanted}"
        )
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(lengths - 1) <= UNIT_TOLERANCE):  # also false for NaN
        raise LookalikeError(f"the model answered with a vector of length {lengths.min():.4g}; expected unit length")
    ends = np.cumsum([len(values) for values in labels.values()])[:-1]
    return Embeddings(vectors, dict(zip(labels, np.split(probabilities, ends, axis=1), strict=True)) if labels else {})


def in_batches(pixels: NDArray[np.uint8], size: int, embed: Callable[[NDArray[np.uint8]], Embeddings]) -> Embeddings:
    """Embed any B photos by calls of at most `size`."""
    if len(pixels) <= size:
        return embed(pixels)
    parts = [embed(pixels[start : start + size]) for start in range(0, len(pixels), size)]
    return Embeddings(
        np.concatenate([part.vectors for part in parts]),
        {name: np.concatenate([part.attributes[name] for part in parts]) for name in parts[0].attributes},
    )
