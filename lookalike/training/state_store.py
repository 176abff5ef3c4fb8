"""The last states of one run, newest first: contents under names of their own, and one small file that lists them.

A state is put in place before it is listed, so a writer killed at any moment leaves this list or the one before.
"""

import json
import logging
from typing import Any

from lookalike.errors import ArtifactError
from lookalike.storage import digest_bytes
from lookalike.training.shelves import Shelf

log = logging.getLogger(__name__)

LATEST = "latest.json"
KEEP = 2
"""States kept: should the newest be damaged, the run goes on from the one before."""


class StateStore:
    """States as bytes; what they hold is `state`'s business."""

    def __init__(self, shelf: Shelf, keep: int = KEEP) -> None:
        self._shelf, self._keep = shelf, keep

    def save(self, content: bytes, steps: int) -> None:
        """Put the state after so many steps before all others, and forget those that are too many."""
        digest = digest_bytes(content)
        name = f"{steps:09d}-{digest[:12]}.safetensors"
        self._shelf.put(name, content)
        earlier = [state for state in self._listed() if state["file"] != name]
        kept = [{"file": name, "steps": steps, "sha256": digest}, *earlier][: self._keep]
        self._shelf.put(LATEST, json.dumps({"states": kept}, indent=2).encode())
        self._forget_all_but({LATEST, *(state["file"] for state in kept)})

    def newest(self) -> bytes | None:
        """The newest state that is what was written; None where none was.

        Raises ArtifactError where some were and none is.
        """
        listed = self._listed()
        for state in listed:
            content = self._shelf.get(state["file"])
            if content is not None and digest_bytes(content) == state["sha256"]:
                return content
            log.warning("the state after %d steps, %s, is missing or damaged", state["steps"], state["file"])
        if listed:
            raise ArtifactError(f"none of the states that {LATEST} lists can be read; remove it to train anew")
        return None

    def clear(self) -> None:
        """Forget everything: the run is over."""
        self._shelf.remove(LATEST)  # first, so that it never lists what is gone
        self._forget_all_but(set())

    def _listed(self) -> list[dict[str, Any]]:
        content = self._shelf.get(LATEST)
        if content is None:
            return []
        try:
            states: list[dict[str, Any]] = json.loads(content)["states"]
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{LATEST} of the training states is damaged; remove it to train anew") from error
        return states

    def _forget_all_but(self, kept: set[str]) -> None:
        for name in set(self._shelf.names()) - kept:
            self._shelf.remove(name)
