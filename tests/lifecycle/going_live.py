"""A built index put into service, without the gate and the model files that promotion wants."""

from datetime import datetime
from pathlib import Path

from lookalike.release.manifest import (
    STORED,
    Release,
    collection_name,
    feature_service_name,
    model_name,
    release_id,
    save_release,
    switch_live,
)


def release_of(fingerprint: str, digest: str, created: datetime) -> Release:
    """The release of a model and a catalogue."""
    identity = release_id(fingerprint, digest)
    return Release(
        release_id=identity,
        model_fingerprint=fingerprint,
        catalogue_digest=digest,
        model=model_name(fingerprint),
        collection=collection_name(identity),
        feature_service=feature_service_name(identity),
        created=created.isoformat(),
    )


def go_live(releases: Path, release: Release, built: Path) -> None:
    """Save a release with what its index stage stored, and let readers see it."""
    folder = save_release(releases, release)
    (folder / STORED).write_bytes((built / STORED).read_bytes())
    switch_live(releases, release)
