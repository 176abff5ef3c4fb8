"""Whether a file holds a pickle, which runs whatever code its writer liked when it is opened.

The scanners of the field (picklescan, fickling, modelscan) ask whether a pickle is dangerous. Here none is wanted at
all, so Python's own disassembler says what is one, in whatever a file is wrapped in.
"""

import base64
import bz2
import gzip
import io
import lzma
import mmap
import pickletools
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib import format as npy

RUNS = {"REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "STACK_GLOBAL"}
"""Opcodes that call or import; they have run before a damaged pickle ends in an error."""
MOST_UNPACKED = 1 << 30
"""Bytes that are looked at within one compressed file."""
UNSEEN = "an archive that cannot be looked into"
_UNPACKERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_BEGINS = re.compile(
    rb"\x80[\x04\x05]\x95.{5}\x00{3}"  # a frame, below a terabyte
    rb"|\x80[\x02\x03](?:c[A-Za-z_][\w.]*\n[A-Za-z_]|[\]})(]q\x00)",  # before frames: an import, or the first memo
    re.DOTALL,
)
"""How Python's pickler begins; looked for within files, where two bytes alone are found by chance."""
_NO_PICKLE = (ValueError, IndexError, KeyError, OverflowError, MemoryError)
"""What the disassembler raises for bytes that are none."""
_DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


def plain_files(folder: Path) -> list[Path]:
    """Every file below a folder; links are not followed."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def scan_file(path: Path) -> str | None:
    """Where in the file a pickle is, None where there is none."""
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # odd escapes, in bytes that are no text
        return _scan(file, zips=True)


def _scan(file: BinaryIO, zips: bool) -> str | None:
    """Of a seekable stream, at whatever it can be taken for: readers choose by different signs."""
    start = file.read(16)
    for looks, look in (
        (True, _in_stream),
        (start.startswith(npy.MAGIC_PREFIX), _in_array),
        (start.startswith(b"PAR1"), _in_parquet),
        (True, _inside),
        (zips, _in_zip),
        (zips, _in_compressed),
    ):
        file.seek(0)
        found = look(file) if looks else None
        if found is not None:
            return found
    return None


def _in_stream(file: BinaryIO, start: int = 0) -> str | None:
    """What `pickle.load` would read from here on is a pickle."""
    try:
        if _runs_code(file):
            return "a pickle that runs code"
        file.seek(start)
        pickletools.dis(file, out=io.StringIO())  # raises where the stack would run empty, or no end comes
    except _NO_PICKLE:
        return None
    return "a pickle"


def _runs_code(file: BinaryIO) -> bool:
    """Whether an opcode that calls or imports is reached with all it needs; what comes after it does not matter."""
    stack: list[object] = []
    for opcode, _, _ in pickletools.genops(file):
        needed = len(opcode.stack_before)
        if pickletools.markobject in opcode.stack_before:
            while stack.pop() is not pickletools.markobject:  # IndexError: there is none
                pass
            needed = opcode.stack_before.index(pickletools.markobject)
        if len(stack) < needed:
            return False
        del stack[len(stack) - needed :]
        if opcode.name in RUNS:
            return True
        stack += opcode.stack_after
    return False


def _inside(file: BinaryIO) -> str | None:
    """Somewhere in the file, as in a field of a database or a message."""
    for begin in _BEGINS.finditer(_content(file)):
        file.seek(begin.start())
        found = _in_stream(file, begin.start())
        if found is not None:
            return f"{found}, at byte {begin.start():,}"
    return None


def _content(file: BinaryIO) -> bytes | mmap.mmap:
    """Without reading what lies on disk into memory."""
    if isinstance(file, io.BytesIO):
        return file.getvalue()
    size = file.seek(0, io.SEEK_END)
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""


def _in_array(file: BinaryIO) -> str | None:
    """numpy pickles arrays of objects."""
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        _, _, kind = read(file)
    except _DAMAGED:
        return None
    return f"an array of {np.dtype(kind)}, which numpy pickles" if kind.hasobject else None


def _in_parquet(file: BinaryIO) -> str | None:
    """Arrow's extension types in Python are pickled into a schema (CVE-2023-47248)."""
    try:
        metadata = pq.ParquetFile(file).metadata.metadata or {}
    except (pa.ArrowException, OSError):
        return None
    schema = base64.b64decode(metadata.get(b"ARROW:schema", b""))
    return "a pickled type in a parquet schema" if b"arrow.py_extension_type" in schema else None


def _in_zip(file: BinaryIO) -> str | None:
    """Archives of torch, npz, and whatever else is a zip, by its end or by its beginning."""
    begins = file.read(2) == b"PK"
    if not (zipfile.is_zipfile(file) or begins):
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            return next(filter(None, (_in_member(archive, name) for name in archive.namelist())), None)
    except _DAMAGED:
        return UNSEEN if begins else None  # the sign of an archive's end is met by chance


def _in_member(archive: zipfile.ZipFile, name: str) -> str | None:
    try:
        with archive.open(name) as member:
            found = _scan(io.BytesIO(member.read(MOST_UNPACKED)), zips=False)
    except (*_DAMAGED, RuntimeError):  # RuntimeError: a password
        return UNSEEN
    return f"{found}, in {name}" if found else None


def _in_compressed(file: BinaryIO) -> str | None:
    """joblib and others compress pickles."""
    start = file.read(16)
    file.seek(0)
    for magic, unpack in _UNPACKERS.items():
        if start.startswith(magic):
            return _unpacked(lambda unpack=unpack: unpack(file).read(MOST_UNPACKED))  # type: ignore[misc]
    if start[:1] == b"\x78":  # zlib
        return _unpacked(lambda: zlib.decompressobj().decompress(file.read(), MOST_UNPACKED))
    return None


def _unpacked(read: Callable[[], bytes]) -> str | None:
    try:
        found = _scan(io.BytesIO(read()), zips=False)
    except _DAMAGED:
        return None
    return f"{found}, compressed" if found else None
