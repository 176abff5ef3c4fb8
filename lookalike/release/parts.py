"""The five stage outputs a release is made of, and the proof that they belong together."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lookalike.embedders.model_folder import ExportedModel, load_model
from lookalike.errors import ReleaseError, ReleaseMismatch
from lookalike.release.manifest import Release
from lookalike.storage import read_json, read_seal


@dataclass(frozen=True)
class ReleaseParts:
    """Sealed output folders of the stages before the release."""

    validated: Path
    exported: Path
    evaluation: Path
    index: Path
    features: Path

    def describe(self, now: datetime) -> Release:
        """The release these parts make; `now` is when. Raises ReleaseMismatch when they belong to several."""
        for folder in (self.exported, self.evaluation):
            read_seal(folder)
        model = load_model(self.exported)
        release = Release.of(model.fingerprint, read_seal(self.validated).content, now, model.name)
        identity, service = release.release_id, release.feature_service
        _require(self.index, "index.json", release_id=identity, model_fingerprint=model.fingerprint)
        _require(self.features, "features.json", release_id=identity, feature_service=service)
        self._require_evaluation(model)
        return release

    def _require_evaluation(self, model: ExportedModel) -> None:
        evaluated = read_json(self.evaluation / "report.json")["models"]["challenger"]
        if evaluated != model.rounded_from:  # the export has compared a rounded copy with the model that was evaluated
            model.identity.require(evaluated, f"the evaluation in {self.evaluation}")
        promotion = read_json(self.evaluation / "promotion.json")
        if not promotion["promote"]:
            raise ReleaseError(f"the gate held this model back: {'; '.join(promotion['reasons'])}")


def _require(folder: Path, name: str, **expected: str) -> None:
    """Check what a part says it belongs to."""
    read_seal(folder)
    found: dict[str, Any] = read_json(folder / name)
    for key, value in expected.items():
        if found.get(key) != value:
            raise ReleaseMismatch(
                f"{folder / name} has {key} {str(found.get(key))[:24]!r}, this release {value[:24]!r}; "
                "build it again from the same catalogue and model"
            )
