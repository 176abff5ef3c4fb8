"""Trials kept one by one, so that an interrupted study goes on where it was."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lookalike.progress import progress
from lookalike.storage import digest_json

Outcome = dict[str, Any]
"""JSON."""


def collect(path: Path, asked: Any, numbers: Iterable[int], run: Callable[[int], Outcome], label: str) -> list[Outcome]:
    """Outcomes of the numbered trials; those in the file were made by the same settings and are not run again."""
    key = digest_json(asked)[:12]
    kept = {line["trial"]: line for line in _lines(path) if line["asked"] == key}
    path.parent.mkdir(parents=True, exist_ok=True)
    for number in progress([number for number in numbers if number not in kept], label):
        kept[number] = {"trial": number, "asked": key, **run(number)}
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(kept[number]) + "\n")
    return [kept[number] for number in numbers]


def _lines(path: Path) -> list[Outcome]:
    """Whole lines of the file; a last one that a kill cut off is taken out."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]
