"""The model card: what the exported model is, in a page a person reads."""

from collections.abc import Mapping
from typing import Any

from lookalike.embedders.model_folder import ExportedModel
from lookalike.embedders.onnx import CPU
from lookalike.release.triton_config import TritonSettings


def model_card(model: ExportedModel, variants: Mapping[str, Any], triton: TritonSettings) -> str:
    """Markdown, from what `model.json`, `variants.json` and `config.pbtxt` say."""
    size = model.preprocessing
    return "\n".join(
        [
            f"# {model.name}",
            "",
            f"Turns a product photo into a unit vector near those of similar products{_guesses(model)}.",
            "",
            "| | |",
            "|---|---|",
            f"| fingerprint | `{model.fingerprint}` |",
            f"| input | `pixels`: uint8, batch × {size.height} × {size.width} × 3 (RGB, letterboxed on white) |",
            f"| output | `embedding`: float32, batch × {model.dimension}, length 1{_attributes_row(model)} |",
            f"| batch | up to {model.max_batch_size} photos |",
            f"| precision | {_precision(model)} |",
            f"| computed by | {_provider(model, triton)} |",
            f"| ONNX operator set | {model.opset} |",
            "",
            *_attributes(model),
            "## Parity with PyTorch",
            "",
            f"Worst figure over every batch size tried, on catalogue photos, computed by `{CPU}`.",
            "",
            *(f"- {name}: {value:.6g}" for name, value in model.parity.items()),
            "",
            *_variants(variants),
            "## Limits",
            "",
            "It knows products like those of the catalogue it was trained on; a photo of anything else gets an answer",
            "all the same. Vectors of another fingerprint must never be compared with its own.",
            "",
        ]
    )


def _guesses(model: ExportedModel) -> str:
    return ", and guesses its attributes" if model.attribute_labels else ""


def _attributes_row(model: ExportedModel) -> str:
    return "; `attributes`: float32, probabilities" if model.attribute_labels else ""


def _attributes(model: ExportedModel) -> list[str]:
    if not model.attribute_labels:
        return []
    counted = [f"- {name}: {len(values)} values" for name, values in model.attribute_labels]
    return ["## Attributes", "", *counted, ""]


def _precision(model: ExportedModel) -> str:
    if model.rounded_from is None:
        return model.precision
    return f"{model.precision}, rounded from `{model.rounded_from}`; its vectors are not comparable with that model's"


def _provider(model: ExportedModel, triton: TritonSettings) -> str:
    """Which execution provider the configuration asks Triton's onnxruntime for."""
    if triton.device == "cpu":
        return f"`{CPU}`"
    precision = "INT8" if model.precision == "int8_tensorrt" else "FP16" if triton.half_precision else "FP32"
    return f"`TensorrtExecutionProvider` in {precision} in Triton on a GPU, `{CPU}` elsewhere"


def _variants(variants: Mapping[str, Any]) -> list[str]:
    """One row for each rounded copy that was tried."""
    if not variants:
        return []
    rows = [
        f"| {name} | {one['megabytes']} | {one['mean_cosine']:.5f} | {one['min_cosine']:.5f} | "
        f"{' | '.join(_difference(estimate) for estimate in one['differences'].values())} | "
        f"{'; '.join(one['refused_because']) or 'none'} |"
        for name, one in variants.items()
    ]
    figures = next(iter(variants.values()))["differences"]
    heads = ["precision", "MB", "mean cosine", "least cosine", *(f"{name}, change" for name in figures), "objections"]
    return [
        "## Rounded copies",
        "",
        "Against float32, on the same validation queries, with 95 % intervals.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *rows,
        "",
    ]


def _difference(estimate: Mapping[str, Any]) -> str:
    if estimate["value"] is None or estimate["interval"] is None:
        return "not known"
    low, high = estimate["interval"]
    return f"{estimate['value']:+.4f} ({low:+.4f} to {high:+.4f}, n {estimate['n']})"
