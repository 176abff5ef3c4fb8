"""A tiny shop brought into service by the verbs themselves, over faiss: what an operator would have to bring back."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.searching import search_photo
from lookalike.embedders.model_folder import load_model
from lookalike.release.manifest import require_live
from lookalike.workspace import Workspace
from tests.index.stages import drawn_photo, validated_folder
from tests.release.releasing import stage
from tests.release.tiny import exported

PRODUCTS = range(40)


@dataclass(frozen=True)
class FinishedShop:
    place: Workspace

    @property
    def milvus(self) -> str:
        return f"faiss://{self.place.root / 'faiss'}"

    @property
    def live(self) -> str:
        return require_live(self.place.releases).release_id

    def prepare(self) -> None:
        """Everything that comes before the index: a catalogue, an exported model, a gate that let it pass."""
        validated_folder(self.place.validated, PRODUCTS)
        shutil.copytree(exported(), self.place.exported)
        judged = {"models": {"challenger": load_model(exported()).fingerprint}}
        verdict = {"promote": True, "reasons": []}
        stage(self.place.evaluation, {"report.json": judged, "promotion.json": verdict, "reference.parquet": {}})

    def answers(self) -> list[Any]:
        """What shoppers see: photos with their own products, photos of nothing we sell, products."""
        asked = [{"photo": drawn_photo(number), "k": 5} for number in (0, 7, 500)]
        asked += [{"product_id": f"p{number:03}", "k": 5} for number in (3, 39)]
        return [
            (answer.release_id, answer.hits) for answer in (search_photo(self.place, self.milvus, a) for a in asked)
        ]


def lose(*places: Path) -> None:
    """Gone, and really gone."""
    for place in places:
        shutil.rmtree(place) if place.is_dir() else place.unlink()
