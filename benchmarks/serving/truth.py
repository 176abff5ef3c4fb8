"""What the right answers are, release by release, and whether an answer is one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.serving.shop import Shop
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.features.feast import FeastLookup
from lookalike.index.choose import open_index
from lookalike.search.engine import SearchEngine, SearchLimits
from lookalike.search.query import SearchRequest

TOLERANCE = 5e-4
"""Between cosines of one photo embedded here and there: batches and thread counts change a sum's last bits."""
FARTHER = 3
"""Times as many answers are known as are asked for, since almost equal ones may change places."""


@dataclass(frozen=True)
class Truth:
    """Right answers by release and photo."""

    answers: Mapping[tuple[str, int], Mapping[str, Any]]
    """The plain JSON of answers with more hits than are asked for."""

    def wrong(self, photo: int, answer: Mapping[str, Any]) -> str:
        """What is wrong with an answer for that photo under the release it names; empty where nothing is."""
        known = self.answers.get((answer["release_id"], photo))
        if known is None:
            return f"release {answer['release_id'][:12]} is none of ours"
        if answer["model_fingerprint"] != known["model_fingerprint"]:
            return "the model is not that of the release it names"
        for name, seen in known["predicted"].items():
            told = answer["predicted"].get(name, {"value": None, "confidence": 0.0})
            if told["value"] != seen["value"] or abs(told["confidence"] - seen["confidence"]) > 10 * TOLERANCE:
                return f"{name} is predicted as {told}, not {seen}"
        return _wrong_hits(answer["hits"], known["hits"])


def full(answer: Mapping[str, Any]) -> bool:
    """Whether an answer has everything it could have: it is not degraded."""
    return not any(hit.get("features_absent") for hit in answer["hits"])


def known_answers(shop: Shop, photos: Sequence[bytes], k: int) -> Truth:
    """Every release's answers, from engines in this process over the shop's own parts."""
    limits, answers = SearchLimits(feature_deadline_seconds=60), dict[tuple[str, int], Mapping[str, Any]]()
    with open_index(shop.uri) as index:
        for release in shop.releases:
            embedder = OnnxEmbedder(shop.workspace.model_repository / release.model, threads=1)
            features = FeastLookup(shop.workspace.feature_store, release.feature_service)
            engine = SearchEngine(embedder, index, features, release, limits)
            for number, photo in enumerate(photos):
                answer = engine.search(SearchRequest(photo=photo, k=min(100, FARTHER * k)))
                answers[release.release_id, number] = answer.as_json()
    return Truth(answers)


def _wrong_hits(hits: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]]) -> str:
    products = {hit["product_id"]: hit for hit in known}
    if len({hit["product_id"] for hit in hits}) != len(hits) or not hits:
        return f"{len(hits)} hits, some of them twice"
    for place, (hit, right) in enumerate(zip(hits, known, strict=False)):
        ours = products.get(hit["product_id"])
        if ours is None or max(abs(hit["score"] - ours["score"]), abs(hit["score"] - right["score"])) > TOLERANCE:
            told = ", not ".join(f"{one['product_id']} with {one['score']}" for one in (hit, right))
            return f"place {place} is {told}"
        if hit["fields"] != ours["fields"] or hit.get("features", ours["features"]) != ours["features"]:
            return f"{hit['product_id']} has fields or features that it does not have"
    return ""
