"""Sealed stage outputs without a product: written aside, sealed again with a note, renamed into place."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from lookalike.evaluation.outputs import PAGE, REFERENCE, REFERENCE_PRODUCTS, SHEET, SHOWN_PRODUCTS
from lookalike.index.gallery import PHOTO_IDS, VECTORS
from lookalike.lifecycle.erase_rows import erase_rows, rewrite_rows, rows_without
from lookalike.lifecycle.erase_words import ERASED, erase_words, names_any
from lookalike.storage import SEAL, atomic_folder, digest_files, read_json, read_seal, write_json

_SHEET_IMAGE = re.compile(r'(<img alt="Contact sheet[^>]*src=)"data:[^"]*"')


def erase_from_artifact(folder: Path, product_ids: Sequence[str]) -> int:
    """Take products out of one sealed folder; returns how many rows went, and 0 leaves it untouched.

    What was sealed is sealed anew: the content's digest changes, so later stages know that their input did, and the
    figures say `erased`.
    """
    if not _concerned(folder, product_ids):
        return 0
    with atomic_folder(folder) as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True)
        if _names(aside / SHOWN_PRODUCTS, product_ids):
            _drop_sheet(aside)
        rows = _erase_tables(aside, product_ids)
        for path in _telling(aside, product_ids):
            erase_words(path, product_ids)
        _seal_again(aside, product_ids, rows)
    return rows


def own_files(folder: Path, pattern: str) -> list[Path]:
    """Files of a sealed folder that belong to no sealed folder inside it."""
    inner = [seal.parent for seal in folder.rglob(SEAL) if seal.parent != folder]
    found = [path for path in folder.rglob(pattern) if path.is_file()]
    return sorted(path for path in found if not any(path.is_relative_to(nested) for nested in inner))


def _concerned(folder: Path, product_ids: Sequence[str]) -> bool:
    tables = own_files(folder, "*.parquet")
    return any(_names(path, product_ids) for path in tables) or bool(_telling(folder, product_ids))


def _names(table: Path, product_ids: Sequence[str]) -> bool:
    keep = rows_without(table, product_ids) if table.is_file() else None
    return keep is not None and not keep.all()


def _erase_tables(folder: Path, product_ids: Sequence[str]) -> int:
    """Tables whose rows belong to those of another file go first, by that file's rows."""
    _cut_beside(folder / PHOTO_IDS, folder / VECTORS, product_ids)
    _cut_beside(folder / REFERENCE_PRODUCTS, folder / REFERENCE, product_ids)
    return sum(erase_rows(path, product_ids) for path in own_files(folder, "*.parquet"))


def _cut_beside(names: Path, values: Path, product_ids: Sequence[str]) -> None:
    """Cut the rows of `values` that stand beside erased rows of `names`."""
    keep = rows_without(names, product_ids) if _names(names, product_ids) and values.is_file() else None
    if keep is None:
        return
    if values.suffix == ".npy":
        np.save(values, np.load(values, allow_pickle=False)[keep], allow_pickle=False)
    else:
        rewrite_rows(values, keep)


def _telling(folder: Path, product_ids: Sequence[str]) -> list[Path]:
    return [path for path in own_files(folder, "*") if path.name != SEAL and names_any(path, product_ids)]


def _drop_sheet(folder: Path) -> None:
    """One picture shows many products; evaluating again draws it without the erased one."""
    (folder / SHEET).unlink(missing_ok=True)
    page = folder / PAGE
    if page.is_file():
        page.write_text(_SHEET_IMAGE.sub(r'\1""', page.read_text(encoding="utf-8")), encoding="utf-8")


def _seal_again(folder: Path, product_ids: Sequence[str], rows: int) -> None:
    files, record = read_json(folder / SEAL)["files"], read_seal(folder)
    figures = {name: ERASED if value in product_ids else value for name, value in record.figures.items()}
    figures["erased"] = int(figures.get("erased", 0)) + rows
    sealed = replace(record, content=digest_files(folder, files), figures=figures)
    write_json(folder / SEAL, {**asdict(sealed), "files": files})
