"""Keys that releases are signed with, and the list of those a service trusts."""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import yaml
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import Field
from securesystemslib.signer import CryptoSigner, Signer, SSlibKey

from lookalike.config import StrictConfig, parse_config
from lookalike.errors import ConfigError
from lookalike.references import FILE, read_reference
from lookalike.storage import atomic_file

SigningKey = Signer
"""Signs bytes, with a key of this machine or of a key management service."""


class TrustedKey(StrictConfig):
    """One public key."""

    public: str
    """In PEM; Ed25519 as `lookalike keys signing` makes it, or ECDSA and RSA as a key management service has them."""
    until: date | None = None
    """Last day (UTC) on which its signatures are accepted, whenever they were made; without one, no end."""


class TrustedKeyFile(StrictConfig):
    """All keys a service trusts, by the name people know each by."""

    keys: dict[str, TrustedKey] = Field(min_length=1)


class TrustedKeys:
    """The keys as they can be used. Raises ConfigError naming a key that is none."""

    def __init__(self, keys: Mapping[str, TrustedKey]) -> None:
        self.by_name = dict(keys)
        self._usable = {name: _public_key(name, key.public) for name, key in keys.items()}

    def on(self, day: date) -> list[SSlibKey]:
        """Those that have not run out."""
        return [self._usable[name] for name, key in self.by_name.items() if key.until is None or day <= key.until]

    def names(self, ids: Sequence[str]) -> list[str]:
        """What the keys of these ids are called here, whether they have run out or not."""
        return [name for name, key in self._usable.items() if key.keyid in ids]


def load_trusted_keys(reference: str) -> TrustedKeys:
    """Read the keys that `file:PATH` or `env:NAME` refers to. Raises ConfigError."""
    try:
        values = yaml.safe_load(read_reference(reference, "the trusted keys"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{reference} is not valid YAML") from error
    return TrustedKeys(parse_config(TrustedKeyFile, values, reference).keys)


def load_signing_key(reference: str) -> CryptoSigner:
    """Read the private key, PEM without a password, that `file:PATH` or `env:NAME` refers to.

    Raises ConfigError, never repeating what it read.
    """
    text = read_reference(reference, "signing keys")
    try:
        return CryptoSigner(load_pem_private_key(text.encode(), password=None))
    except (ValueError, TypeError, UnsupportedAlgorithm):  # theirs quote the text
        raise ConfigError(f"{reference} holds no private key in PEM without a password") from None


def new_signing_key(private: Path, trusted: Path, name: str, until: date | None = None) -> str:
    """Make an Ed25519 pair: the private key in a file of its own, the public one under `name` in the trusted list.

    Returns the key's id. Raises ConfigError for a name that is taken, and where the private file is there already.
    """
    known = dict(load_trusted_keys(f"{FILE}{trusted}").by_name) if trusted.exists() else {}
    if name in known or not name or not name.isprintable():
        raise ConfigError(f"{name!r} has a key in {trusted} already, or is no name; choose another")
    key = Ed25519PrivateKey.generate()
    signer = CryptoSigner(key)
    _write_private(private, signer.private_bytes)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    known[name] = TrustedKey(public=public, until=until)
    listed = {one: key.model_dump(exclude_none=True) for one, key in known.items()}
    with atomic_file(trusted) as aside:
        aside.write_text(yaml.safe_dump({"keys": listed}, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return signer.public_key.keyid


def _public_key(name: str, text: str) -> SSlibKey:
    try:
        return SSlibKey.from_crypto(load_pem_public_key(text.encode()))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"the trusted key {name!r} is no public key in PEM") from error


def _write_private(path: Path, content: bytes) -> None:
    """Readable by its owner alone from its first moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigError(f"{path} is there already, and a private key is never written over") from error
    with os.fdopen(handle, "wb") as file:
        file.write(content)
