"""Category fusion as evaluation calibrates and measures it."""

from pathlib import Path

import numpy as np
import pytest

from lookalike.embedders.memory import MemoryEmbedder
from lookalike.embedders.protocol import Embeddings
from lookalike.evaluation.category import NEIGHBOURS, SAFE, _neighbours, _sure, calibrate
from lookalike.evaluation.outputs import write_evaluation
from lookalike.evaluation.queries import gallery_photos
from lookalike.evaluation.retrieval import Gallery
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import Truth, read_truth
from lookalike.fusion import FUSION, Fusion
from lookalike.storage import read_json
from tests.evaluation.shop import make_shop, make_splits

LABELS = {"shape": ["ellipse", "rectangle", "triangle"], "colour": ["blue", "green", "grey", "red"]}
SETTINGS = EvaluationSettings(damaged_queries=12, queries_per_damage=2, repeats=100, sheet_rows=2)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth, Embeddings, Gallery]:
    """A shop of 48 products in thirds, embedded by colour, with a gallery of all photos."""
    folder = tmp_path_factory.mktemp("category")
    catalogue = make_shop(folder / "validated", 48)
    truth = read_truth(catalogue, make_splits(folder / "splits", catalogue, validation=True))
    embedder = MemoryEmbedder(attribute_labels=LABELS)
    photos = gallery_photos(catalogue, np.arange(48))
    pixels = embedder.identity.preprocessing.batch(list(photos.contents))
    embedded = embedder.embed(pixels)
    return folder, truth, embedded, Gallery(embedded.vectors, photos.products, truth.items[photos.products])


def rows_of(embedded: Embeddings, rows: np.ndarray) -> Embeddings:
    return Embeddings(embedded.vectors[rows], {name: values[rows] for name, values in embedded.attributes.items()})


def told_by(truth: Truth, embedded: Embeddings, rows: np.ndarray, right: bool) -> Embeddings:
    """These rows' embeddings with a shape head that is always right, or always says the next shape."""
    shapes = (truth.codes[rows, 0] + (0 if right else 1)) % 3
    return Embeddings(embedded.vectors[rows], {"shape": np.eye(3, dtype=np.float32)[shapes]})


def test_neighbours_equal_a_naive_search_without_the_own_item(shop: tuple[Path, Truth, Embeddings, Gallery]) -> None:
    _, truth, embedded, gallery = shop
    scores, products = _neighbours(embedded.vectors[:5], gallery, truth.items[:5])
    for query in range(5):
        cosines = gallery.vectors @ embedded.vectors[query]
        others = np.flatnonzero(gallery.items != truth.items[query])
        best = np.sort(cosines[others])[::-1][:NEIGHBOURS]
        assert scores[query, : len(best)] == pytest.approx(best, abs=1e-5)
        assert query not in products[query]


@pytest.mark.parametrize(("right", "weight"), [(True, 1.0), (False, 0.0)])
def test_the_head_weighs_all_where_it_is_always_right_and_nothing_where_it_never_is(
    shop: tuple[Path, Truth, Embeddings, Gallery], right: bool, weight: float
) -> None:
    _, truth, embedded, gallery = shop
    identity = MemoryEmbedder(attribute_labels={"shape": LABELS["shape"]}).identity
    rows = truth.rows("validation")
    fusion = calibrate(identity, truth, rows, told_by(truth, embedded, rows, right), gallery)
    assert fusion.attribute == "shape"
    assert abs(fusion.head_weight - weight) <= 0.1


def test_calibration_does_not_look_at_the_measured_split(tmp_path: Path) -> None:
    """Whatever the test products are filed under, the weights stay."""
    catalogue = make_shop(tmp_path / "validated", 48)
    splits = make_splits(tmp_path / "splits", catalogue, validation=True)
    embedder, written = MemoryEmbedder(attribute_labels=LABELS), []
    for _ in range(2):
        write_evaluation(catalogue, splits, {"challenger": embedder}, tmp_path, SETTINGS)
        written.append(read_json(tmp_path / FUSION))
        test = catalogue.products.index[32:]
        catalogue.products.loc[test, "vertical"] = catalogue.products.loc[test, "vertical"].iloc[::-1].to_numpy()
    assert written[0] == written[1]


def test_a_model_without_heads_is_left_to_the_votes(shop: tuple[Path, Truth, Embeddings, Gallery]) -> None:
    _, truth, embedded, gallery = shop
    rows = truth.rows("validation")
    fusion = calibrate(MemoryEmbedder().identity, truth, rows, Embeddings(embedded.vectors[rows], {}), gallery)
    assert fusion.attribute is None and fusion.head_weight == 0.0


def test_above_the_sure_confidence_enough_queries_are_right() -> None:
    rng = np.random.default_rng(0)
    best = rng.uniform(0.5, 1, 2_000)
    truth = (rng.random(2_000) > best).astype(np.int64)  # right as often as the confidence says
    fused = np.stack([best, 1 - best], axis=1)
    sure = _sure(fused, truth)
    assert (truth[best >= sure] == 0).mean() >= SAFE
    assert sure < 1 and (truth == 0).mean() < SAFE


def test_no_confidence_is_sure_where_all_are_wrong() -> None:
    assert _sure(np.array([[0.9, 0.1]] * 5), np.ones(5, np.int64)) == 1.0


def test_an_evaluation_leaves_the_fusion_and_its_accuracy(tmp_path: Path) -> None:
    catalogue = make_shop(tmp_path / "validated", 48)
    splits = make_splits(tmp_path / "splits", catalogue, validation=True)
    embedder = MemoryEmbedder(attribute_labels=LABELS)
    write_evaluation(catalogue, splits, {"challenger": embedder}, tmp_path, SETTINGS)
    fusion = Fusion(**read_json(tmp_path / FUSION))
    assert fusion.model_fingerprint == embedder.identity.fingerprint and fusion.verticals == ("angular", "round")
    found = {
        (figure["queries"], figure["metric"]): figure["value"]
        for figure in read_json(tmp_path / "report.json")["figures"]
        if figure["slice"] == "all"
    }
    for queries in ("catalogue", "damaged"):
        better = max(found[queries, "category_head_accuracy"], found[queries, "category_votes_accuracy"])
        gain = found[queries, "category_accuracy"] - better
        assert found[queries, "category_gain"] == pytest.approx(gain)


def test_without_a_validation_split_nothing_is_calibrated(tmp_path: Path) -> None:
    catalogue = make_shop(tmp_path / "validated", 24)
    splits = make_splits(tmp_path / "splits", catalogue)
    write_evaluation(catalogue, splits, {"challenger": MemoryEmbedder(attribute_labels=LABELS)}, tmp_path, SETTINGS)
    assert not (tmp_path / FUSION).exists()
