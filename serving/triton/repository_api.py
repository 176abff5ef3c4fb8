"""Triton's health and model repository calls over HTTP, with its answers in words."""

import http.client
import json
from typing import Any

from lookalike.errors import BackendUnavailable, ReleaseError

READY, LOADING, UNLOADING = "READY", "LOADING", "UNLOADING"


class RepositoryApi:
    """Blocking calls to one Triton server at `host:port`."""

    def __init__(self, address: str, timeout_seconds: float = 60.0, look_seconds: float = 5.0) -> None:
        """A load may take long. Looks are answered at once, but where their connection was given to the thread of
        Triton's HTTP server that is busy with a load: then another try is better than waiting for its end."""
        self.address = address
        self._timeout, self._look = timeout_seconds, look_seconds

    def live(self) -> bool:
        """Whether the server itself answers."""
        return self._answers("/v2/health/live")

    def ready(self, model: str) -> bool:
        """Whether the server calls the model ready; its golden vectors say whether it really is."""
        return self._answers(f"/v2/models/{model}/ready")

    def load(self, model: str) -> None:
        """Load or reload a model; on failure the one loaded before keeps serving. Raises ReleaseError."""
        self._change(model, "load")

    def unload(self, model: str) -> None:
        """Stop serving a model. Raises ReleaseError."""
        self._change(model, "unload")

    def models(self) -> dict[str, str]:
        """Every model of the repository by name, with its state (READY, LOADING, UNLOADING, UNAVAILABLE or empty)."""
        _, body = self._request("POST", "/v2/repository/index", self._look)
        return {entry["name"]: entry.get("state", "") for entry in json.loads(body)}

    def _change(self, model: str, verb: str) -> None:
        status, body = self._request("POST", f"/v2/repository/models/{model}/{verb}", self._timeout)
        if status != http.client.OK:
            raise ReleaseError(f"Triton could not {verb} {model}: {_reason(body)}")

    def _answers(self, path: str) -> bool:
        try:
            return self._request("GET", path, self._look)[0] == http.client.OK
        except BackendUnavailable:
            return False

    def _request(self, method: str, path: str, seconds: float) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.address, timeout=seconds)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise BackendUnavailable(f"Triton at {self.address} does not answer: {error}") from error
        finally:
            connection.close()


def _reason(body: bytes) -> str:
    try:
        values: Any = json.loads(body)
        return str(values["error"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:400] or "no reason given"
