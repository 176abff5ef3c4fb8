from pathlib import Path

import pytest

from lookalike.errors import BackendUnavailable, StorageError
from serving.triton import environment as module
from serving.triton.environment import TritonEnvironment, build_environment, main, open_environment, why_no_triton


def test_linux_on_x86_64_has_a_build() -> None:
    assert why_no_triton("Linux", "x86_64") is None


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Windows", "AMD64"), ("Linux", "aarch64")])
def test_elsewhere_the_reason_names_the_platform(system: str, machine: str) -> None:
    assert why_no_triton(system, machine) == (
        f"Triton's wheel is built for Linux on x86_64 only, this is {system} on {machine}"
    )


def test_the_command_goes_on_without_triton_on_a_mac(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module.platform, "system", lambda: "Darwin")
    assert main([str(tmp_path / "triton")]) == module.NO_WHEEL
    assert "embedded by onnxruntime in the server's own process instead" in caplog.text
    assert not (tmp_path / "triton").exists()


def test_a_folder_with_other_contents_is_left_alone(tmp_path: Path, environment: TritonEnvironment) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StorageError, match="holds something else"):
        build_environment(tmp_path)
    assert main([str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_environment_that_was_never_built_names_the_command(tmp_path: Path, environment: TritonEnvironment) -> None:
    with pytest.raises(BackendUnavailable, match=r"python -m serving\.triton\.environment"):
        open_environment(tmp_path)


def test_building_twice_changes_nothing(environment: TritonEnvironment) -> None:
    marker = environment.folder / module.MARKER
    before = marker.stat().st_mtime_ns
    assert build_environment(environment.folder) == environment
    assert marker.stat().st_mtime_ns == before


def test_the_server_and_its_python_worker_are_there(environment: TritonEnvironment) -> None:
    assert environment.server.is_file()
    assert {path.name for path in environment.python_backend.iterdir()} >= {
        "libtriton_python.so",
        "triton_python_backend_stub",
        "triton_python_backend_utils.py",
    }
