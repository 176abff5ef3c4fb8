"""Keeps readers out of an SQLite file: `python -m benchmarks.serving.hold_store FILE`, until standard input closes.

The file is in WAL mode, where no transaction keeps readers out; so it takes the locks that mark who reads, as a
checkpoint that hangs would. A process of its own, because closing the file elsewhere in a process drops its locks.
"""

import fcntl
import os
import sys
from pathlib import Path

FIRST_READER, READERS = 123, 5
"""Bytes of the shared-memory file (https://www.sqlite.org/walformat.html, section 2.3.1)."""


def main(store: Path) -> None:
    """Say `held` once nobody can read any more."""
    with store.with_name(f"{store.name}-shm").open("r+b") as shared:
        fcntl.lockf(shared, fcntl.LOCK_EX, READERS, FIRST_READER)
        sys.stdout.write("held\n")
        sys.stdout.flush()
        while os.read(0, 4096):
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
