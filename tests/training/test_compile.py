"""Compiled kernels change the speed of training and nothing else."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch._inductor import config as inductor

from lookalike.errors import TrainingError
from tests.training.conftest import Train, tiny_recipe

ONE_TASK = dict.fromkeys(["triplets", "contrast", "reconstruction"], 0.0)


@pytest.fixture(autouse=True)
def _nothing_compiled_before() -> Iterator[None]:
    torch.compiler.reset()
    with inductor.patch(compile_threads=1):
        yield


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler (g++) on the CPU")
def test_a_compiled_network_learns_what_an_eager_one_does(trained: Train, tmp_path: Path) -> None:
    for name, compiled in {"eager": False, "compiled": True}.items():
        trained(tiny_recipe(epochs=2, anchors_per_epoch=16, tasks=ONE_TASK, compile=compiled), name)
    eager, compiled = (pd.read_csv(tmp_path / name / "metrics.csv") for name in ("eager", "compiled"))
    np.testing.assert_allclose(compiled, eager, rtol=1e-3)
    names = [set(load_file(tmp_path / name / "weights.safetensors")) for name in ("eager", "compiled")]
    assert names[0] == names[1]  # nothing of the compiler's in the checkpoint


def test_a_machine_without_a_compiler_is_told_so(trained: Train) -> None:
    missing = {"cpp.cxx": ("/nowhere/g++",), "force_disable_caches": True}
    told = pytest.raises(TrainingError, match="compile is on and the network cannot be compiled here")
    with inductor.patch(missing), told:
        trained(tiny_recipe(epochs=1, tasks=ONE_TASK, compile=True))
