"""States in a folder, in memory and behind the S3 protocol keep the same promises."""

import json
import logging
import uuid
from pathlib import Path

import pytest

from lookalike.errors import ArtifactError, ConfigError, StorageError
from lookalike.training.shelves import Shelf, open_shelf
from lookalike.training.state_store import LATEST, StateStore
from tests.training.object_storage import BUCKET


@pytest.fixture(params=["folder", "memory", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """An empty one of each kind."""
    if request.param == "folder":
        return open_shelf(str(tmp_path / "run"))
    if request.param == "memory":
        return open_shelf(f"memory://{uuid.uuid4()}/run")
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(name, value)
    return open_shelf(f"s3://{BUCKET}/{uuid.uuid4()}/run")


def listed(shelf: Shelf) -> list[str]:
    content = shelf.get(LATEST)
    assert content is not None
    return [state["file"] for state in json.loads(content)["states"]]


def test_a_run_that_has_not_begun_has_no_state(shelf: Shelf) -> None:
    assert StateStore(shelf).newest() is None


def test_the_newest_state_is_found_and_only_the_last_ones_stay(shelf: Shelf) -> None:
    store = StateStore(shelf, keep=2)
    for steps in (500, 1000, 1500):
        store.save(f"after {steps}".encode(), steps)
    assert store.newest() == b"after 1500"
    assert sorted(shelf.names()) == sorted([*listed(shelf), LATEST])
    assert [name.partition("-")[0] for name in listed(shelf)] == ["000001500", "000001000"]


def test_a_writer_killed_before_the_list_leaves_the_state_before(shelf: Shelf) -> None:
    store = StateStore(shelf)
    store.save(b"whole", 1)
    shelf.put("000000002-0123456789ab.safetensors", b"never listed")
    assert store.newest() == b"whole"
    store.save(b"next", 3)
    assert "000000002-0123456789ab.safetensors" not in shelf.names()


def test_a_changed_byte_is_noticed_and_the_state_before_is_taken(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    store = StateStore(shelf)
    store.save(b"first", 1)
    store.save(b"second", 2)
    newest, before = listed(shelf)
    shelf.put(newest, b"sEcond")
    with caplog.at_level(logging.WARNING):
        assert store.newest() == b"first"
    assert "the state after 2 steps" in caplog.text
    shelf.remove(before)
    with pytest.raises(ArtifactError, match="none of the states"):
        store.newest()


def test_a_list_that_is_no_list_is_refused(shelf: Shelf) -> None:
    shelf.put(LATEST, b"{")
    with pytest.raises(ArtifactError, match="is damaged"):
        StateStore(shelf).newest()


def test_a_run_that_is_over_leaves_nothing(shelf: Shelf) -> None:
    store = StateStore(shelf)
    store.save(b"state", 1)
    store.clear()
    assert shelf.names() == []
    assert store.newest() is None


def test_a_folder_may_be_named_by_url(tmp_path: Path) -> None:
    open_shelf(f"file://{tmp_path}/run").put("name", b"content")
    assert (tmp_path / "run" / "name").read_bytes() == b"content"


@pytest.mark.parametrize("address", ["nowhere://bucket/run", "gs://bucket/run"])
def test_an_address_that_nothing_here_reads_is_refused_by_name(address: str) -> None:
    with pytest.raises(ConfigError, match=f"cannot keep anything at {address}"):
        open_shelf(address)


def test_a_bucket_that_is_not_there_is_an_error_of_storage(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match="s3://missing/run/name was not written"):
        open_shelf("s3://missing/run").put("name", b"content")
