import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from lookalike.embedders.model_folder import load_model, onnx_file
from lookalike.embedders.onnx import open_session
from lookalike.embedders.protocol import ModelIdentity
from lookalike.errors import ExportError
from lookalike.release.onnx_export import OPSET, export_onnx
from tests.release.tiny import LABELS, PREPROCESSING, TinyModel, exported, identity, photos


@pytest.fixture(scope="module")
def proto() -> onnx.ModelProto:
    return onnx.load(onnx_file(exported(), load_model(exported())))


def test_the_file_says_what_it_is(proto: onnx.ModelProto) -> None:
    found = {entry.key: entry.value for entry in proto.metadata_props}
    assert found["model_fingerprint"] == identity(0).fingerprint
    assert json.loads(found["preprocessing"]) == PREPROCESSING.model_dump(mode="json")
    assert dict(json.loads(found["attribute_labels"])) == LABELS
    assert [entry.version for entry in proto.opset_import if entry.domain == ""] == [OPSET]


def test_only_the_batch_axis_is_free(proto: onnx.ModelProto) -> None:
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*proto.graph.input, *proto.graph.output)
    }
    assert shapes == {"pixels": ["batch", 32, 24, 3], "embedding": ["batch", 16], "attributes": ["batch", 5]}


def test_the_file_carries_no_path_of_the_machine_that_made_it(proto: onnx.ModelProto) -> None:
    content = proto.SerializeToString()
    assert str(Path(__file__).parents[2]).encode() not in content
    assert b".py" not in content


def test_the_same_weights_make_the_same_file(tmp_path: Path, proto: onnx.ModelProto) -> None:
    export_onnx(TinyModel(0), identity(0), tmp_path / "again.onnx")
    assert onnx.load(tmp_path / "again.onnx").SerializeToString() == proto.SerializeToString()


def test_a_model_without_attribute_heads_has_one_output(tmp_path: Path) -> None:
    class Bare(nn.Module):
        def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
            vectors = nn.functional.normalize(pixels.float().mean(dim=(1, 2)) + 1, dim=1)
            return vectors, vectors[:, :0]

    export_onnx(Bare(), ModelIdentity("bare", PREPROCESSING, 3, {}), tmp_path / "bare.onnx")
    session = open_session(tmp_path / "bare.onnx")
    assert [output.name for output in session.get_outputs()] == ["embedding"]
    [vectors] = session.run(None, {"pixels": photos(3)})
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_model_that_cannot_be_traced_is_an_export_error(tmp_path: Path) -> None:
    class Unruly(nn.Module):
        def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
            vectors = pixels.float().mean(dim=(1, 2))
            if float(vectors.sum()) > 0:  # depends on the data
                vectors = -vectors
            return vectors, torch.zeros(len(pixels), 5)

    with pytest.raises(ExportError, match="cannot be written as ONNX"):
        export_onnx(Unruly(), identity(0), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
