"""The model card: what the exported model is, in a page a person reads."""

from lookalike.embedders.model_folder import ExportedModel


def model_card(model: ExportedModel) -> str:
    """Markdown, from what `model.json` says."""
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
            f"| ONNX operator set | {model.opset} |",
            "",
            *_attributes(model),
            "## Parity with PyTorch",
            "",
            "Worst figure over every batch size tried, on catalogue photos.",
            "",
            *(f"- {name}: {value:.6g}" for name, value in model.parity.items()),
            "",
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
