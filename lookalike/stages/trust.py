"""Whose signatures count, and with which key is signed: references to files or variables, never the keys themselves.

A pipeline's task is given no key as an argument, where everybody who sees the run could read it; like Milvus' token,
the reference comes from the task's environment.
"""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import ConfigError, UntrustedRelease
from lookalike.stages.arguments import collections_at
from lookalike.workspace import Workspace

if TYPE_CHECKING:
    from lookalike.release.manifest import Release
    from lookalike.release.signed import Verifier
    from lookalike.signing.keys import SigningKey

SIGNING_KEY, TRUSTED_KEYS = "LOOKALIKE_SIGNING_KEY", "LOOKALIKE_TRUSTED_KEYS"
"""Environment variables that hold a reference: file:PATH or env:NAME."""


def signing_key(reference: str = "") -> "SigningKey | None":
    """The key to sign with, by reference or by the environment's; None where none is named."""
    from lookalike.signing.keys import load_signing_key

    named = reference or os.environ.get(SIGNING_KEY, "")
    return load_signing_key(named) if named else None


def verifier(shop: Workspace, reference: str = "") -> "Verifier | None":
    """Who proves signatures, by the trusted keys referred to or the environment's; None where none are named."""
    from lookalike.release.signed import Verifier

    named = reference or os.environ.get(TRUSTED_KEYS, "")
    return Verifier(named, shop.releases, shop.model_repository, lambda: datetime.now(UTC).date()) if named else None


def sign(release: str, *, workspace: str, milvus_uri: str, key: str = "") -> "Release":
    """Sign a kept release as it is now; raises ConfigError where no key is named."""
    from lookalike.release.manifest import load_release
    from lookalike.release.signed import sign_release

    shop, signer = Workspace(Path(workspace)), signing_key(key)
    if signer is None:
        raise ConfigError(f"no signing key is named; give --signing-key or {SIGNING_KEY}: file:PATH or env:NAME")
    found = load_release(shop.releases, release)
    with collections_at(milvus_uri) as store:
        sign_release(shop.releases, shop.model_repository, found, store, signer)
    return found


def verify(release: str = "", *, workspace: str, milvus_uri: str, trusted_keys: str = "") -> tuple["Release", str]:
    """Prove a release, the live one where none is named; returns it with the key's name. Raises UntrustedRelease."""
    from lookalike.release.manifest import load_release, require_live

    shop = Workspace(Path(workspace))
    proving = verifier(shop, trusted_keys)
    if proving is None:
        raise ConfigError(f"no trusted keys are named; give --trusted-keys or {TRUSTED_KEYS}: file:PATH or env:NAME")
    found = load_release(shop.releases, release) if release else require_live(shop.releases)
    with collections_at(milvus_uri) as store:
        return found, proving.release(found, store)


def require_no_pickles(workspace: str) -> int:
    """Raise UntrustedRelease naming a file of the workspace that holds a pickle; returns how many were looked at.

    A service may be at work: files that are gone when it is their turn are passed over.
    """
    from lookalike.signing.pickles import plain_files, scan_file

    looked_at = 0
    for path in plain_files(Path(workspace)):
        with suppress(FileNotFoundError):
            found = scan_file(path)
            if found is not None:
                raise UntrustedRelease(f"{path} holds {found}; no artifact is one, so somebody else made this file")
            looked_at += 1
    return looked_at
