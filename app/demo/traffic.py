"""Buyers for the demo: damaged photos of products the model never trained on, sent to the running service."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd

from lookalike.catalog.products import Catalogue
from lookalike.damage.profiles import damage_photo
from lookalike.errors import BackendUnavailable
from lookalike.progress import progress

K = 5
"""Results asked for."""


@dataclass(frozen=True)
class Query:
    """One buyer's photo and the product it shows."""

    product_id: str
    photo: bytes


@dataclass(frozen=True)
class Answered:
    """A query with the service's answer."""

    query: Query
    answer: dict[str, Any]
    milliseconds: float

    @property
    def products(self) -> list[str]:
        """Product ids, best first."""
        return [hit["product_id"] for hit in self.answer["hits"]]


def test_photos(catalogue: Catalogue, splits: Path) -> pd.DataFrame:
    """Photos of test products; other photos than the gallery's where the catalogue brought some."""
    split = pd.read_parquet(splits / "splits.parquet").set_index("product_id")["split"]
    photos = catalogue.photos[catalogue.photos["product_id"].map(split) == "test"]
    other = photos[photos["position"] < 0]
    return pd.concat([other, photos[photos["position"] >= 0]])


def draw_queries(catalogue: Catalogue, photos: pd.DataFrame, profile: str, count: int, seed: int) -> list[Query]:
    """`count` different test photos, each damaged by the profile; the seed decides which and how."""
    rng = np.random.default_rng(seed)
    chosen = photos.iloc[rng.permutation(len(photos))[:count]]
    contents = catalogue.photo_contents(list(chosen["photo_id"]))
    return [
        Query(product, damage_photo(contents[photo], profile, seed=seed * 1_000_003 + number))
        for number, (photo, product) in enumerate(zip(chosen["photo_id"], chosen["product_id"], strict=True))
    ]


def ask(url: str, queries: Sequence[Query], label: str) -> list[Answered]:
    """Send the queries one after the other over the v1 protocol. Raises BackendUnavailable when one fails."""
    with httpx.Client(base_url=url, timeout=30.0) as client:
        return [_ask_one(client, query) for query in progress(queries, label)]


def found_at(answered: Sequence[Answered], k: int) -> float:
    """Share of queries whose own product is among the first k (known-item recall@k)."""
    return float(np.mean([one.query.product_id in one.products[:k] for one in answered]))


def _ask_one(client: httpx.Client, query: Query) -> Answered:
    photo = base64.b64encode(query.photo).decode()
    started = time.perf_counter()
    reply = client.post("/v1/models/lookalike:predict", json={"instances": [{"image": {"b64": photo}, "k": K}]})
    milliseconds = 1000 * (time.perf_counter() - started)
    if reply.status_code != 200:
        raise BackendUnavailable(f"the service answered {reply.status_code}: {reply.text[:300]}")
    return Answered(query, reply.json()["predictions"][0], milliseconds)
