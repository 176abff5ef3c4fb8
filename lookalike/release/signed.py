"""Releases and models signed, and verified before anything of them is loaded.

Two statements, because two places load: a model's folder in the Triton repository is verified by itself, wherever it
was copied to; a release's statement names its own files, its model's files and how its collection is searched. What
updates and erasures rewrite is not signed: tables of products and photos, and pages of the evaluation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from lookalike.embedders.model_folder import load_model
from lookalike.errors import UntrustedRelease
from lookalike.fusion import FUSION
from lookalike.release.collections import SearchedCollections
from lookalike.release.manifest import EVALUATION, EXPORTED, Release
from lookalike.release.publish import BESIDE, SERVED
from lookalike.release.trial import ENDED
from lookalike.release.update_log import UPDATES
from lookalike.signing.envelope import read_signed, write_signed
from lookalike.signing.files import digests_of, listed, require_signed
from lookalike.signing.keys import SigningKey, TrustedKeys, load_trusted_keys
from lookalike.signing.statement import Statement
from lookalike.storage import read_json

SIGNED = "signed.json"
"""In a release's folder, and in a published model's."""
RELEASE, IN_TRITON = "urn:lookalike:release:1", "urn:lookalike:model:1"
PROMOTION = "promotion.json"
_CHANGING = (SIGNED, f"{UPDATES}/*", ENDED, "*.parquet")
"""Tables name products, which updates add and erasures take out."""
_JUDGED = tuple(f"{EVALUATION}/{name}" for name in (PROMOTION, FUSION))
"""What of the evaluation is signed: the verdict, and how verticals are told."""


def sign_release(
    releases: Path, models: Path, release: Release, index: SearchedCollections, signer: SigningKey
) -> None:
    """Sign a kept release and its published model; under the same statement a signature is added to the others.

    Raises UntrustedRelease where the published model is not the one that the release keeps.
    """
    folder, model = releases / release.release_id, models / release.model
    kept = folder / EXPORTED
    served = {**digests_of(kept / release.model, SERVED), **digests_of(kept, BESIDE)}
    require_signed(model, served, listed(model) - {SIGNED})
    write_signed(model / SIGNED, Statement(IN_TRITON, served, _about_model(model)), signer)
    files = {f"release/{name}": digest for name, digest in digests_of(folder, _covered(folder)).items()}
    files |= {f"model/{name}": digest for name, digest in served.items()}
    says = {
        "release": release.model_dump(),
        "model": _about_model(model),
        "index": _about_index(index, release),
        "evaluation": read_json(folder / EVALUATION / PROMOTION),
    }
    write_signed(folder / SIGNED, Statement(RELEASE, files, says), signer)


def verify_model(folder: Path, trusted: TrustedKeys, day: date) -> str:
    """Prove a folder of the Triton repository; returns the name of the key. Raises UntrustedRelease."""
    signed = read_signed(folder / SIGNED, IN_TRITON, trusted, day)
    require_signed(folder, signed.statement.files, listed(folder) - {SIGNED})
    name = signed.statement.says.get("name")
    if name != folder.name:
        raise UntrustedRelease(f"{folder} holds the model that was signed as {name}")
    return signed.by


def verify_release(
    releases: Path, models: Path, release: Release, index: SearchedCollections, trusted: TrustedKeys, day: date
) -> str:
    """Prove a release: its record, its files, its model's, how its collection is searched; returns the key's name.

    Raises UntrustedRelease naming what is not as it was signed.
    """
    folder = releases / release.release_id
    signed = read_signed(folder / SIGNED, RELEASE, trusted, day)
    says = signed.statement.says
    _require_same(folder, "release", says, release.model_dump())
    require_signed(folder, _part(signed.statement, "release/"), _covered(folder))
    model = models / release.model
    require_signed(model, _part(signed.statement, "model/"), listed(model) - {SIGNED})
    _require_same(folder, "index", says, _about_index(index, release))
    return signed.by


@dataclass(frozen=True)
class Verifier:
    """Proves what a service is about to load. The list of keys is read anew each time, so keys change without a
    restart."""

    keys: str
    """`file:PATH` or `env:NAME`."""
    releases: Path
    models: Path
    today: Callable[[], date]

    def release(self, release: Release, index: SearchedCollections) -> str:
        """See verify_release."""
        return verify_release(self.releases, self.models, release, index, load_trusted_keys(self.keys), self.today())

    def model(self, name: str) -> None:
        """See verify_model."""
        verify_model(self.models / name, load_trusted_keys(self.keys), self.today())


def _covered(folder: Path) -> set[str]:
    """Names of the files of a release's folder that are signed: all, but for what changes during its life."""
    files = (name for name in listed(folder) if not name.endswith("/"))
    found = {name for name in files if not any(fnmatch(name, pattern) for pattern in _CHANGING)}
    return {name for name in found if not name.startswith(f"{EVALUATION}/") or name in _JUDGED}


def _part(statement: Statement, prefix: str) -> dict[str, str]:
    files = statement.files.items()
    return {name.removeprefix(prefix): digest for name, digest in files if name.startswith(prefix)}


def _about_model(folder: Path) -> dict[str, Any]:
    model = load_model(folder)
    return model.model_dump(mode="json", include={"name", "fingerprint", "preprocessing", "dimension", "precision"})


def _about_index(index: SearchedCollections, release: Release) -> dict[str, Any]:
    info = index.describe(release.collection)
    return {
        "collection": release.collection,
        "release_id": info.release_id,
        "model_fingerprint": info.model_fingerprint,
        "dimension": info.dimension,
        "fields": list(info.fields),
        "structure": dict(index.structure(release.collection)),
    }


def _require_same(folder: Path, what: str, says: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    signed = says.get(what, {})
    differing = [name for name in sorted({*signed, *found}) if signed.get(name) != found.get(name)]
    if differing:
        name = differing[0]
        raise UntrustedRelease(
            f"{folder / SIGNED} was signed for {what} {name} {signed.get(name)!r}, but it is {found.get(name)!r}"
        )
