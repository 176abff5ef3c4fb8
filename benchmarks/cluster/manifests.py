"""How many planted mistakes in the manifests the checker misses.

Every overlay is built and every field misspelt, given a wrong type, and so on, one at a time; a mistake is missed where
the checker finds nothing. Without the definitions of KServe's kinds (--schemas) their fields are those that we list.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from app.cli import app
from app.manifests.check import check
from app.manifests.reading import read_manifests
from app.manifests.schemas import read_definitions
from benchmarks.cluster.dangling import dangling, lost_objects
from benchmarks.cluster.planting import (
    Changes,
    Document,
    Plant,
    missing_secrets,
    mutable_tags,
    planted,
    roots,
    typos,
    wrong_types,
)
from benchmarks.results import Figure, record
from lookalike.errors import LookalikeError
from lookalike.progress import progress

OVERLAYS = Path("deploy/overlays")
COMMAND = "python -m benchmarks.cluster.manifests --schemas FOLDER"
QUICK = 20
SORTS: dict[str, Callable[[Document], Changes]] = {
    "typo field": typos,
    "wrong type": wrong_types,
    "dangling reference": dangling,
    "missing secret": missing_secrets,
    "root user": roots,
    "mutable tag": mutable_tags,
}


def plants(documents: Sequence[Document]) -> Iterator[Plant]:
    """Every mistake of every sort."""
    for sort, changes in SORTS.items():
        yield from planted(sort, changes, documents)
    yield from lost_objects(documents)


def sample(documents: Sequence[Document], each: int, seed: int) -> list[Plant]:
    """So many of each sort, or all of those that have fewer."""
    drawn, made = Random(seed), list(plants(documents))
    of_sort = [[plant for plant in made if plant.sort == sort] for sort in SORTS]
    return [plant for group in of_sort for plant in drawn.sample(group, min(each, len(group)))]


def missed(found: Sequence[Plant], definitions: Mapping[str, dict[str, Any]]) -> list[Plant]:
    """Those in which the checker finds nothing wrong."""
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    return [plant for plant in progress(found, "plants") if not check(plant.documents, command, definitions)]


def figures(made: Sequence[Plant], overlooked: Sequence[Plant], schemas: bool) -> dict[str, Figure]:
    """The figure, with the numbers of each sort in words."""
    counts = Counter(plant.sort for plant in made)
    lost = Counter(plant.sort for plant in overlooked)
    told = ", ".join(f"{sort} {lost[sort]} of {counts[sort]}" for sort in SORTS)
    held = "KServe's definition of InferenceService made strict" if schemas else "our own list of KServe's fields"
    how = f"mistakes planted one at a time in the built overlays, and those with no finding: {told}; held to {held}"
    return {
        "planted_mistakes_missed": Figure(
            value=float(len(overlooked)),
            unit="mistakes",
            how=how,
            command=COMMAND,
            goal="0",
            met=not overlooked,
            n=len(made),
        )
    }


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    arguments = _parser().parse_args()
    made: list[Plant] = []
    try:
        for overlay in sorted(OVERLAYS.iterdir()):
            documents = read_manifests(overlay)
            made += sample(documents, QUICK, seed=0) if arguments.quick else plants(documents)
        definitions = read_definitions(arguments.schemas) if arguments.schemas else {}
        overlooked = missed(made, definitions)
    except LookalikeError as error:
        sys.stderr.write(f"manifests: {error}\n")
        return 2
    for plant in overlooked:
        sys.stdout.write(f"missed {plant.sort}: {plant.where}\n")
    found = figures(made, overlooked, bool(arguments.schemas))
    with tempfile.TemporaryDirectory() as aside:
        record("cluster", found, **({"folder": Path(aside)} if arguments.quick else {}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.cluster.manifests", description=__doc__)
    parser.add_argument("--schemas", type=Path, help="folder with KServe's CustomResourceDefinitions [none]")
    parser.add_argument("--quick", action="store_true", help="a sample of each sort; nothing is recorded")
    return parser


if __name__ == "__main__":
    sys.exit(main())
