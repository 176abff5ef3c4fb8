import shutil
from pathlib import Path

import pytest

from lookalike.embedders.model_folder import load_model
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.errors import ArtifactError, ReleaseError
from lookalike.release import publish
from lookalike.release.publish import publish_model, published_models, remove_models
from tests.release.tiny import exported


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def written(folder: Path) -> dict[str, tuple[int, int, int]]:
    """By file, which one it is and when it was last written; not when it was read, for comparing reads it."""
    stats = {name: (folder / name).stat() for name in files(folder)}
    return {name: (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in stats.items()}


def test_a_published_model_is_whole_and_opens(tmp_path: Path) -> None:
    folder = publish_model(exported(), tmp_path)
    assert folder.name == load_model(exported()).name
    assert files(folder) == {"config.pbtxt", "1/model.onnx", "model.json", "golden.json"}
    assert OnnxEmbedder(folder).identity == OnnxEmbedder(exported()).identity


def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    folder = publish_model(exported(), tmp_path)
    before = written(folder)
    publish_model(exported(), tmp_path)
    assert written(folder) == before


@pytest.mark.parametrize("name", ["config.pbtxt", "1/model.onnx"])
def test_a_name_taken_by_other_bytes_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    folder = publish_model(exported(), tmp_path)
    (folder / name).write_bytes(b"something else")
    with pytest.raises(ReleaseError, match="already holds another file or configuration"):
        publish_model(exported(), tmp_path)
    assert (folder / name).read_bytes() == b"something else"


def test_an_interrupted_publication_leaves_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_at_the_second(source: Path, target: Path, copy=shutil.copyfile) -> object:
        if Path(source).name == "model.onnx":
            raise KeyboardInterrupt
        return copy(source, target)

    monkeypatch.setattr(publish.shutil, "copyfile", fails_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        publish_model(exported(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_export_is_refused(tmp_path: Path) -> None:
    unfinished = Path(shutil.copytree(exported(), tmp_path / "exported"))
    (unfinished / "stage.json").unlink()
    with pytest.raises(ArtifactError, match="is not a finished stage output"):
        publish_model(unfinished, tmp_path / "models")


def test_old_models_go_and_strangers_stay(tmp_path: Path) -> None:
    old, new = publish_model(exported(seed=0), tmp_path), publish_model(exported(seed=1), tmp_path)
    (tmp_path / "someone_elses").mkdir()
    assert published_models(tmp_path) == sorted([old.name, new.name])
    assert remove_models(tmp_path, keep=[new.name]) == [old.name]
    assert {path.name for path in tmp_path.iterdir()} == {new.name, "someone_elses"}
