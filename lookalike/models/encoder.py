"""Any `transformers` image model as an encoder: from a configuration, a local folder or the Hugging Face hub."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from lookalike.config import StrictConfig
from lookalike.embedders.pretrained import encoder_digest
from lookalike.errors import TrainingError

LABEL_TABLES = ("id2label", "label2id")
"""Names of classes the encoder was pretrained on; of no use here and a thousand lines long."""


class EncoderSettings(StrictConfig):
    """Which image model turns pixels into features."""

    source: str | None = None
    """Pretrained weights: a folder, the name of a folder in a searched place, or a hub id such as `owner/name`."""
    config: dict[str, Any] | None = None
    """A `transformers` configuration with its `model_type`, for random weights."""
    batch_norm: Literal["frozen", "train"] = "frozen"
    """`frozen` keeps pretrained statistics and learns scale and shift only; `train` suits random weights."""

    @model_validator(mode="after")
    def _one_origin(self) -> "EncoderSettings":
        if (self.source is None) == (self.config is None):
            raise ValueError(f"exactly one of source ({self.source!r}) and config ({self.config!r}) must be given")
        if self.config is not None and "model_type" not in self.config:
            raise ValueError(f"config names no model_type; its keys are {sorted(self.config)}")
        return self


class Encoder(nn.Module):
    """Normalised images (B, 3, H, W) to pooled features (B, F)."""

    def __init__(self, backbone: PreTrainedModel, batch_norm: Literal["frozen", "train"]) -> None:
        super().__init__()
        self.backbone = backbone
        self._frozen = batch_norm == "frozen"

    def forward(self, images: Tensor) -> Tensor:
        output = self.backbone(images)
        pooled = getattr(output, "pooler_output", None)
        if pooled is not None:
            return pooled.flatten(1)  # convolutional models pool to (B, F, 1, 1)
        hidden = output.last_hidden_state  # (B, tokens, F) or (B, F, h, w)
        return hidden.mean(dim=1) if hidden.dim() == 3 else hidden.mean(dim=(2, 3))

    def train(self, mode: bool = True) -> "Encoder":
        """As usual, except that frozen batch norms stay in evaluation mode."""
        super().train(mode)
        if self._frozen:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def feature_count(self, height: int, width: int) -> int:
        """F for images of this size. Raises TrainingError where the model does not take the size."""
        was_training = self.training
        self.eval()
        try:
            with torch.inference_mode():
                return self(torch.zeros(1, 3, height, width)).shape[1]
        except (RuntimeError, ValueError) as error:
            kind = self.backbone.config.model_type
            raise TrainingError(f"the encoder {kind} does not take {height}x{width} images: {error}") from error
        finally:
            self.train(was_training)

    def config(self) -> dict[str, Any]:
        """What `build_encoder` needs to build the same architecture again."""
        values = self.backbone.config.to_diff_dict()
        return {key: value for key, value in values.items() if key not in LABEL_TABLES}


def build_encoder(settings: EncoderSettings, folders: Sequence[Path] = ()) -> Encoder:
    """Build an encoder with random or pretrained weights; random ones come from torch's global generator.

    `folders` are searched for a folder named `settings.source`. Raises TrainingError listing where it looked.
    """
    if settings.config is not None:
        return Encoder(AutoModel.from_config(_parse_config(settings.config)), settings.batch_norm)
    assert settings.source is not None
    return Encoder(_pretrained(settings.source, folders), settings.batch_norm)


def _parse_config(values: dict[str, Any]) -> PretrainedConfig:
    try:
        return AutoConfig.for_model(**values)
    except (ValueError, TypeError) as error:
        raise TrainingError(f"encoder.config is no transformers configuration: {error}") from error


def source_digest(settings: EncoderSettings, folders: Sequence[Path] = ()) -> str | None:
    """SHA-256 of a local pretrained encoder; a hub id stands for itself, random weights for nothing."""
    if settings.source is None:
        return None
    found = _find(settings.source, folders)
    if found is None:
        return settings.source
    return encoder_digest(found)


def _find(source: str, folders: Sequence[Path]) -> Path | None:
    """The folder of a pretrained encoder. Raises TrainingError for a missing one that is no hub id either."""
    places = [Path(source), *(folder / source for folder in folders)]
    found = next((place for place in places if (place / "config.json").is_file()), None)
    if found is None and source.count("/") != 1:
        raise TrainingError(
            f"no pretrained encoder '{source}': no config.json in {', '.join(map(str, places))}; "
            "a hub id would have the form owner/name"
        )
    return found


def _pretrained(source: str, folders: Sequence[Path]) -> PreTrainedModel:
    found = _find(source, folders)
    try:
        with _quiet():
            return AutoModel.from_pretrained(str(found or source), dtype=torch.float32)
    except (OSError, ValueError) as error:
        where = found or f"{source}, {', '.join(str(folder / source) for folder in folders)} and the hub"
        raise TrainingError(f"no pretrained encoder '{source}': looked in {where}: {error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without a report that the classifier of the pretrained model goes unused: that is the intention."""
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        transformers_logging.enable_progress_bar()
