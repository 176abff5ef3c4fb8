"""Keys for tests, and one changed byte."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lookalike.signing.keys import SigningKey, TrustedKeys, load_signing_key, load_trusted_keys, new_signing_key

TODAY = date(2026, 11, 21)


@dataclass(frozen=True)
class Keyring:
    """Key pairs by name under a folder, all on one list."""

    folder: Path

    @property
    def reference(self) -> str:
        return f"file:{self.folder / 'trusted.yaml'}"

    def new(self, name: str, until: date | None = None) -> SigningKey:
        """A further key, trusted from now on."""
        new_signing_key(self.folder / f"{name}.pem", self.folder / "trusted.yaml", name, until)
        return load_signing_key(f"file:{self.folder / f'{name}.pem'}")

    def trusted(self) -> TrustedKeys:
        return load_trusted_keys(self.reference)


def flip(path: Path, at: int, bit: int = 0) -> bytes:
    """Change one bit; returns what the file held before."""
    before = path.read_bytes()
    changed = bytearray(before)
    changed[at % len(changed)] ^= 1 << bit
    path.write_bytes(changed)
    return before
