"""What is signed: an in-toto statement (v1) that names files with their digests and says what they are.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.errors import UntrustedRelease

STATEMENT = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True)
class Statement:
    """Files by digest, and what the signer says of them."""

    kind: str
    """URI of the kind, in-toto's `predicateType`: a statement about a model is never taken for one about a release."""
    files: Mapping[str, str]
    """SHA-256 by name."""
    says: Mapping[str, Any]
    """JSON, in-toto's `predicate`."""

    def payload(self) -> bytes:
        """The bytes that are signed, the same for the same statement."""
        values = {
            "_type": STATEMENT,
            "subject": [{"name": name, "digest": {"sha256": self.files[name]}} for name in sorted(self.files)],
            "predicateType": self.kind,
            "predicate": self.says,
        }
        return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse_statement(payload: bytes, kind: str, source: str) -> Statement:
    """Read a signed payload. Raises UntrustedRelease where it is another kind of statement."""
    try:
        values = json.loads(payload)
        files = {subject["name"]: subject["digest"]["sha256"] for subject in values["subject"]}
        found, says = (values["_type"], values["predicateType"]), values["predicate"]
    except (ValueError, KeyError, TypeError) as error:
        raise UntrustedRelease(f"{source} signs something that is no in-toto statement") from error
    if found != (STATEMENT, kind):
        raise UntrustedRelease(f"{source} signs {found[1]!r}, where {kind!r} is asked for")
    return Statement(kind, files, says)
