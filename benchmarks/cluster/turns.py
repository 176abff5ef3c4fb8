"""Runs of the pipelines one after another, with something changed between them, and what of it matters to a task."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.cluster.compiled import Argument, Output, Source

TABLE = "catalogue.parquet"
"""The drawn shop's."""
LENIENT = {"gate": {"minimum_fine_precision": 0.0, "minimum_coarse_precision": 0.0, "minimum_recall": 0.0}}
"""A model of two epochs is released, so that there is a champion from the second turn on."""
BASE: dict[str, dict[str, Any]] = {"evaluate": LENIENT, "index": {"batch": 64}}


@dataclass(frozen=True)
class Turn:
    """One run: what it is given, and what that means."""

    name: str
    pipeline: str
    catalogue: Path
    content: str
    """What the catalogue holds, in a word; the same word means the same content."""
    recipe: str
    learning: str
    """What the recipe says, in a word."""
    settings: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(BASE))

    def arguments(self, workspace: Path, milvus_uri: str) -> dict[str, Any]:
        """Of the pipeline."""
        shared = {"catalogue": str(self.catalogue), "workspace": str(workspace), "milvus_uri": milvus_uri}
        own = {"recipe": self.recipe} if self.pipeline == "training" else {"shards": 2}
        return {**shared, **own, "settings": self.settings}

    def meaning(self, source: Source, champion: str) -> str:
        """What a root of a task is in this turn, by what the turn says and not by what any task made of it."""
        if isinstance(source, Output):
            stage, chosen = source.key, self.settings
            of_stage = chosen.get("index", {}).get("batch") if stage == "embed" else chosen.get(stage)
            told = {"delivery": self.content, "recipe": self.learning, "encoder": ""}
            by_task = {"find-champion": champion, "collect-feedback": ""}
            return by_task.get(source.task, told.get(stage, json.dumps(of_stage, sort_keys=True)))
        assert isinstance(source, Argument)
        return {"shards": "2"}.get(source.name, "")  # no turn changes another argument of a cached task


def turns(folder: Path, recipe: str) -> Iterator[Turn]:
    """The turns over the drawn shop in `folder`/drawn; each is prepared when it is asked for."""
    drawn, moved, priced = folder / "drawn", folder / "elsewhere" / "shop", folder / "priced"
    first = Turn("first training", "training", drawn, "as drawn", recipe, "as given")
    yield first
    yield replace(first, name="submitted again, a champion in service")
    yield replace(first, name="submitted again")
    shutil.copytree(drawn, moved)
    for path in moved.rglob("*"):
        os.utime(path, (1, 1))
    yield replace(first, name="catalogue moved, its times changed", catalogue=moved)
    commented = "# another comment\n" + json.dumps(json.loads(recipe), indent=4)
    yield replace(first, name="recipe laid out anew", recipe=commented)
    fewer = {**BASE, "evaluate": {**LENIENT, "repeats": 200}}
    yield replace(first, name="a setting of the evaluation changed", settings=fewer)
    slower = json.dumps({**json.loads(recipe), "learning_rate": 0.002})
    yield replace(first, name="the learning rate changed", recipe=slower, learning="slower")
    change_one_product(drawn, priced)
    yield replace(first, name="one product changed", catalogue=priced, content="one price")
    yield replace(first, name="the product changed back")
    refresh = replace(first, name="first refresh", pipeline="refresh_index")
    yield refresh
    yield replace(refresh, name="refreshed again")
    looser = {**BASE, "index": {"batch": 64, "recall_queries": 30}, "features": {"batch": 100}}
    yield replace(refresh, name="settings of index and features changed", settings=looser)
    yield replace(refresh, name="photos embedded in other batches", settings={**BASE, "index": {"batch": 32}})
    yield replace(refresh, name="one product changed, refreshed", catalogue=priced, content="one price")


def change_one_product(source: Path, target: Path) -> None:
    """A copy of a drawn shop in which the first product costs one more."""
    shutil.copytree(source, target)
    table = pq.read_table(target / TABLE)
    prices = table["price"].to_pylist()
    changed = pa.array([prices[0] + 1, *prices[1:]], table.schema.field("price").type)
    pq.write_table(table.set_column(table.schema.get_field_index("price"), "price", changed), target / TABLE)
