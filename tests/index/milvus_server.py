"""Runs the contract, and filling in bulk, on a Milvus server: `unshare -rn python -m tests.index.milvus_server FOLDER`.

The server listens on all interfaces, so both it and the tests live in a network that has nothing but loopback.
"""

import fcntl
import os
import socket
import struct
import sys

import pytest
from milvus import MilvusServer

from tests.index.conftest import SERVER

TESTS = ("tests/index/test_contract.py", "tests/index/test_milvus_bulk.py")
"""Those of their tests that have `server` in their name, or in that of their index, run."""
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING


def main(folder: str) -> int:
    with socket.socket() as any_socket:  # a new network's loopback is down
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))
    server = MilvusServer()
    server.set_base_dir(folder)
    server.start()
    os.environ[SERVER] = f"http://127.0.0.1:{server.listen_port}"
    try:
        return int(pytest.main([*TESTS, "-k", "server", "-p", "no:cacheprovider"]))
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
