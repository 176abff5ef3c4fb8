import os
import subprocess
from pathlib import Path

import pytest

from lookalike.release.triton_config import TritonSettings, config_text, parse_config
from serving.triton import environment
from tests.release.tiny import identity

SCRIPT = Path(environment.__file__).parent / "engine_cache.sh"


def run(folder: Path, gpus: str, tensorrt: str) -> "subprocess.CompletedProcess[str]":
    """The script on a machine that answers so."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name, answer in (("nvidia-smi", gpus), ("dpkg-query", tensorrt)):
        (tools / name).write_text(f"#!/bin/sh\nprintf '{answer}'\n")
        (tools / name).chmod(0o755)
    command = [str(SCRIPT), str(folder / "cache" / "tensorrt"), str(folder / "engines")]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PATH": f"{tools}:{os.environ['PATH']}"}
    )


def leads_to(folder: Path) -> str:
    return (folder / "cache" / "tensorrt").resolve().name


@pytest.mark.parametrize(
    ("gpus", "tensorrt", "expected"),
    [
        (r"NVIDIA L4, 8.9\n", r"10.3.0.26-1+cuda12.6\n", "NVIDIA_L4-sm89-tensorrt10.3.0.26"),
        (r"NVIDIA L4, 8.9\nNVIDIA L4, 8.9\n", r"10.3.0.26-1+cuda12.6\n", "NVIDIA_L4-sm89-tensorrt10.3.0.26"),
        (r"NVIDIA H200, 9.0\n", r"10.7.0.23-1+cuda12.6\n", "NVIDIA_H200-sm90-tensorrt10.7.0.23"),
    ],
)
def test_the_cache_is_that_of_this_gpu_and_this_tensorrt(
    tmp_path: Path, gpus: str, tensorrt: str, expected: str
) -> None:
    done = run(tmp_path, gpus, tensorrt)
    assert done.returncode == 0, done.stderr
    assert leads_to(tmp_path) == expected


def test_another_tensorrt_gets_another_folder_and_the_first_is_kept(tmp_path: Path) -> None:
    run(tmp_path, r"NVIDIA L4, 8.9\n", r"10.3.0.26-1\n")
    (tmp_path / "cache" / "tensorrt" / "engine").touch()
    run(tmp_path, r"NVIDIA L4, 8.9\n", r"10.7.0.23-1\n")
    assert list((tmp_path / "cache" / "tensorrt").iterdir()) == []
    run(tmp_path, r"NVIDIA L4, 8.9\n", r"10.3.0.26-1\n")
    assert [path.name for path in (tmp_path / "cache" / "tensorrt").iterdir()] == ["engine"]


def test_gpus_of_several_kinds_are_refused(tmp_path: Path) -> None:
    done = run(tmp_path, r"NVIDIA L4, 8.9\nNVIDIA H200, 9.0\n", r"10.3.0.26-1\n")
    assert done.returncode == 2
    assert "GPUs of several kinds" in done.stderr
    assert not (tmp_path / "cache").exists()


def test_each_model_has_its_own_engines() -> None:
    paths = set()
    for seed in (0, 1):
        config = parse_config(config_text("m", identity(seed), TritonSettings()))
        [accelerator] = config.optimization.execution_accelerators.gpu_execution_accelerator
        paths.add(accelerator.parameters["trt_engine_cache_path"])
    assert paths == {f"/var/cache/triton/tensorrt/{identity(seed).fingerprint}" for seed in (0, 1)}
