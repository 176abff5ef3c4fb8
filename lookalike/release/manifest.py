"""The release record: which model, collection and feature service belong together.

`releases/<release_id>/release.json` is written once; `releases/live.json` names the one in service and is
replaced in one step, so a reader sees the old release or the new one, never a mix.
"""

from datetime import datetime
from pathlib import Path

from lookalike.config import StrictConfig, load_config
from lookalike.errors import ReleaseError
from lookalike.storage import digest_json, read_json, remove_folder, write_json

LIVE = "live.json"
RECORD = "release.json"
_RECORDS = f"[!.]*/{RECORD}"
"""Hidden folders are releases being written, or removed."""
EVALUATION = "evaluation"
"""Folder of the evaluation that the release was promoted on."""
EXPORTED = "exported"
"""Folder of the model as it was exported, with its checkpoint."""
REFERENCE = "reference.parquet"
"""What drift is measured against."""
STORED = "stored.parquet"
"""What the release's collection holds, photo by photo: from the index stage, then kept by every update."""
TRAINED_VECTORS = "trained_vectors.parquet"
"""Photos the model was trained on, with their vectors: what the watch shows beside new queries. From the index stage,
absent where nobody kept a list of them."""


class Release(StrictConfig):
    """One consistent set of model, index and features."""

    release_id: str
    """SHA-256 over the model's fingerprint and the catalogue's digest."""
    model_fingerprint: str
    """See ModelIdentity.fingerprint."""
    catalogue_digest: str
    """Content digest of the validated catalogue."""
    model: str
    """Name of the model in the Triton repository; it carries the fingerprint, so two releases never share one."""
    collection: str
    """Name of the Milvus collection."""
    feature_service: str
    """Name of the Feast feature service."""
    created: str
    """UTC time, ISO 8601."""

    @classmethod
    def of(cls, model_fingerprint: str, catalogue_digest: str, created: datetime, model: str = "") -> "Release":
        """The release of a model over a catalogue; `model` is its name in Triton where it is not `model_name`'s."""
        identity = release_id(model_fingerprint, catalogue_digest)
        return cls(
            release_id=identity,
            model_fingerprint=model_fingerprint,
            catalogue_digest=catalogue_digest,
            model=model or model_name(model_fingerprint),
            collection=collection_name(identity),
            feature_service=feature_service_name(identity),
            created=created.isoformat(timespec="seconds"),
        )


def release_id(model_fingerprint: str, catalogue_digest: str) -> str:
    """The identity of a release; the same model over the same catalogue is the same release."""
    return digest_json({"model": model_fingerprint, "catalogue": catalogue_digest})


def model_name(model_fingerprint: str) -> str:
    """Triton model of a fingerprint."""
    return f"embedder_{model_fingerprint[:12]}"


def collection_name(release: str) -> str:
    """Milvus collection of a release."""
    return f"products_{release[:12]}"


def feature_service_name(release: str) -> str:
    """Feast feature service of a release."""
    return f"products_{release[:12]}"


def save_release(releases: Path, release: Release) -> Path:
    """Write the record; returns the release's folder."""
    folder = releases / release.release_id
    write_json(folder / RECORD, release.model_dump())
    return folder


def load_release(releases: Path, wanted: str) -> Release:
    """Read a release by id or unambiguous prefix. Raises ReleaseError listing the known ones."""
    known = sorted(path.parent.name for path in releases.glob(_RECORDS))
    matching = [name for name in known if name.startswith(wanted)]
    if len(matching) != 1:
        raise ReleaseError(f"'{wanted}' names {len(matching)} releases; known: {[name[:12] for name in known]}")
    return load_config(Release, releases / matching[0] / RECORD)


def known_releases(releases: Path) -> list[Release]:
    """Every saved release, by id."""
    return [load_config(Release, path) for path in sorted(releases.glob(_RECORDS))]


def switch_live(releases: Path, release: Release) -> None:
    """Put a saved release in service and remember the one before it for rollback."""
    if not (releases / release.release_id / RECORD).is_file():
        raise ReleaseError(f"release {release.release_id[:12]} was never saved under {releases}")
    now = read_json(releases / LIVE) if (releases / LIVE).is_file() else {"release_id": None, "previous": None}
    repeated = now["release_id"] == release.release_id  # then the way back stays what it was
    before = now["previous"] if repeated else now["release_id"]
    write_json(releases / LIVE, {"release_id": release.release_id, "previous": before})


def live_release(releases: Path) -> Release | None:
    """The release in service, None before the first."""
    if not (releases / LIVE).is_file():
        return None
    return load_release(releases, read_json(releases / LIVE)["release_id"])


def require_live(releases: Path) -> Release:
    """The release in service. Raises ReleaseError before the first."""
    live = live_release(releases)
    if live is None:
        raise ReleaseError(f"nothing is in service under {releases}; run `lookalike release` first")
    return live


def previous_release(releases: Path) -> Release:
    """The release that was in service before. Raises ReleaseError where there is none."""
    named = read_json(releases / LIVE)["previous"] if (releases / LIVE).is_file() else None
    if named is None:
        raise ReleaseError(f"there is no earlier release under {releases} to go back to")
    return load_release(releases, named)


def forget_release(releases: Path, release: Release) -> None:
    """Remove a release's folder. Raises ReleaseError for the one in service."""
    live = live_release(releases)
    if live is not None and live.release_id == release.release_id:
        raise ReleaseError(f"release {release.release_id[:12]} is in service and cannot be removed")
    remove_folder(releases / release.release_id)
