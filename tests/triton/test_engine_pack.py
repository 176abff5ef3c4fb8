"""Engines travel whole, to machines they fit, from people who are trusted."""

import shutil
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from lookalike.errors import ArtifactError, LookalikeError, UntrustedRelease
from serving.triton.engine_pack import pack_engines, unpack_engines
from tests.signing.keyring import TODAY, Keyring, flip

L4 = "NVIDIA_L4-sm89-tensorrt10.5.0.18"
MODELS = ("a" * 64, "b" * 64)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What two models left in the cache of a machine."""
    folder = tmp_path / "builder" / "engines" / L4
    for model in MODELS:
        (folder / model).mkdir(parents=True)
        (folder / model / "graph_sm89.engine").write_bytes(model.encode() * 100)
        (folder / model / "graph_sm89.profile").write_bytes(b"1 8 32")
    return folder


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Where Triton looks on another machine: the link that leads to the folder of its GPU."""
    (tmp_path / "other" / "engines" / L4).mkdir(parents=True)
    link = tmp_path / "other" / "tensorrt"
    link.symlink_to(tmp_path / "other" / "engines" / L4)
    return link


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.resolve().rglob("*") if path.is_file())
    return {str(path.relative_to(folder.resolve())): path.read_bytes() for path in files}


def test_engines_arrive_as_they_were_built(built: Path, other: Path, tmp_path: Path) -> None:
    pack_engines(built, tmp_path / "engines.tar")
    assert unpack_engines(tmp_path / "engines.tar", other, None, TODAY) == [*MODELS]
    assert contents(other) == contents(built)
    assert [path.name for path in other.resolve().iterdir() if path.name.startswith(".")] == []


def test_the_same_engines_make_the_same_file(built: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(built, tmp_path / "copy" / L4))
    digests = {pack_engines(folder, tmp_path / f"{n}.tar") for n, folder in enumerate((built, copy, built))}
    assert len(digests) == 1


@pytest.mark.parametrize("kind", ["NVIDIA_H200-sm90-tensorrt10.5.0.18", "NVIDIA_L4-sm89-tensorrt10.7.0.23"])
def test_engines_of_another_gpu_or_tensorrt_are_refused(built: Path, tmp_path: Path, kind: str) -> None:
    pack_engines(built, tmp_path / "engines.tar")
    with pytest.raises(ArtifactError, match=f"holds engines for {L4}; this machine's are in {kind}"):
        unpack_engines(tmp_path / "engines.tar", tmp_path / kind, None, TODAY)
    assert contents(tmp_path / kind) == {}


def test_an_engine_that_is_there_stays(built: Path, other: Path, tmp_path: Path) -> None:
    (other / MODELS[0]).mkdir()
    (other / MODELS[0] / "graph_sm89.engine").write_bytes(b"in use")
    pack_engines(built, tmp_path / "engines.tar")
    assert unpack_engines(tmp_path / "engines.tar", other, None, TODAY) == [MODELS[1]]
    assert (other / MODELS[0] / "graph_sm89.engine").read_bytes() == b"in use"


@pytest.mark.parametrize("place", [0.1, 0.4, 0.7])
def test_a_damaged_file_adds_nothing(built: Path, other: Path, tmp_path: Path, place: float) -> None:
    file = tmp_path / "engines.tar"
    pack_engines(built, file)
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * place)])
    with pytest.raises(LookalikeError):
        unpack_engines(file, other, None, TODAY)
    assert contents(other) == {}


def test_only_engines_are_packed_and_unpacked(built: Path, other: Path, tmp_path: Path) -> None:
    pack_engines(built, tmp_path / "engines.tar")
    with tarfile.open(tmp_path / "engines.tar", "a") as tar:
        tar.add(built / MODELS[0] / "graph_sm89.profile", "../../escaped")
    with pytest.raises(ArtifactError, match=r"holds '\.\./\.\./escaped', which is no engine"):
        unpack_engines(tmp_path / "engines.tar", other, None, TODAY)
    (built / "readme.txt").touch()
    with pytest.raises(ArtifactError, match=r"holds readme\.txt; <fingerprint>/<file> is packed"):
        pack_engines(built, tmp_path / "more.tar")
    with pytest.raises(ArtifactError, match="holds no engine"):
        pack_engines(other, tmp_path / "none.tar")


def test_where_keys_are_trusted_engines_must_be_signed_by_one(built: Path, other: Path, tmp_path: Path) -> None:
    keys = Keyring(tmp_path / "keys")
    signer = keys.new("ours")
    file = tmp_path / "engines.tar"
    pack_engines(built, file)
    with pytest.raises(UntrustedRelease, match="is not signed"):
        unpack_engines(file, other, keys.trusted(), TODAY)
    pack_engines(built, file, signer)
    flip(file, file.stat().st_size // 2)
    with pytest.raises(LookalikeError):
        unpack_engines(file, other, keys.trusted(), TODAY)
    assert contents(other) == {}
    pack_engines(built, file, signer)
    assert unpack_engines(file, other, keys.trusted(), TODAY) == [*MODELS]


def test_the_verbs_carry_engines_from_one_machine_to_another(built: Path, other: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "engines.tar")
    packed = CliRunner().invoke(app, ["engines", "pack", str(built), file])
    assert f"engines for {L4}, sha256:" in packed.stdout
    assert "engines of 2 models were added" in CliRunner().invoke(app, ["engines", "unpack", file, str(other)]).stdout
