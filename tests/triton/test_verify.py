"""Triton's init step, and the reload that lets Triton read nothing unproven."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.errors import BackendUnavailable, UntrustedRelease
from lookalike.release.signed import SIGNED, verify_model
from serving.triton.environment import TritonEnvironment
from serving.triton.launcher import LocalTriton
from serving.triton.reload import RepositoryReload
from serving.triton.verify import main, verify_repository
from tests.release.releasing import Shop
from tests.signing.keyring import TODAY, Keyring, flip


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


def test_the_init_step_proves_every_model_and_needs_no_torch(made: Signed, models: Path) -> None:
    program = (
        "import sys; from serving.triton.verify import main; "
        "code = main(sys.argv[1:]); print([name for name in ('torch', 'kserve', 'feast') if name in sys.modules]); "
        "sys.exit(code)"
    )
    command = [sys.executable, "-c", program, str(models), "--trusted-keys", made.keys.reference]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "[]\n"), run.stderr
    assert [f"model {name} is as ours signed it" for name in made.names()] == run.stderr.splitlines()


@pytest.mark.parametrize("name", [SIGNED, "config.pbtxt", "1/model.onnx", "model.json", "golden.json"])
def test_one_flipped_byte_ends_the_init_step_with_2_and_nothing_is_copied(
    made: Signed, models: Path, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    flip(models / made.names()[-1] / name, 300)
    given = [str(models), "--trusted-keys", made.keys.reference]
    assert main([*given, "--into", str(tmp_path / "served")]) == 2
    assert name in caplog.text
    assert not (tmp_path / "served").exists()
    assert main([*given, "--only", made.names()[0]]) == 0


def test_triton_is_given_the_very_bytes_that_were_proven(made: Signed, models: Path, tmp_path: Path) -> None:
    into = tmp_path / "volume" / "models"
    for _ in range(2):  # an init container may run again
        assert verify_repository(models, made.keys.trusted(), TODAY, into) == made.names()
    for name in made.names():
        shutil.rmtree(models / name)
        assert verify_model(into / name, made.keys.trusted(), TODAY) == "ours"


def test_unsigned_models_strangers_files_and_absent_ones_are_refused(made: Signed, models: Path) -> None:
    trusted = made.keys.trusted()
    with pytest.raises(UntrustedRelease, match="holds no model embedder_none"):
        verify_repository(models, trusted, TODAY, only=["embedder_none"])
    (models / "readme.txt").touch()
    with pytest.raises(UntrustedRelease, match=r"holds no model readme\.txt"):
        verify_repository(models, trusted, TODAY)
    (models / "readme.txt").unlink()
    (models / made.names()[0] / SIGNED).unlink()
    with pytest.raises(UntrustedRelease, match="is not signed"):
        verify_repository(models, trusted, TODAY)


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
