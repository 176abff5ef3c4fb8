"""What was changed in a release since it was made: numbered records beside it, the last one the state it is in.

A release's identity stays that of its model and the catalogue it started from; `updates/<number>.json` says which
catalogue it has come to hold. Photos and product ids stay out of the records, so that they can be kept.
"""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from lookalike.config import StrictConfig, load_config
from lookalike.errors import ReleaseError
from lookalike.release.manifest import STORED, Release
from lookalike.storage import atomic_file, write_json

UPDATES = "updates"
RECORD = "{:06d}.json"
_RECORDS = re.compile(r"\d{6,}\.json")  # a killed writer's file beside them has another name
PENDING = "pending-{}.parquet"
"""Named after the update it belongs to."""


class Update(StrictConfig):
    """One applied change of a release's catalogue; counts are products where not said otherwise."""

    number: int
    """From 1, without gaps."""
    catalogue_digest: str
    """Content digest of the catalogue that the release holds since."""
    added: int = 0
    changed: int = 0
    removed: int = 0
    erased: int = 0
    photos_embedded: int = 0
    features_changed: int = 0
    applied: str
    """UTC time, ISO 8601."""


class UpdateLog:
    """A release's updates, and what its collection holds after the last one."""

    def __init__(self, releases: Path, release: Release) -> None:
        self._release = release
        self._stored = releases / release.release_id / STORED
        self._folder = releases / release.release_id / UPDATES

    def last(self) -> Update | None:
        """The latest update, None where the release is as it was made."""
        number = self.number()
        return load_config(Update, self._folder / RECORD.format(number)) if number else None

    def number(self) -> int:
        """Of the latest update, 0 before the first: one look at a folder, quick enough for every search."""
        found = self._folder.iterdir() if self._folder.is_dir() else iter(())
        return max((int(path.stem) for path in found if _RECORDS.fullmatch(path.name)), default=0)

    def catalogue_digest(self) -> str:
        """Content digest of the catalogue that the release holds now."""
        last = self.last()
        return last.catalogue_digest if last else self._release.catalogue_digest

    def since(self) -> str:
        """When the release came to hold what it holds; ISO 8601."""
        last = self.last()
        return last.applied if last else self._release.created

    def stored(self) -> pd.DataFrame:
        """Every photo the collection holds. Raises ReleaseError for a release that was made without this table."""
        if not self._stored.is_file():
            raise ReleaseError(f"{self._stored} is missing, so what changed cannot be told; build and release anew")
        return pd.read_parquet(self._stored)

    def pending(self) -> set[str]:
        """Products that an interrupted update may have changed in part; none once its record is written."""
        path = self._folder / PENDING.format(self.next_number())
        return set(pd.read_parquet(path)["product_id"]) if path.is_file() else set()

    def begin(self, products: set[str]) -> None:
        """Note the products about to change, before the first of them does."""
        with atomic_file(self._folder / PENDING.format(self.next_number())) as aside:
            pd.DataFrame({"product_id": sorted(products)}, dtype=str).to_parquet(aside, index=False)

    def finish(self, stored: pd.DataFrame, update: Update) -> None:
        """Acknowledge: what the collection holds, then the record; killed between the two, the update is repeated."""
        with atomic_file(self._stored) as aside:
            stored.to_parquet(aside, index=False)
        self.record(update)
        for path in self._folder.glob(PENDING.format("*")):
            path.unlink()

    def record(self, update: Update) -> None:
        """Write a record alone."""
        write_json(self._folder / RECORD.format(update.number), update.model_dump())

    def next_number(self) -> int:
        """The number of the update that comes next."""
        return self.number() + 1

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one update at a time be at work. Raises ReleaseError while another one is."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ReleaseError(
                    f"release {self._release.release_id[:12]} is being updated by another process; run again later"
                ) from error
            yield
