"""What pipelines draw of an evaluation: confusions and the cosine's curve, bounded, from the evaluation's own file."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from kfp.dsl import ClassificationMetrics

from components.outcome import show_confusion, show_roc
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.evaluation.diagnostics import OTHER, POINTS, count_confusions, diagnostics, verification_curve
from lookalike.evaluation.gate import Promotion
from lookalike.evaluation.measure import Evaluation, evaluate_embedder
from lookalike.evaluation.queries import CATALOGUE, DAMAGED, build_queries, gallery_photos
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import Truth, read_truth
from lookalike.evaluation.verdict import verdict_markdown
from tests.evaluation.shop import make_shop, make_splits

SETTINGS = EvaluationSettings(damaged_queries=20, queries_per_damage=4, repeats=100)
LABELS = {"shape": ["ellipse", "rectangle", "triangle"], "colour": ["blue", "green", "grey", "red"]}


class Measured(NamedTuple):
    challenger: Evaluation
    truth: Truth


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("diagnostics")
    catalogue = make_shop(folder / "validated", 48)
    truth = read_truth(catalogue, make_splits(folder / "splits", catalogue))
    queries, gallery = build_queries(catalogue, truth, SETTINGS), gallery_photos(catalogue, truth.rows("test"))
    return Measured(
        evaluate_embedder(MemoryEmbedder(attribute_labels=LABELS), truth, queries, gallery, SETTINGS), truth
    )


def test_the_matrix_counts_what_the_head_s_accuracy_counts(measured: Measured) -> None:
    found = diagnostics(*measured)["confusion"]
    accuracy = measured.challenger.sets[CATALOGUE].values["head_shape_accuracy"]
    matrix = np.array(found["matrix"])
    assert found["attribute"] == "shape", "the coarse attribute, by which a product's type is told"
    assert (np.trace(matrix), matrix.sum()) == (np.nansum(accuracy), np.isfinite(accuracy).sum())


def test_many_values_are_joined_and_every_photo_is_counted() -> None:
    rng = np.random.default_rng(0)
    names = np.array([f"v{number:02d}" for number in range(40)], dtype=object)
    wanted, told = names[(40 * rng.random(900) ** 2).astype(int)], names[rng.integers(0, 40, 900)]
    categories, matrix = count_confusions(wanted, told, most=6)
    assert (len(categories), categories[-1], np.sum(matrix)) == (6, OTHER, 900)
    counts = {name: int((wanted == name).sum()) for name in names}
    kept = categories[:-1]
    assert min(counts[name] for name in kept) >= max(counts[name] for name in names if name not in kept)
    for row, name in enumerate(kept):
        for column, said in enumerate(kept):
            assert matrix[row][column] == int(((wanted == name) & (told == said)).sum())


def test_few_values_are_shown_as_they_are() -> None:
    wanted = np.array(["a", "a", "b"], dtype=object)
    assert count_confusions(wanted, np.array(["a", "b", "b"], dtype=object)) == (["a", "b"], [[1, 1], [0, 1]])
    assert count_confusions(wanted, np.array(["a", "b", "new"], dtype=object))[0] == ["a", "b", OTHER]


def test_the_curve_is_that_of_every_pair_compared_one_by_one(measured: Measured) -> None:
    challenger, truth = measured
    asked, gallery = challenger.sets[DAMAGED], challenger.gallery
    same, other = [], []
    for vector, product in zip(asked.embeddings.vectors, asked.queries.photos.products, strict=True):
        for shown, item in zip(gallery.vectors, gallery.items, strict=True):
            (same if truth.items[product] == item else other).append(float(vector @ shown))
    found = verification_curve(asked, gallery, challenger.gallery_photos, truth, bins=200_000)
    wins = np.mean([(a > b) + (a == b) / 2 for a in same for b in other])
    assert (found["same"], found["other"]) == (len(same), len(other))
    assert found["area"] == pytest.approx(wins, abs=2e-3)
    for threshold, false, true in zip(
        found["threshold"], found["false_positive_rate"], found["true_positive_rate"], strict=True
    ):
        assert false == pytest.approx(np.mean(np.array(other) >= threshold), abs=2 / len(other))
        assert true == pytest.approx(np.mean(np.array(same) >= threshold), abs=2 / len(same))


def test_the_curve_rises_from_nothing_to_everything_in_few_points(measured: Measured) -> None:
    found = diagnostics(*measured)["roc"]
    false, true = found["false_positive_rate"], found["true_positive_rate"]
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert false == sorted(false) and true == sorted(true)
    assert len(false) <= POINTS + 1


def test_the_interface_is_shown_the_evaluation_s_own_file(measured: Measured, tmp_path: Path) -> None:
    told: dict[str, Any] = diagnostics(*measured)
    (tmp_path / "diagnostics.json").write_text(json.dumps(told))
    confusion, roc = (ClassificationMetrics(name, str(tmp_path / name), {}) for name in ("confusion", "roc"))
    show_confusion(str(tmp_path), confusion)
    show_roc(str(tmp_path), roc)
    shown = confusion.metadata["confusionMatrix"]
    assert [one["displayName"] for one in shown["annotationSpecs"]] == told["confusion"]["categories"]
    assert [one["row"] for one in shown["rows"]] == told["confusion"]["matrix"]
    assert [one["recall"] for one in roc.metadata["confidenceMetrics"]] == told["roc"]["true_positive_rate"]
    assert json.loads((tmp_path / "roc").read_text()) == told, (
        "the local cache takes an artifact without a file for none"
    )


def test_the_verdict_says_why_and_values_from_the_catalogue_are_text() -> None:
    reasons = ("fine precision fell within <b>shoes</b>", "recall stays above")
    page = verdict_markdown(Promotion(False, reasons), "abcdef0123456789", {"champion": "9876543210fedcba"})
    assert page.startswith("# Held back\n")
    assert "Challenger `abcdef012345`, champion `9876543210fe`." in page
    assert "- fine precision fell within &lt;b>shoes&lt;/b>\n- recall stays above\n" in page
