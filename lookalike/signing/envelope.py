"""Statements signed in DSSE envelopes, one file each (https://github.com/secure-systems-lab/dsse).

securesystemslib makes and verifies them, the library beneath TUF and in-toto, with keys of `cryptography`.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as LibraryError
from securesystemslib.signer import Key

from lookalike.errors import UntrustedRelease
from lookalike.signing.keys import SigningKey, TrustedKeys
from lookalike.signing.statement import Statement, parse_statement
from lookalike.storage import atomic_file

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Signed:
    """A statement whose signature was verified."""

    statement: Statement
    by: str
    """Name of the trusted key."""


def write_signed(path: Path, statement: Statement, signer: SigningKey) -> None:
    """Sign; a signature is added to those that stand under the same statement, and replaces any of another one."""
    payload = statement.payload()
    envelope = _standing(path, payload) or Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(signer)
    with atomic_file(path) as aside:
        aside.write_bytes(_content(envelope))


def read_signed(path: Path, kind: str, trusted: TrustedKeys, day: date) -> Signed:
    """Verify, then read. Raises UntrustedRelease: no file, another form, no signature of a key trusted on this day."""
    envelope, keys = _read(path), list[Key](trusted.on(day))
    if envelope.payload_type != PAYLOAD_TYPE:
        raise UntrustedRelease(f"{path} holds {envelope.payload_type!r}, where {PAYLOAD_TYPE} is accepted")
    try:
        accepted = envelope.verify(keys, threshold=1)
    except (LibraryError, ValueError) as error:  # ValueError: every key has run out
        raise UntrustedRelease(f"{path} {_refused(envelope, trusted, day)}") from error
    [by] = trusted.names(list(accepted))[:1]
    return Signed(parse_statement(envelope.payload, kind, str(path)), by)


def _refused(envelope: Envelope, trusted: TrustedKeys, day: date) -> str:
    """Why no signature counts."""
    named = trusted.names(list(envelope.signatures))
    over = [name for name in named if (until := trusted.by_name[name].until) is not None and day > until]
    if over:
        return f"is signed by {', '.join(over)}, a key that is trusted no longer ({trusted.by_name[over[0]].until})"
    if named:
        return f"carries a signature of {', '.join(named)} that is not right: it was changed after it was signed"
    return f"is signed by none of the trusted keys ({', '.join(trusted.by_name)})"


def _standing(path: Path, payload: bytes) -> Envelope | None:
    """What is signed there already, where it is the same."""
    try:
        envelope = _read(path)
    except UntrustedRelease:
        return None
    return envelope if (envelope.payload, envelope.payload_type) == (payload, PAYLOAD_TYPE) else None


def _read(path: Path) -> Envelope:
    """The envelope, in the one form it is written in: what a changed byte would not alter is refused as well."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UntrustedRelease(f"{path.parent} is not signed (no {path.name})") from error
    except OSError as error:
        raise UntrustedRelease(f"cannot read {path}: {error.strerror}") from error
    try:
        envelope = Envelope.from_dict(json.loads(content))
        written = _content(envelope)
    except (LibraryError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UntrustedRelease(f"{path} holds no DSSE envelope") from error
    if written != content:
        raise UntrustedRelease(f"{path} is not as it was written; sign again")
    return envelope


def _content(envelope: Envelope) -> bytes:
    return (json.dumps(envelope.to_dict(), indent=2) + "\n").encode()
