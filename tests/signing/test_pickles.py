import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lookalike.signing.pickles import plain_files, scan_file

CODE = b"cos\nsystem\n(S'echo'\ntR."


class Runs:
    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return date, (2026, 1, 1)


def _zipped(content: bytes, name: str = "archive/data.pkl") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _saved(save: Callable[..., object], *values: object, **named: object) -> bytes:
    file = io.BytesIO()
    save(file, *values, **named)
    return file.getvalue()


WANTED = {
    **{f"protocol {number}": pickle.dumps({"a": [1.5, "b"], "c": Runs()}, number) for number in range(6)},
    **{f"plain {number}": pickle.dumps([1, 2, 3], number) for number in range(6)},
    "written by hand": CODE,
    "broken after it has run": CODE[:-1] + b"\xff\xff",
    "objects in npy": _saved(np.save, np.array([{}, None], dtype=object), allow_pickle=True),
    "objects in npz": _saved(np.savez, a=np.array([{}], dtype=object)),
    "torch's archive": _zipped(pickle.dumps({"weight": 1})),
    "behind other bytes": b"GIF89a" + _zipped(CODE, "a"),
    "a damaged archive": _zipped(CODE)[:-30],
    "gzip": gzip.compress(CODE),
    "bzip2": bz2.compress(CODE),
    "xz": lzma.compress(CODE),
    "zlib, as joblib has it": zlib.compress(pickle.dumps([1])),
    "within other bytes": b'{"function": "' + pickle.dumps(Runs()) + b'"}',
    "within, before frames": bytes(100) + pickle.dumps(Runs(), 2) + bytes(100),
}


@pytest.mark.parametrize("content", WANTED.values(), ids=WANTED)
def test_a_pickle_is_found_in_whatever_it_is_wrapped(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "weights.safetensors").write_bytes(content)
    assert scan_file(tmp_path / "weights.safetensors") is not None


def test_a_pickled_type_in_a_parquet_schema_is_found(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("a", pa.int64(), metadata={"ARROW:extension:name": "arrow.py_extension_type"})])
    pq.write_table(pa.table({"a": [1]}, schema=schema), tmp_path / "a.parquet")
    assert "schema" in str(scan_file(tmp_path / "a.parquet"))


def test_a_pickle_in_a_database_is_found(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("create table udf (body blob)")
        database.execute("insert into udf values (?)", (pickle.dumps(Runs()),))
    database.close()
    assert "at byte" in str(scan_file(tmp_path / "a.db"))


def test_ordinary_files_are_not_taken_for_pickles(tmp_path: Path) -> None:
    Image.linear_gradient("L").save(tmp_path / "a.png")
    Image.linear_gradient("L").save(tmp_path / "a.jpg")
    np.save(tmp_path / "a.npy", np.eye(3))
    np.savez_compressed(tmp_path / "a.npz", a=np.eye(3))
    pq.write_table(pa.table({"a": ["cos", "system"], "b": [b"\x80", b""]}), tmp_path / "a.parquet")
    (tmp_path / "a.json").write_text(json.dumps({"N": "."}))
    (tmp_path / "a.csv").write_text("catalogue,colour\nboots,red\nR.\n")
    (tmp_path / "a.md").write_text("# Card\n\nI have no pickle.\n")
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"only text"))
    (tmp_path / "empty").touch()
    assert {path.name: scan_file(path) for path in plain_files(tmp_path) if scan_file(path)} == {}


@settings(max_examples=200, deadline=None)
@given(content=st.binary(min_size=12, max_size=2_000))
def test_text_that_json_writes_is_never_one(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "a.json"
    path.write_text(json.dumps({"text": content.decode("latin-1")}))
    assert scan_file(path) is None
