"""Facts about encoders, the multi-task network and the served module."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from lookalike.catalog.images import Preprocessing
from lookalike.errors import TrainingError
from lookalike.models.decoder import ThumbnailDecoder
from lookalike.models.encoder import EncoderSettings, build_encoder, source_digest
from lookalike.models.losses import attribute_loss
from lookalike.models.pixels import PixelNormaliser
from lookalike.models.serving import ServingModel
from tests.models.networks import TINY_RESNET, TINY_VIT, tiny_encoder, tiny_network

PIXELS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (5, 32, 24, 3), dtype=np.uint8))


@pytest.mark.parametrize("config", [TINY_RESNET, TINY_VIT], ids=["resnet", "vit"])
def test_any_image_model_gives_one_row_of_features_per_photo(config: dict) -> None:
    encoder = tiny_encoder(config)
    assert encoder.feature_count(32, 24) == 16
    assert encoder(torch.zeros(3, 3, 32, 24)).shape == (3, 16)


def test_an_encoder_rebuilt_from_its_own_configuration_takes_its_weights() -> None:
    encoder = tiny_encoder()
    again = build_encoder(EncoderSettings(config=encoder.config()))
    again.load_state_dict(encoder.state_dict())
    images = torch.rand(2, 3, 32, 24)
    torch.testing.assert_close(again.eval()(images), encoder.eval()(images), rtol=0, atol=0)


@pytest.mark.parametrize(("policy", "moves"), [("frozen", False), ("train", True)])
def test_frozen_batch_norms_keep_their_statistics_in_training(policy: str, moves: bool) -> None:
    encoder = tiny_encoder(batch_norm=policy).train()
    before = {name: value.clone() for name, value in encoder.named_buffers()}
    encoder(torch.rand(4, 3, 32, 24))
    assert any(not torch.equal(before[name], value) for name, value in encoder.named_buffers()) is moves


def test_frozen_batch_norms_still_learn_scale_and_shift() -> None:
    encoder = tiny_encoder(batch_norm="frozen").train()
    assert all(parameter.requires_grad for parameter in encoder.parameters())


def test_a_missing_source_is_refused_with_the_places_looked_in(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=rf"no pretrained encoder 'resnet9'.*{tmp_path}/resnet9"):
        build_encoder(EncoderSettings(source="resnet9"), [tmp_path])


def test_a_saved_encoder_is_found_by_name_with_its_weights_and_digest(tmp_path: Path) -> None:
    encoder = tiny_encoder()
    encoder.backbone.save_pretrained(tmp_path / "tiny")
    settings = EncoderSettings(source="tiny")
    found = build_encoder(settings, [tmp_path / "elsewhere", tmp_path])
    for name, value in encoder.state_dict().items():
        assert torch.equal(found.state_dict()[name], value)
    before = source_digest(settings, [tmp_path])
    (tmp_path / "tiny" / "README.md").write_text("how it was made")
    assert source_digest(settings, [tmp_path]) == before
    (tmp_path / "tiny" / "config.json").write_text("{}")
    assert source_digest(settings, [tmp_path]) != before


@pytest.mark.parametrize("values", [{}, {"source": "a", "config": TINY_RESNET}, {"config": {"depths": [1]}}])
def test_an_encoder_has_exactly_one_origin(values: dict) -> None:
    with pytest.raises(ValidationError, match=r"exactly one of source|names no model_type"):
        EncoderSettings(**values)


def test_an_unknown_model_type_and_a_wrong_size_are_explained() -> None:
    with pytest.raises(TrainingError, match=r"encoder.config is no transformers configuration"):
        tiny_encoder({"model_type": "lens"})
    with pytest.raises(TrainingError, match="the encoder vit does not take 16x16 images"):
        tiny_encoder(TINY_VIT).feature_count(16, 16)


def test_pixels_are_normalised_as_the_preprocessing_says() -> None:
    preprocessing = Preprocessing(height=32, width=24, mean=(0.5, 0.4, 0.3), std=(0.5, 0.2, 0.1))
    images = PixelNormaliser(preprocessing)(PIXELS)
    expected = (PIXELS.numpy() / 255 - preprocessing.mean) / preprocessing.std  # (B, H, W, 3)
    np.testing.assert_allclose(images.numpy(), expected.transpose(0, 3, 1, 2), atol=1e-5)


def test_the_served_module_gives_unit_vectors_and_probabilities() -> None:
    model = ServingModel(tiny_network(), Preprocessing(height=32, width=24))
    with torch.inference_mode():
        vectors, attributes = model(PIXELS)
    assert (vectors.shape, attributes.shape) == ((5, 12), (5, 5))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(attributes[:, :3].sum(dim=1), torch.ones(5))
    torch.testing.assert_close(attributes[:, 3:].sum(dim=1), torch.ones(5))


def test_a_photo_is_served_alike_alone_and_in_a_batch() -> None:
    model = ServingModel(tiny_network(), Preprocessing(height=32, width=24))
    with torch.inference_mode():
        together, alone = model(PIXELS)[0], torch.cat([model(PIXELS[i : i + 1])[0] for i in range(5)])
    torch.testing.assert_close(together, alone)


def test_a_network_without_tasks_has_no_parameters_for_them() -> None:
    network = tiny_network(thumbnail=None, value_counts=())
    assert not any(name.startswith(("heads", "decoder", "log_variance")) for name in network.state_dict())
    encoded = network.eval()(torch.rand(2, 3, 32, 24))
    assert encoded.log_variance is None
    assert network.heads.probabilities(encoded.embedding).shape == (2, 0)
    with pytest.raises(RuntimeError, match="without the generative task"):
        network.reconstruct(encoded, torch.zeros(2, 12))


@pytest.mark.parametrize("size", [(8, 6), (24, 18), (7, 5)])
def test_thumbnails_have_the_asked_size_and_lie_within_zero_and_one(size: tuple[int, int]) -> None:
    network = tiny_network(thumbnail=size).eval()
    encoded = network(torch.rand(2, 3, 32, 24))
    images = network.reconstruct(encoded, torch.zeros(2, 12))
    assert images.shape == (2, 3, *size)
    assert 0 <= images.min().item() <= images.max().item() <= 1


def test_the_decoder_is_small() -> None:
    decoder = ThumbnailDecoder(192, 24, 18)
    assert sum(parameter.numel() for parameter in decoder.parameters()) < 500_000


def test_an_attribute_that_is_absent_from_a_batch_gives_its_head_exactly_zero_gradient() -> None:
    network = tiny_network(thumbnail=None)
    labels = torch.tensor([[0, -1], [2, -1], [1, -1]])
    encoded = network(torch.rand(3, 3, 32, 24))
    attribute_loss(network.heads(encoded.embedding), labels).backward()
    present, absent = network.heads.heads
    assert all((parameter.grad == 0).all() for parameter in absent.parameters())
    assert all((parameter.grad != 0).any() for parameter in present.parameters())
