"""A mistake made by hand in a copy of an overlay, and what the checker says of it."""

import copy
from collections.abc import Callable

from typer.core import TyperGroup

from app.manifests.check import check
from app.manifests.reading import Document, by_name

Change = Callable[[dict[str, Document]], object]
"""What it does to the objects, by kind and name."""


def said_of(change: Change, documents: list[Document], root: TyperGroup) -> list[str]:
    """The findings' sentences; the documents stay as they are."""
    objects = by_name(copy.deepcopy(documents))
    change(objects)
    return [finding.what for finding in check([*objects.values()], root)]
