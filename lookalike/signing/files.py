"""Files of a folder held to the digests that were signed."""

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path

from lookalike.errors import UntrustedRelease
from lookalike.storage import ASIDE, digest_file

MOST_NAMED = 3


def listed(folder: Path) -> set[str]:
    """Relative names of all that lies in a folder; empty folders end in a slash.

    What killed writers left aside is passed over: no reader looks at those names. Raises UntrustedRelease for links,
    which could lead anywhere later on.
    """
    found: set[str] = set()
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_aside(name)]
        files = [name for name in files if not is_aside(name)]
        here = Path(place)
        for link in (here / name for name in (*folders, *files) if (here / name).is_symlink()):
            raise UntrustedRelease(f"{link} is a link; signed folders hold plain files")
        relative = here.relative_to(folder)
        found |= {(relative / name).as_posix() for name in files}
        if not (files or folders) and here != folder:
            found.add(f"{relative.as_posix()}/")
    return found


def digests_of(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 by name."""
    return {name: digest_file(folder / name) for name in sorted(names)}


def require_signed(folder: Path, signed: Mapping[str, str], found: set[str]) -> None:
    """Raise UntrustedRelease unless exactly the signed files are there, byte for byte."""
    added, missing = sorted(found - set(signed)), sorted(set(signed) - found)
    changed = [name for name in sorted(found & set(signed)) if _digest(folder / name) != signed[name]]
    told = [_told(added, "not signed"), _told(missing, "signed, but missing"), _told(changed, "not as it was signed")]
    if any(told):
        raise UntrustedRelease(f"{folder}: {'; '.join(sentence for sentence in told if sentence)}")


def _digest(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError as error:
        raise UntrustedRelease(f"cannot read {path}: {error.strerror}") from error


def _told(names: list[str], what: str) -> str:
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more} {'is' if len(names) == 1 else 'are'} {what}"


def is_aside(name: str) -> bool:
    """Whether a killed writer left it."""
    return any(fnmatch(name, pattern) for pattern in ASIDE)
