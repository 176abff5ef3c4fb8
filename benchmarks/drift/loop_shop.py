"""The drawn sample shop trained, released and served as a person would, and its watch as a schedule runs it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from app.demo.loop import forget_served
from app.demo.plan import ORDINARY, SHIFTED
from app.demo.service import running_service
from app.demo.traffic import draw_queries, test_photos
from app.local_runner import PipelineRun
from app.local_services import milvus_for
from app.pipeline_runs import run_here, shared_arguments
from app.recipes import resolve_recipe
from lookalike import stages
from lookalike.catalog.products import load_catalogue
from lookalike.errors import PipelineError, ReleaseError
from lookalike.storage import atomic_file
from lookalike.workspace import Workspace
from pipelines.training import training

RECIPE = "sample_cpu"
PHOTOS = 700
"""Different photos of either kind of traffic; more than a window has."""


@dataclass(frozen=True)
class Buyers:
    """What shoppers ask with."""

    ordinary: list[bytes]
    shifted: list[bytes]
    products: list[str]
    kinds: dict[str, str]
    """Product to what a shopper looks for: its kind and colour."""


@dataclass
class Watched:
    """What one scheduled watch said and when."""

    began: float
    """`time.monotonic`."""
    ended: float
    said: list[str] = field(default_factory=list)

    @property
    def started_a_run(self) -> bool:
        return any(line.startswith("  run ") for line in self.said)


@dataclass(frozen=True)
class LoopShop:
    """One workspace with a trained release, and how it is watched."""

    place: Workspace
    catalogue: str
    trained: PipelineRun
    milvus_uri: str
    settings: dict[str, Any]

    def buyers(self, seed: int) -> Buyers:
        """Photos of test products, damaged as the release knows them and as it does not; products to ask with."""
        catalogue = load_catalogue(self.trained.outputs["validated"])
        photos = test_photos(catalogue, self.trained.outputs["splits"])
        drawn = {
            profile: [
                query.photo
                for part in range(-(-PHOTOS // len(photos)))
                for query in draw_queries(catalogue, photos, profile, PHOTOS, seed=1000 * seed + 10 * part + number)
            ][:PHOTOS]
            for number, profile in enumerate((ORDINARY, SHIFTED))
        }
        products = catalogue.products
        alike = [f"attribute_{name}" for name in catalogue.mapping.alike.coarse]
        kinds = products[alike].astype(str).agg(" ".join, axis=1)
        ids = products["product_id"].tolist()
        return Buyers(drawn[ORDINARY], drawn[SHIFTED], ids, dict(zip(ids, kinds, strict=True)))

    def release(self) -> str:
        return stages.champion(str(self.place.root))

    @contextmanager
    def served(self) -> Iterator[str]:
        with running_service(self.place, self.milvus_uri) as url:
            yield url

    def watch(self) -> Watched:
        """`lookalike watch`, in a process of its own; a run that it starts has ended when this returns.

        Raises PipelineError where it failed.
        """
        began, log = time.monotonic(), self.place.logs / "watches.log"
        done = subprocess.run(self._command(), capture_output=True, text=True, check=False)
        with log.open("a", encoding="utf-8") as file:
            file.write(done.stdout + done.stderr)
        if done.returncode != 0:
            raise PipelineError(f"the watch failed: {done.stderr.strip()[-500:]} (log: {log})")
        return Watched(began, time.monotonic(), done.stdout.splitlines())

    def _command(self) -> list[str]:
        places = ["--workspace", str(self.place.root), "--catalogue", self.catalogue, "--milvus", self.milvus_uri]
        files = ["--recipe", str(self.place.root / "retrain.yaml"), "--settings", str(self.place.root / "watch.yaml")]
        return [sys.executable, "-m", "app", "watch", *places, *files]


@contextmanager
def prepared(root: Path, products: int, epochs: int, seed: int, settings: dict[str, Any]) -> Iterator[LoopShop]:
    """A shop drawn by the seed and released by the training pipeline, which takes from its cache what was made before.

    Milvus Lite runs until the context ends. Raises ReleaseError where the gate held the first model back.
    """
    place = Workspace(root.resolve())
    forget_served(place)
    catalogue = str(place.drawn_shop)
    stages.draw(catalogue, products=products, seed=seed)
    recipe = resolve_recipe(RECIPE, epochs=epochs).settings
    _write(place.root / "retrain.yaml", {**recipe, "epochs": max(1, recipe["epochs"] // 4)})
    _write(place.root / "watch.yaml", settings)
    with milvus_for(place) as uri:
        arguments = shared_arguments(place, catalogue, "", 0, uri, settings)
        trained = run_here(place, training, {**arguments, "recipe": json.dumps(recipe)}, lambda _: None)
        shop = LoopShop(place, catalogue, trained, uri, settings)
        if not shop.release():
            raise ReleaseError(f"the gate held the first model of {place.root} back; see its evaluation")
        yield shop


def _write(path: Path, values: dict[str, Any]) -> None:
    with atomic_file(path) as aside:
        aside.write_text(yaml.safe_dump(values), encoding="utf-8")
