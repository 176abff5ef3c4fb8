"""The index in this process: faiss over files in a folder, which several processes may read while one writes.

A search sees the collection as it was at one moment, and a write is seen by every search that starts after it, in
this process and in others. `delete` hides photos at once; their bytes leave the disk with the next `seal`.
Searches run on the CPU: on a GPU faiss knows no selectors, and a filter would bring every vector back.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from lookalike.config import load_config
from lookalike.errors import ArtifactError, VectorIndexError
from lookalike.index.checks import check_batch, check_info, check_name, check_search
from lookalike.index.faiss_folder import ALIASES, Change, FaissFolder, Manifest, Removal, Stamp
from lookalike.index.faiss_settings import FaissSettings
from lookalike.index.faiss_state import State, unchanged
from lookalike.index.graph import GROWING
from lookalike.index.predicates import Where
from lookalike.index.protocol import CollectionInfo, GalleryBatch, Hit, StoredPhoto
from lookalike.index.segment import Segment, write_segment
from lookalike.storage import resumed_folder

SETTINGS = "settings.json"
"""In the index' folder: how new collections are built, where nothing else was said."""
MOST_PARTS = 256
"""Changes kept as files of their own; more are condensed to two, so that opening stays quick."""


class FaissIndex:
    """A VectorIndex in a folder; `settings` hold for collections made from now on."""

    def __init__(self, root: Path, settings: FaissSettings | None = None) -> None:
        self._folder = FaissFolder(root)
        self._settings = settings or _settings_of(root)
        self._states: dict[str, tuple[Stamp, State]] = {}
        self._manifests: dict[str, tuple[Stamp, Manifest]] = {}
        self._aliases: tuple[Stamp | None, dict[str, str]] = (None, {})
        self._opening = threading.Lock()

    def close(self) -> None:
        """Let go of everything that is in memory; a later search opens it again."""
        self._states.clear()

    def __enter__(self) -> "FaissIndex":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create(self, info: CollectionInfo) -> None:
        check_info(info)
        with self._folder.writing(info.name), self._folder.writing(ALIASES):
            if self.resolve_alias(info.name) is not None:
                raise VectorIndexError(f"{info.name} is an alias; a collection needs another name")
            if self._folder.stamp(info.name) is not None:
                if self._manifest(info.name).segment is not None:
                    raise VectorIndexError(
                        f"collection {info.name} is finished already; drop it before making it again"
                    )
                self._forget(info.name)
            self._folder.sweep()
            self._folder.switch(Manifest(info, self._settings, born=uuid4().hex))

    def upsert(self, collection: str, batch: GalleryBatch) -> None:
        check_batch(batch, self._manifest(collection).info)
        if len(batch.photo_ids):
            self._append(collection, batch)

    def delete(self, collection: str, product_ids: Sequence[str]) -> None:
        self._manifest(collection)
        if len(product_ids):
            self._append(collection, Removal(product_ids))

    def seal(self, collection: str) -> None:
        """Fold all changes in; what was sealed and not changed since stays as it is."""
        self._manifest(collection)
        with self._folder.writing(collection):
            manifest = self._manifest(collection)
            if manifest.segment is None or manifest.parts:
                self._fold(collection)
            else:
                self._folder.tidy(manifest)  # a killed writer may have left what it had folded in

    def purge(self, collection: str) -> str:
        """Let deleted photos leave the disk now; "" says that nothing of them stays."""
        self.seal(collection)
        return ""

    def search(self, collection: str, queries: NDArray[np.float32], k: int, where: Where = ()) -> list[list[Hit]]:
        state = self._readable(collection)
        check_search(state.manifest.info, queries, k, where)
        if state.segment is None:
            raise VectorIndexError(f"collection {state.manifest.info.name} is unfinished; seal it before searching")
        return state.search(queries, k, where)

    def vectors(self, collection: str, product_id: str) -> NDArray[np.float32]:
        return self._readable(collection).vectors_of(product_id)

    def photos(self, collection: str, product_id: str) -> list[StoredPhoto]:
        return self._readable(collection).photos_of(product_id)

    def describe(self, collection: str) -> CollectionInfo:
        return self._manifest(self._resolved(collection)).info

    def structure(self, collection: str) -> Mapping[str, Any]:
        return self._manifest(self._resolved(collection)).settings.model_dump(mode="json")

    def count(self, collection: str) -> int:
        manifest = self._manifest(self._resolved(collection))
        if manifest.segment is None and manifest.info.name not in self._states:
            with suppress(FileNotFoundError):  # a writer folded the changes in just now
                stored = self._folder.count_stored(manifest)  # as a build asks that was interrupted: nothing is opened
                if stored is not None:
                    return stored
        return self._readable(collection).count()

    def collections(self) -> list[str]:
        return self._folder.collections()

    def drop(self, collection: str) -> None:
        if self._folder.stamp(collection) is None:
            raise VectorIndexError(f"there is no collection {collection!r}; there are {self.collections()}")
        with self._folder.writing(collection), self._folder.writing(ALIASES):
            pointing = sorted(alias for alias, target in self._folder.aliases().items() if target == collection)
            if pointing:
                raise VectorIndexError(f"collection {collection} is in use by alias {', '.join(pointing)}")
            self._forget(collection)

    def point_alias(self, alias: str, collection: str) -> None:
        check_name(alias, "alias")
        with self._folder.writing(ALIASES):
            if self._folder.stamp(alias) is not None:
                raise VectorIndexError(f"{alias} is a collection; an alias needs another name")
            self._manifest(collection)
            self._folder.point(alias, collection)

    def resolve_alias(self, alias: str) -> str | None:
        stamp = self._folder.alias_stamp()
        if stamp != self._aliases[0]:
            self._aliases = (stamp, self._folder.aliases())
        return self._aliases[1].get(alias)

    def _resolved(self, name: str) -> str:
        return self.resolve_alias(name) or name

    def _append(self, collection: str, change: Change) -> None:
        with self._folder.writing(collection):
            manifest = self._manifest(collection)
            changes = [change]
            if manifest.segment is not None and len(manifest.parts) >= MOST_PARTS:
                changes = [*self._state(collection).condensed(), change]
                manifest = replace(manifest, parts=(), changed=0)
            manifest = self._folder.append(manifest, changes)  # seen from here on
            limit = max(manifest.settings.fold_rows, manifest.settings.fold_share * manifest.rows)
            if manifest.segment is not None and manifest.changed > limit:
                self._fold(collection)

    def _fold(self, collection: str) -> None:
        """Write all photos as one finished part beside the earlier one, then switch; the caller holds the lock.

        Whoever was interrupted is gone on from: a number is given to one part alone, so the photos are the same.
        """
        manifest, count = self._manifest(collection), self.count(collection)
        folder = self._folder.root / collection / f"segment-{manifest.made + 1}"
        if not folder.is_dir():
            with resumed_folder(folder, manifest.born) as aside:
                write_segment(aside, lambda: self._state(collection).everything(), manifest.settings)
        (folder / GROWING).unlink(missing_ok=True)
        written = len(Segment(folder, manifest.settings))  # opens: it is really there
        if written != count:
            raise VectorIndexError(f"collection {collection}: {written} photos written of {count}")
        made = manifest.made + 1
        manifest = replace(manifest, segment=folder.name, parts=(), rows=written, changed=0, made=made)
        self._folder.switch(manifest)
        self._folder.tidy(manifest)

    def _forget(self, collection: str) -> None:
        self._folder.remove(collection)
        self._states.pop(collection, None)
        self._manifests.pop(collection, None)

    def _manifest(self, name: str) -> Manifest:
        stamp = self._folder.stamp(name)
        if stamp is None:
            raise VectorIndexError(f"there is no collection {name!r}; there are {self.collections()}")
        held = self._manifests.get(name)
        if held is None or held[0] != stamp:
            held = self._manifests[name] = (stamp, self._folder.manifest(name))
        return held[1]

    def _readable(self, name: str) -> State:
        """The state of a collection, or of the one that an alias points to."""
        held = self._states.get(name)
        if held is not None and held[0] == self._folder.stamp(name):
            return held[1]  # no name is both, so there is no need to look at the aliases
        return self._state(self._resolved(name))

    def _state(self, name: str) -> State:
        held, stamp = self._states.get(name), self._folder.stamp(name)
        if held is not None and held[0] == stamp:
            return held[1]
        with self._opening:
            while True:
                stamp = self._folder.stamp(name)  # before what it stamps: a later content is then read again
                try:
                    manifest = self._manifest(name)
                    state = self._opened(manifest, self._states.get(name))
                except (OSError, RuntimeError, ArtifactError) as error:
                    if self._folder.stamp(name) != stamp:
                        continue  # a writer folded the changes in and removed the files just now
                    raise VectorIndexError(f"collection {name} cannot be opened: {error}") from error
                if stamp is not None:
                    self._states[name] = (stamp, state)
                    return state

    def _opened(self, manifest: Manifest, held: tuple[Stamp, State] | None) -> State:
        """The state a manifest names; what is in memory already is not read again."""
        name, known = manifest.info.name, held[1] if held else None
        if known is None or not _goes_on(known.manifest, manifest):
            folder = self._folder.root / name
            segment = Segment(folder / manifest.segment, manifest.settings) if manifest.segment else None
            known = unchanged(replace(manifest, parts=()), segment)
        fresh = manifest.parts[len(known.manifest.parts) :]
        return known.apply(manifest, [self._folder.change(name, part) for part in fresh])


def _goes_on(before: Manifest, after: Manifest) -> bool:
    """Whether `after` only has further changes."""
    return (
        before.born == after.born
        and before.segment == after.segment
        and (after.parts[: len(before.parts)] == before.parts)
    )


def _settings_of(root: Path) -> FaissSettings:
    return load_config(FaissSettings, root / SETTINGS) if (root / SETTINGS).is_file() else FaissSettings()
