"""A stage's output is there whole or not at all."""

import json
import os
import threading
from pathlib import Path

import pytest

from lookalike.errors import ArtifactError, StorageError
from lookalike.storage import (
    StageRecord,
    atomic_file,
    atomic_folder,
    digest_bytes,
    digest_files,
    digest_json,
    private_folder,
    read_json,
    read_seal,
    recover_folder,
    remove_folder,
    resumed_folder,
    run_stage,
    unfinished,
    write_json,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def stage(output: Path, text: str = "made", **changes: object) -> StageRecord:
    """A stage that writes one line; its settings are its text."""

    def work(folder: Path) -> dict[str, int]:
        (folder / "out.txt").write_text(text)
        return {"letters": len(text)}

    wiring = {"inputs": {}, "settings": {"text": text}, "content": ["out.txt"], "work": work} | changes
    return run_stage("make", output, **wiring)


def test_a_file_replaces_the_old_one_whole(tmp_path: Path):
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"b": 1, "a": [2]})
    write_json(path, {"a": 3})
    assert read_json(path) == {"a": 3}
    assert names(path.parent) == ["file.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_interrupted_file_leaves_the_old_one(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_file(path) as aside:
        aside.write_text("half of the new")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_an_interrupted_folder_leaves_the_old_one(tmp_path: Path):
    folder = tmp_path / "out"
    with atomic_folder(folder) as aside:
        (aside / "a").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(folder) as aside:
        (aside / "b").write_text("half")
        raise RuntimeError
    assert (names(tmp_path), names(folder)) == (["out"], ["a"])


def test_a_new_folder_takes_the_place_of_the_old_one(tmp_path: Path):
    for name in ("a", "b"):
        with atomic_folder(tmp_path / "out") as aside:
            (aside / name).write_text("x")
    assert (names(tmp_path), names(tmp_path / "out")) == (["out"], ["b"])


def test_a_folder_is_never_missing_while_it_is_replaced(tmp_path: Path):
    stage(tmp_path / "out", "first")
    done, missing = threading.Event(), []

    def look() -> None:
        while not done.is_set():
            missing.extend([1] if not (tmp_path / "out" / "out.txt").is_file() else [])

    watcher = threading.Thread(target=look)
    watcher.start()
    for turn in range(20):
        stage(tmp_path / "out", f"turn {turn}")
    done.set()
    watcher.join()
    assert missing == []


def test_where_folders_cannot_be_exchanged_a_kill_between_two_renames_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("lookalike.storage.exchange", lambda one, other: False)
    stage(tmp_path / "out", "first")
    stage(tmp_path / "out", "second")
    assert (tmp_path / "out" / "out.txt").read_text() == "second"
    (tmp_path / ".out.abc.old").mkdir()
    (tmp_path / "out").rename(tmp_path / ".out.abc.old" / "was")
    recover_folder(tmp_path / "out")
    assert stage(tmp_path / "out", "second").reused


def test_a_folder_is_out_of_sight_before_the_first_of_its_files_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stage(tmp_path / "out")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("lookalike.storage.shutil.rmtree", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        remove_folder(tmp_path / "out")
    [left] = names(tmp_path)
    assert left.endswith(".removed")
    stage(tmp_path / "out")
    remove_folder(tmp_path / "out")  # what was left of the first is not in the way
    assert names(tmp_path) == [left]


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path):
    with (
        pytest.raises(StorageError, match=r"the disk is full: .*out was not written"),
        atomic_folder(tmp_path / "out"),
        Path("/dev/full").open("wb", buffering=0) as device,
    ):
        device.write(b"x")
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot be written"), atomic_file(tmp_path / "file"):
        pass


def test_digests_follow_content_and_not_order(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    assert digest_files(tmp_path, ["a", "b"]) == digest_files(tmp_path, ["b", "a"])
    assert digest_json({"x": 1, "y": 2}) == digest_json({"y": 2, "x": 1})
    assert digest_json([1, 2]) != digest_json([2, 1])
    assert digest_bytes(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    before = digest_files(tmp_path, ["a", "b"])
    (tmp_path / "a").write_bytes(b"3")
    assert digest_files(tmp_path, ["a", "b"]) != before


def test_a_stage_runs_once_for_the_same_inputs(tmp_path: Path):
    first, again = stage(tmp_path / "out"), stage(tmp_path / "out")
    assert (first.reused, again.reused) == (False, True)
    assert (again.content, again.figures, again.seconds) == (first.content, {"letters": 4}, first.seconds)
    assert names(tmp_path / "out") == ["out.txt", "stage.json"]


def test_other_settings_run_again_and_replace(tmp_path: Path):
    stage(tmp_path / "out")
    changed = stage(tmp_path / "out", "other")
    assert not changed.reused
    assert (tmp_path / "out" / "out.txt").read_text() == "other"


@pytest.mark.parametrize("damage", ["changed", "removed"])
def test_a_damaged_output_is_made_again(tmp_path: Path, damage: str):
    stage(tmp_path / "out")
    path = tmp_path / "out" / "out.txt"
    path.write_text("tampered") if damage == "changed" else path.unlink()
    assert not stage(tmp_path / "out").reused
    assert path.read_text() == "made"


def test_a_stage_depends_on_the_content_of_its_inputs(tmp_path: Path):
    stage(tmp_path / "input")
    wiring = {"inputs": {"input": tmp_path / "input"}}
    stage(tmp_path / "out", **wiring)
    assert stage(tmp_path / "out", **wiring).reused
    stage(tmp_path / "input", "other")
    assert not stage(tmp_path / "out", **wiring).reused


def test_a_failed_stage_leaves_nothing_and_the_next_run_succeeds(tmp_path: Path):
    def fails(folder: Path) -> dict[str, int]:
        (folder / "out.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path / "out", work=fails)
    assert names(tmp_path) == []
    assert not stage(tmp_path / "out").reused


def test_a_folder_without_a_seal_is_no_stage_output(tmp_path: Path):
    with pytest.raises(ArtifactError, match="not a finished stage output"):
        read_seal(tmp_path)
    with pytest.raises(ArtifactError, match="run the stage that makes it first"):
        stage(tmp_path / "out", inputs={"input": tmp_path / "nowhere"})


def test_broken_json_names_its_file(tmp_path: Path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"x\.json is not valid JSON"):
        read_json(tmp_path / "x.json")
    with pytest.raises(ArtifactError, match=r"cannot read .*y\.json"):
        read_json(tmp_path / "y.json")


def test_the_seal_is_plain_json(tmp_path: Path):
    record = stage(tmp_path / "out")
    seal = json.loads((tmp_path / "out" / "stage.json").read_text())
    assert (seal["stage"], seal["content"], seal["files"]) == ("make", record.content, ["out.txt"])
    assert read_seal(tmp_path / "out") == record


def test_an_interrupted_folder_is_given_to_the_same_work_alone(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt), resumed_folder(tmp_path / "out", "work") as folder:
        (folder / "first").write_text("done")
        raise KeyboardInterrupt
    assert not (tmp_path / "out").exists()
    with resumed_folder(tmp_path / "other", "work") as folder:
        assert names(folder) == []
    with pytest.raises(KeyboardInterrupt), resumed_folder(tmp_path / "out", "other work") as folder:
        assert names(folder) == []
        raise KeyboardInterrupt
    with resumed_folder(tmp_path / "out", "work") as folder:
        assert names(folder) == ["first"]
        (folder / "second").write_text("done")
    assert names(tmp_path / "out") == ["first", "second"]
    assert not unfinished(tmp_path / "out", "work").exists()


def test_two_at_the_same_work_are_one_too_many(tmp_path: Path):
    with resumed_folder(tmp_path / "out", "work"):
        refused = pytest.raises(StorageError, match=r"another process is at work in .*out.*partial; wait until it is")
        with refused, resumed_folder(tmp_path / "out", "work"):
            pass
        with resumed_folder(tmp_path / "out", "other work"):
            pass
        (tmp_path / "out").rmdir()
    assert names(tmp_path) == ["out"]


def test_a_private_folder_is_taken_up_by_its_owner_alone(tmp_path: Path) -> None:
    mine = private_folder(tmp_path / "photos")
    assert mine.stat().st_mode & 0o777 == 0o700
    (mine / "kept").touch()
    assert (private_folder(mine) / "kept").is_file()
    mine.chmod(0o777)
    with pytest.raises(StorageError, match=r"photos was not made by this process' user for itself alone"):
        private_folder(mine)


def test_a_private_folder_is_not_a_link_nor_anothers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(private_folder(tmp_path / "photos"))
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    for name in ("link", "lost", "file"):
        with pytest.raises(StorageError, match=f"{name} was not made by"):
            private_folder(tmp_path / name)
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(StorageError, match="photos was not made by"):
        private_folder(tmp_path / "photos")
