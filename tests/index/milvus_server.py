"""Runs tests on a Milvus server: `unshare -rn python -m tests.index.milvus_server FOLDER TESTS`.

The server listens on all interfaces, so both it and the tests live in a network that has nothing but loopback.
"""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.milvus_server import milvus_server
from tests.index.conftest import SERVER


def main(folder: str, tests: str) -> int:
    """Those that have `server` in their name, or in that of their index."""
    with milvus_server(Path(folder)) as uri:
        os.environ[SERVER] = uri
        return int(pytest.main([tests, "-k", "server", "-p", "no:cacheprovider"]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
