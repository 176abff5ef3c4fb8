"""A faiss index on disk: every change is a new file, and one small file that names the files is replaced in one step.

    aliases.json                 {alias: collection}
    <collection>/collection.json what the collection is, how it is built, and the files it consists of
    <collection>/segment-3/      the finished part, as `segment` writes it
    <collection>/part-4.parquet  photos stored since, in order
    <collection>/part-5.json     photos or products removed since, in order
    .locks/                      one lock per collection and one for aliases.json, taken by writers only

A file that no `collection.json` names is what a killed writer left; the next one writes over it or removes it.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from lookalike.config import parse_config
from lookalike.errors import ArtifactError, ConfigError
from lookalike.index.faiss_settings import FaissSettings
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.storage import ASIDE, atomic_file, read_json, remove_folder

COLLECTION = "collection.json"
ALIASES = "aliases.json"
_VECTOR = "vector"

Stamp = tuple[int, int]
"""A file's time of change and inode: another value means another content."""


@dataclass(frozen=True)
class Removal:
    """A change that takes photos away: those of these products, and these photos."""

    product_ids: Sequence[str] = ()
    photo_ids: Sequence[str] = ()


Change = GalleryBatch | Removal


@dataclass(frozen=True)
class Manifest:
    """The content of a `collection.json`."""

    info: CollectionInfo
    settings: FaissSettings
    segment: str | None = None
    """The folder with the finished part; None while the collection is unfinished."""
    parts: tuple[str, ...] = ()
    """Files with the changes since, oldest first."""
    rows: int = 0
    """Photos in the finished part."""
    changed: int = 0
    """Photos stored and ids removed by the parts."""
    made: int = 0
    """How many files were ever made: no name is used twice."""
    born: str = ""
    """Tells a collection from a dropped one of the same name, whose files had the same names."""


class FaissFolder:
    """The files of an index; knows nothing of searching."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = str(root)  # every search looks at two files' times, and joining a Path costs ten times as much

    @contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Hold the lock that writers of a collection, or of ALIASES, take."""
        (self.root / ".locks").mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / ".locks" / f"{what}.lock"):
            yield

    def collections(self) -> list[str]:
        return sorted(path.parent.name for path in self.root.glob(f"[!.]*/{COLLECTION}"))

    def stamp(self, name: str, file: str = COLLECTION) -> Stamp | None:
        """Changes with every change of the collection, or of one file of it; None where there is none."""
        return _stamp(f"{self._root}/{name}/{file}")

    def alias_stamp(self) -> Stamp | None:
        return _stamp(f"{self._root}/{ALIASES}")

    def aliases(self) -> dict[str, str]:
        return dict(read_json(self.root / ALIASES)) if (self.root / ALIASES).is_file() else {}

    def point(self, alias: str, collection: str) -> None:
        """Write `aliases.json` anew; the caller holds its lock."""
        _switch(self.root / ALIASES, {**self.aliases(), alias: collection})

    def manifest(self, name: str) -> Manifest:
        """Raises ArtifactError where the collection was dropped in this moment."""
        path = self.root / name / COLLECTION
        values = read_json(path)
        try:
            info = CollectionInfo(**{**values["info"], "fields": tuple(values["info"]["fields"])})
            settings = parse_config(FaissSettings, values["settings"], f"{path}: settings")
            return Manifest(**{**values, "info": info, "settings": settings, "parts": tuple(values["parts"])})
        except (KeyError, TypeError, ConfigError) as error:
            raise ArtifactError(f"{path} is of another version ({error}); build the collection anew") from error

    def switch(self, manifest: Manifest) -> None:
        """Let readers see these files from now on; the caller holds the collection's lock."""
        values = {**asdict(manifest), "settings": manifest.settings.model_dump()}
        _switch(self.root / manifest.info.name / COLLECTION, values)

    def append(self, manifest: Manifest, changes: Sequence[Change]) -> Manifest:
        """Write changes as further parts and switch to them."""
        for change in changes:
            suffix = "json" if isinstance(change, Removal) else "parquet"
            name = f"part-{manifest.made + 1}.{suffix}"
            with atomic_file(self.root / manifest.info.name / name) as aside:
                _write_change(aside, change)
            changed = manifest.changed + _size(change)
            manifest = replace(manifest, parts=(*manifest.parts, name), made=manifest.made + 1, changed=changed)
        self.switch(manifest)
        return manifest

    def change(self, name: str, part: str) -> Change:
        """One part, read back."""
        path = self.root / name / part
        return Removal(**read_json(path)) if path.suffix == ".json" else _read_batch(path)

    def count_stored(self, manifest: Manifest) -> int | None:
        """How many photos the parts hold, by their ids alone; None where some were removed again."""
        paths = [self.root / manifest.info.name / part for part in manifest.parts]
        if any(path.suffix == ".json" for path in paths):
            return None
        ids = [pq.read_table(path, columns=["photo_id"])["photo_id"] for path in paths]
        return len(pa.chunked_array([chunk for each in ids for chunk in each.chunks], pa.string()).unique())

    def tidy(self, manifest: Manifest) -> None:
        """Remove the collection's files that the manifest does not name; readers that have them open keep them."""
        named = {COLLECTION, manifest.segment, *manifest.parts}
        for path in (self.root / manifest.info.name).iterdir():
            if path.name not in named:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def remove(self, name: str) -> None:
        """Take the collection away, first out of sight; the caller holds the aliases' lock."""
        remove_folder(self.root / name)

    def sweep(self) -> None:
        """Clear away what killed writers left beside the collections; the caller holds the aliases' lock."""
        for path in [path for pattern in ASIDE for path in self.root.glob(pattern)]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _size(change: Change) -> int:
    return len(change.photo_ids) + (len(change.product_ids) if isinstance(change, Removal) else 0)


def _stamp(path: Path | str) -> Stamp | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path would be made for every search
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino


def _switch(path: Path, values: Any) -> None:
    """Replace a JSON file, its time of change always later than before: clocks tick in milliseconds, writers do not."""
    before = _stamp(path)
    with atomic_file(path) as aside:
        aside.write_text(json.dumps(values), encoding="utf-8")
        moment = aside.stat().st_mtime_ns
        if before is not None and moment <= before[0]:
            moment = before[0] + 1
        os.utime(aside, ns=(moment, moment))


def _write_change(path: Path, change: Change) -> None:
    if isinstance(change, Removal):
        removal = {"product_ids": list(change.product_ids), "photo_ids": list(change.photo_ids)}
        path.write_text(json.dumps(removal), encoding="utf-8")
        return
    columns = {"photo_id": change.photo_ids, "product_id": change.product_ids, **change.fields}
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    vectors = np.ascontiguousarray(change.vectors, dtype=np.float32)
    arrays[_VECTOR] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    pq.write_table(pa.table(arrays), path)


def _read_batch(path: Path) -> GalleryBatch:
    table = pq.read_table(path)
    vectors = table[_VECTOR].combine_chunks()
    columns = {name: table[name].to_pylist() for name in table.column_names if name != _VECTOR}
    ids, products = columns.pop("photo_id"), columns.pop("product_id")
    flat = vectors.flatten().to_numpy(zero_copy_only=False)
    return GalleryBatch(ids, products, flat.reshape(-1, vectors.type.list_size), columns)
