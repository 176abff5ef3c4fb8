"""Digests, atomic writes and sealed stage outputs.

A stage's output is one folder. It is written aside, sealed with `stage.json` and renamed into place,
so a reader sees the whole output or none of it. What was renamed is on the disk: see `durable`.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lookalike.durable import exchange, flush, flush_tree
from lookalike.errors import ArtifactError, StorageError

SEAL = "stage.json"
ASIDE = (".*.partial*", ".*.old", ".*.removed")
"""Names that killed writers leave: not yet in place, replaced, or taken away."""


def digest_bytes(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def digest_json(value: Any) -> str:
    """SHA-256 of a JSON value, independent of the order of keys."""
    return digest_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_files(folder: Path, names: Sequence[str]) -> str:
    """SHA-256 over the named files of a folder, by name and content."""
    return digest_json({name: digest_file(folder / name) for name in sorted(names)})


def read_json(path: Path) -> Any:
    """Parse a JSON file. Raises ArtifactError naming the path."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise ArtifactError(f"{path} is not valid JSON: {error}") from error


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    with atomic_file(path) as aside:
        aside.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`; on success it is renamed over `path`, on failure it is removed."""
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=f".partial{path.suffix}", dir=path.parent)
        os.close(handle)
        aside = Path(name)
        try:
            yield aside
            aside.chmod(0o644)  # mkstemp makes 0600; artifacts are read by other processes
            flush(aside)
            aside.replace(path)
            flush(path.parent)
        finally:
            aside.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on success it takes the place of `path`, on failure it is removed."""
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent))
        try:
            yield aside
            aside.chmod(0o755)
            flush_tree(aside)
            _swap_in(aside, path)
            flush(path.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def unfinished(path: Path, work: str) -> Path:
    """Where work towards `path` keeps what it has finished; `work` says as text what that is, and other work differs.

    The name is one of ASIDE: it is passed over as other leftovers are, and cleared away where nobody goes on.
    """
    return path.with_name(f".{path.name}.{digest_bytes(work.encode())[:12]}.partial")


def private_folder(path: Path) -> Path:
    """Make a folder that this user alone may write in, or take up one that is so, under a name others can guess.

    Raises StorageError for one that somebody else made or can write in, and for a link.
    """
    with _explained(path):
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise StorageError(f"{path} was not made by this process' user for itself alone; remove it")
    return path


@contextmanager
def resumed_folder(path: Path, work: str) -> Iterator[Path]:
    """Yield a folder that becomes `path`, which is not there yet; after a kill or an error the same work goes on in it.

    Files in it are written whole, as anywhere. Raises StorageError while another process is at the same work.
    """
    aside = unfinished(path, work)
    with _explained(path):
        aside.mkdir(parents=True, exist_ok=True)
        with _alone_in(aside):
            yield aside
            aside.chmod(0o755)
            flush_tree(aside)
            aside.rename(path)
            flush(path.parent)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which a killed process lets go of."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(f"another process is at work in {folder}; wait until it is done") from error
        yield
    finally:
        os.close(opened)


def remove_folder(path: Path) -> None:
    """Take a folder away, out of sight in one step; what a kill leaves of it is found by ASIDE."""
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".removed", dir=path.parent))
    path.replace(aside)
    flush(path.parent)
    shutil.rmtree(aside)


def recover_folder(path: Path) -> None:
    """Give a folder its name back when a kill came between the two renames of a replacement."""
    for was in sorted(path.parent.glob(f".{path.name}.*.old/was")):
        if not path.exists():
            was.rename(path)


def _swap_in(aside: Path, path: Path) -> None:
    """Let `aside` be `path`: in one step or, where folders cannot be exchanged, in two that `recover_folder` undoes."""
    if not path.exists():
        aside.rename(path)
    elif not exchange(aside, path):
        old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent))
        path.rename(old / "was")
        aside.rename(path)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageError(f"the disk is full: {path} was not written; free some space and run again") from error
        if error.errno in (errno.EACCES, errno.EROFS):
            raise StorageError(f"{path} cannot be written: {error.strerror}") from error
        raise


@dataclass(frozen=True)
class StageRecord:
    """What one run of a stage came to; stored as the output folder's `stage.json`."""

    stage: str
    """Name of the stage, a verb."""
    inputs: str
    """Digest over the stage's name, inputs and settings: the same value means the same work."""
    content: str
    """Digest over the output files that later stages read."""
    figures: dict[str, Any]
    """The stage's key figures, for tables and the pipeline's metrics."""
    seconds: float
    """Wall time of the work."""
    reused: bool = False
    """True when the output was already there from the same inputs."""


def run_stage(
    stage: str,
    output: Path,
    *,
    inputs: Mapping[str, Path],
    settings: Mapping[str, Any],
    content: Sequence[str],
    work: Callable[[Path], dict[str, Any]],
) -> StageRecord:
    """Make a stage's output folder, or reuse the one made earlier from the same inputs and settings.

    `inputs` are sealed output folders of earlier stages; `settings` is JSON; `content` names the output
    files later stages read (reports carry dates and stay out); `work` fills the folder it is given and
    returns the stage's figures. Raises ArtifactError for an unsealed or changed input.
    """
    wanted = digest_json(
        {
            "stage": stage,
            "inputs": {name: read_seal(path).content for name, path in inputs.items()},
            "settings": settings,
        }
    )
    recover_folder(output)
    done = _already_made(output, wanted, content)
    if done is not None:
        return done
    started = time.perf_counter()
    with atomic_folder(output) as folder:
        figures = work(folder)
        record = StageRecord(
            stage, wanted, digest_files(folder, content), figures, round(time.perf_counter() - started, 3)
        )
        write_json(folder / SEAL, {**asdict(record), "files": list(content)})
    return record


def read_seal(folder: Path) -> StageRecord:
    """The record of a finished stage output. Raises ArtifactError where there is none."""
    if not (folder / SEAL).is_file():
        raise ArtifactError(f"{folder} is not a finished stage output (no {SEAL}); run the stage that makes it first")
    values = read_json(folder / SEAL)
    values.pop("files", None)
    return StageRecord(**values)


def _already_made(output: Path, wanted: str, content: Sequence[str]) -> StageRecord | None:
    if not (output / SEAL).is_file():
        return None
    record = read_seal(output)
    if record.inputs != wanted or any(not (output / name).is_file() for name in content):
        return None
    return replace(record, reused=True) if digest_files(output, content) == record.content else None
