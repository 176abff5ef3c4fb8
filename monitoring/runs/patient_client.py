"""KFP's client with an end to its patience: its own waits for a server that hangs for ever."""

from typing import Any

from kfp.client import Client
from kfp_server_api.rest import RESTClientObject
from urllib3.util import Retry

ATTEMPTS = Retry(3, read=False)
"""Connecting is tried again; what a server that hangs was asked may be under way and is not asked twice."""


class PatientRest(RESTClientObject):
    """Requests of the generated client, none of which names a time of its own."""

    def __init__(self, configuration: Any, seconds: float) -> None:
        configuration.retries = ATTEMPTS
        super().__init__(configuration)
        self._seconds = seconds

    def request(self, *asked: Any, _request_timeout: Any = None, **more: Any) -> Any:
        patience = (self._seconds, self._seconds)  # to connect, and between two bytes of the answer
        return super().request(*asked, _request_timeout=_request_timeout or patience, **more)


class PatientClient(Client):
    """Raises urllib3's errors where the server at `host` is silent for `seconds`."""

    def __init__(self, host: str, seconds: float, **more: Any) -> None:
        self._seconds = seconds
        super().__init__(host=host, **more)
        self._be_patient()

    def get_kfp_healthz(self, sleep_duration: int = 5) -> Any:
        """Asked while the client is still being made, before anybody else can reach its connection."""
        self._be_patient()
        return super().get_kfp_healthz(sleep_duration)

    def _be_patient(self) -> None:
        shared = self._healthz_api.api_client
        if not isinstance(shared.rest_client, PatientRest):
            shared.rest_client = PatientRest(shared.configuration, self._seconds)
