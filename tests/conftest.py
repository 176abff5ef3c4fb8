"""Fixtures every test may use: the network is closed, real photos are optional."""

import os
import socket
from pathlib import Path

import pytest

LOCAL = ("127.0.0.1", "::1", "localhost")
BESIDE = Path(__file__).parents[2] / "shared"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave this machine; servers under test listen on loopback."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in LOCAL:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def fpi_folder() -> Path:
    """The Fashion Product Images set as parquet; LOOKALIKE_FPI names its folder."""
    return _folder("LOOKALIKE_FPI", BESIDE / "data" / "fpi", "Fashion Product Images parquet files")


@pytest.fixture(scope="session")
def weights_folder() -> Path:
    """Pretrained backbones in transformers format; LOOKALIKE_WEIGHTS names their folder."""
    return _folder("LOOKALIKE_WEIGHTS", BESIDE / "weights", "pretrained backbones")


@pytest.fixture(scope="session")
def schemas_folder() -> Path:
    """Descriptions of the interfaces of Kubeflow and KServe; LOOKALIKE_SCHEMAS names their folder."""
    return _folder("LOOKALIKE_SCHEMAS", BESIDE / "schemas", "interface descriptions")


def _folder(variable: str, default: Path, what: str) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"no {what} at {folder}; set {variable} to a folder that has them")
    return folder
