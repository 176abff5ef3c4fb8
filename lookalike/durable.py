"""What survives more than the end of a process: files flushed to the disk, folders that change places in one step.

A killed process loses nothing it handed to the operating system. A machine that loses power does: a rename may be on
the disk before the bytes it names. So what is acknowledged is flushed first: the file, then the folder that lists it.
"""

import ctypes
import errno
import os
import sys
from pathlib import Path

_RENAME_EXCHANGE = 2  # linux/fs.h
_FROM_HERE = -100  # AT_FDCWD: paths are relative to the working directory


def flush(path: Path) -> None:
    """Return once a file's bytes, or a folder's names, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def flush_tree(folder: Path) -> None:
    """Return once everything in a folder is on the disk."""
    for inner, _, names in os.walk(folder):
        for name in names:
            flush(Path(inner) / name)
        flush(Path(inner))


def exchange(one: Path, other: Path) -> bool:
    """Let two folders take each other's name in one step; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    sys.audit("lookalike.exchange", str(one), str(other))  # as os.rename does, which has no such step
    if rename(_FROM_HERE, os.fsencode(one), _FROM_HERE, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(other))
