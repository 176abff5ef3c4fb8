"""Triton's init step: `python -m serving.triton.verify REPOSITORY --trusted-keys file:PATH [--into FOLDER]`.

Triton itself knows no signatures, so nothing may reach it that was not verified before: run this as an init container
(in the image of the search service) or before Triton starts. With `--into` every model is copied first and the copy is
verified, so that Triton, serving the copies, reads the very bytes that were proven whatever is written to the
repository meanwhile.
"""

import argparse
import logging
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from lookalike.errors import LookalikeError, UntrustedRelease
from lookalike.release.signed import verify_model
from lookalike.signing.files import is_aside
from lookalike.signing.keys import TrustedKeys, load_trusted_keys
from lookalike.storage import atomic_folder

log = logging.getLogger(__name__)


def verify_repository(
    repository: Path, trusted: TrustedKeys, day: date, into: Path | None = None, only: Sequence[str] = ()
) -> list[str]:
    """Prove the named models, or all; returns their names. With `into` they are copied there, all or none.

    Raises UntrustedRelease for the first that is not as it was signed, and where there is none.
    """
    names = list(only) or sorted(path.name for path in repository.glob("*") if not is_aside(path.name))
    missing = [name for name in names if not (repository / name).is_dir()]
    if missing or not names:
        raise UntrustedRelease(f"{repository} holds no model {', '.join(missing)}".rstrip())
    if into is None:
        for name in names:
            _verify(repository / name, trusted, day)
        return names
    with atomic_folder(into) as aside:
        for name in names:
            shutil.copytree(repository / name, aside / name, symlinks=True)
            _verify(aside / name, trusted, day)
    return names


def _verify(folder: Path, trusted: TrustedKeys, day: date) -> None:
    log.info("model %s is as %s signed it", folder.name, verify_model(folder, trusted, day))


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code: 2 where a model is refused, and then Triton must not start."""
    parser = argparse.ArgumentParser(prog="python -m serving.triton.verify", description=verify_repository.__doc__)
    parser.add_argument("repository", type=Path, help="Triton's model repository")
    parser.add_argument("--trusted-keys", required=True, help="keys of signers: file:PATH or env:NAME")
    parser.add_argument("--into", type=Path, help="folder to copy the models to; Triton serves that one")
    parser.add_argument("--only", action="append", default=[], metavar="MODEL", help="prove this one; may be repeated")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        trusted, today = load_trusted_keys(chosen.trusted_keys), datetime.now(UTC).date()
        verify_repository(chosen.repository, trusted, today, chosen.into, chosen.only)
    except LookalikeError as error:
        log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
