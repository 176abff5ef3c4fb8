"""Verified copies of a model repository, for a Triton that reads nothing else.

Triton itself knows no signatures. A mirror runs once before it starts, and then beside it, since releases come later:
what is as it was signed is copied, and Triton serves the copies, so that it reads the very bytes that were proven
whatever is written to the repository meanwhile.
"""

import logging
import shutil
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

from lookalike.errors import LookalikeError, UntrustedRelease
from lookalike.release.publish import published_models
from lookalike.release.signed import verify_model
from lookalike.signing.keys import TrustedKeys

log = logging.getLogger(__name__)

INCOMING = "incoming"
"""Beside the served folder, on the same volume: there copies are proven before Triton can see them."""


class Mirror:
    """Keeps `served` a copy of those models of `repository` that are as they were signed.

    What is refused is said once for each reason, and keeps nothing else out. A copy that was proven stays until its
    model is removed from the repository, also when its key is trusted no longer: so does a release in service.
    """

    def __init__(
        self, repository: Path, served: Path, keys: Callable[[], TrustedKeys], today: Callable[[], date]
    ) -> None:
        """`keys` is asked at every look, so that they change without a restart."""
        self.refused: dict[str, str] = {}
        """Reasons by model, as of the last look."""
        self._repository, self._served = repository, served
        self._incoming = served.parent / INCOMING
        self._keys, self._today = keys, today

    def look(self) -> None:
        """Copy what is new, take away what is gone. Raises LookalikeError or OSError where nothing could be looked at,
        and then nothing was taken away."""
        self._served.mkdir(parents=True, exist_ok=True)
        next(self._repository.iterdir(), None)  # raises, where a glob finds nothing
        found, copies = published_models(self._repository), published_models(self._served)
        if copies and not found:
            log.warning("%s is empty; the %d copies are kept until it has a model again", self._repository, len(copies))
            return
        self._add([name for name in found if name not in copies])
        for name in copies:
            if name not in found:
                self._take_away(name)

    def _add(self, names: list[str]) -> None:
        known, self.refused = self.refused, {}
        if not names:
            return
        keys = self._keys()
        for name in names:
            try:
                by = self._copy(name, keys)
            except UntrustedRelease as error:
                self.refused[name] = str(error)
                if known.get(name) != str(error):
                    log.error("model %s is kept from Triton: %s", name, error)
                continue
            log.info("model %s is as %s signed it, and copied", name, by)

    def _copy(self, name: str, keys: TrustedKeys) -> str:
        """Proven twice: before, so that nobody fills the volume with a stranger's files, and as it was copied."""
        verify_model(self._repository / name, keys, self._today())
        copy = self._incoming / name
        shutil.rmtree(copy, ignore_errors=True)
        try:
            shutil.copytree(self._repository / name, copy, symlinks=True)
            by = verify_model(copy, keys, self._today())
            copy.rename(self._served / name)
        except (OSError, shutil.Error) as error:
            raise UntrustedRelease(f"{self._repository / name} changed while it was copied: {error}") from error
        finally:
            shutil.rmtree(copy, ignore_errors=True)
        return by

    def _take_away(self, name: str) -> None:
        aside = self._incoming / name
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        (self._served / name).rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
        log.info("model %s was removed", name)


def keep_looking(mirror: Mirror, seconds: float, ended: threading.Event) -> None:
    """Look every so often until it is told to end; a look that fails is said and made again."""
    while not ended.wait(seconds):
        try:
            mirror.look()
        except (LookalikeError, OSError) as error:
            log.error("the models could not be looked at: %s", error)
