"""The mirror and the reload, which let Triton read nothing unproven."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.errors import BackendUnavailable, UntrustedRelease
from lookalike.release.signed import SIGNED, verify_model
from serving.triton.environment import TritonEnvironment
from serving.triton.launcher import LocalTriton
from serving.triton.mirror import Mirror
from serving.triton.reload import RepositoryReload
from tests.release.releasing import Shop
from tests.signing.keyring import TODAY, Keyring, flip
from tests.triton.local import until


class Signed(Shop):
    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.keys = Keyring(root / "keys")
        signer = self.keys.new("ours")
        self.served = [self.release(day=1, signer=signer), self.release(day=2, seed=1, signer=signer)]

    def names(self) -> list[str]:
        return sorted(release.model for release in self.served)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    return Signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def models(made: Signed, tmp_path: Path) -> Path:
    """A copy that tests may damage."""
    return Path(shutil.copytree(made.models, tmp_path / "models"))


def mirror(made: Signed, models: Path, served: Path) -> Mirror:
    return Mirror(models, served, made.keys.trusted, lambda: TODAY)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_verb_copies_what_is_signed_and_needs_no_torch(made: Signed, models: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from app.cli import app; app(sys.argv[1:], standalone_mode=False); "
        "print([name for name in ('torch', 'kserve', 'feast') if name in sys.modules])"
    )
    given = ["mirror", str(models), str(tmp_path / "served"), "--trusted-keys", made.keys.reference, "--once"]
    run = subprocess.run([sys.executable, "-c", program, *given], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "[]\n"), run.stderr
    assert names(tmp_path / "served") == made.names()


@pytest.mark.parametrize("name", [SIGNED, "config.pbtxt", "1/model.onnx", "model.json", "golden.json"])
def test_one_flipped_byte_keeps_a_model_out_and_no_other(
    made: Signed, models: Path, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = made.names()
    flip(models / bad / name, 300)
    copies = mirror(made, models, tmp_path / "served")
    copies.look()
    assert names(tmp_path / "served") == [good]
    assert list(copies.refused) == [bad] and name in copies.refused[bad]
    copies.look()
    assert caplog.text.count("is kept from Triton") == 1, "the same reason is said once"


def test_triton_is_given_the_very_bytes_that_were_proven(made: Signed, models: Path, tmp_path: Path) -> None:
    served = tmp_path / "volume" / "models"
    copies = mirror(made, models, served)
    copies.look()
    for name in made.names():
        flip(models / name / "1" / "model.onnx", 300)
    copies.look()
    assert [verify_model(served / name, made.keys.trusted(), TODAY) for name in made.names()] == ["ours", "ours"]


def test_a_model_released_later_is_copied_and_a_removed_one_is_taken_away(
    made: Signed, models: Path, tmp_path: Path
) -> None:
    first, second = made.names()
    (models / second).rename(tmp_path / second)
    copies = mirror(made, models, tmp_path / "volume" / "models")
    copies.look()
    assert names(tmp_path / "volume" / "models") == [first]
    (tmp_path / second).rename(models / second)
    shutil.rmtree(models / first)
    copies.look()
    assert names(tmp_path / "volume" / "models") == [second]
    assert names(tmp_path / "volume" / "incoming") == []


def test_copies_outlive_a_repository_that_is_away_or_empty(made: Signed, models: Path, tmp_path: Path) -> None:
    copies = mirror(made, models, tmp_path / "served")
    copies.look()
    models.rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        copies.look()
    models.mkdir()
    copies.look()
    assert names(tmp_path / "served") == made.names()


def test_unsigned_models_and_strangers_files_stay_out(made: Signed, models: Path, tmp_path: Path) -> None:
    good, bad = made.names()
    (models / "readme.txt").touch()
    (models / "stranger" / "1").mkdir(parents=True)
    (models / bad / SIGNED).unlink()
    copies = mirror(made, models, tmp_path / "served")
    copies.look()
    assert names(tmp_path / "served") == [good]
    assert "is not signed" in copies.refused[bad]


def test_a_copy_that_was_interrupted_is_made_again(made: Signed, models: Path, tmp_path: Path) -> None:
    served = tmp_path / "volume" / "models"
    left = tmp_path / "volume" / "incoming" / made.names()[0]
    left.mkdir(parents=True)
    (left / "config.pbtxt").write_text("half")
    mirror(made, models, served).look()
    assert names(served) == made.names()


def test_the_verb_goes_on_looking_until_it_is_told_to_end(made: Signed, models: Path, tmp_path: Path) -> None:
    first, second = made.names()
    (models / second).rename(tmp_path / second)
    given = ["mirror", str(models), str(tmp_path / "served"), "--trusted-keys", made.keys.reference, "--every", "0.1"]
    with subprocess.Popen([sys.executable, "-m", "app", *given]) as process:
        until(lambda: (tmp_path / "served" / first).exists(), 60)
        (tmp_path / second).rename(models / second)
        until(lambda: (tmp_path / "served" / second).exists())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@pytest.mark.slow
def test_triton_is_never_asked_to_load_a_changed_model_and_keeps_the_one_it_has(
    made: Signed, models: Path, environment: TritonEnvironment, tmp_path: Path
) -> None:
    name = made.names()[0]
    with LocalTriton(environment, models, tmp_path / "triton.log") as server:
        verify = lambda model: verify_model(models / model, made.keys.trusted(), TODAY)  # noqa: E731
        reload = RepositoryReload(server.api, verify=verify)
        assert reload(name, lambda: server.connect(name).close())
        assert server.healthy(name)
        flip(models / name / "1" / "model.onnx", 5_000)
        with pytest.raises(UntrustedRelease, match=r"model\.onnx is not as it was signed"):
            reload(name, _sick)
        assert server.healthy(name)  # refused before anything was unloaded


def _sick() -> None:
    raise BackendUnavailable("the worker seems dead")
