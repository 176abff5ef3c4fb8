"""Reports that may name or show a product as an example: pages go whole, in findings its name alone is taken out."""

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

from lookalike.evaluation.outputs import PROMOTION
from lookalike.lifecycle.erase_rows import HITS
from lookalike.storage import read_json, write_json

PAGES = (".html", ".md")
"""Made anew by the stage that wrote them."""
FINDINGS = (PROMOTION, "drift.json")
"""Decided by, and kept: no other JSON tells of single products."""
ERASED = "(erased)"


def names_any(path: Path, product_ids: Sequence[str]) -> bool:
    """Whether a page or a finding names one of the products."""
    if path.suffix in PAGES:
        text = unescape(path.read_text(encoding="utf-8"))
        return any(re.search(rf"(?<![\w-]){re.escape(product)}(?![\w-])", text) for product in product_ids)
    if path.name in FINDINGS:
        found = read_json(path)
        return bool(unnamed(found, product_ids) != found)
    return False


def erase_words(path: Path, product_ids: Sequence[str]) -> None:
    """Remove a page; write a finding without the names."""
    if path.suffix in PAGES:
        path.unlink()
    else:
        write_json(path, unnamed(read_json(path), product_ids))


def unnamed(value: Any, product_ids: Sequence[str], within: str = "") -> Any:
    """JSON without the products among answers, and without their names where a sentence quotes them.

    A product may be called like a colour: no other word names one.
    """
    if isinstance(value, dict):
        return {key: unnamed(each, product_ids, key) for key, each in value.items()}
    if isinstance(value, list):
        return [unnamed(each, product_ids) for each in value if within != HITS or each not in product_ids]
    if isinstance(value, str):
        for product in product_ids:
            value = value.replace(f"'{product}'", ERASED)
    return value
