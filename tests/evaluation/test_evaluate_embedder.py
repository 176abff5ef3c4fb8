"""One embedder through queries, gallery and figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lookalike.catalog.products import Catalogue
from lookalike.damage.profiles import SINGLE_DAMAGES
from lookalike.embedders.memory import MemoryEmbedder
from lookalike.errors import EvaluationError
from lookalike.evaluation.figures import FINE, RECALL, find_figure, model_figures
from lookalike.evaluation.measure import Evaluation, evaluate_embedder
from lookalike.evaluation.queries import (
    QuerySet,
    build_queries,
    damaged_queries,
    distractor_photos,
    gallery_photos,
)
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import Truth, read_truth
from tests.evaluation.shop import make_shop, make_splits

SETTINGS = EvaluationSettings(damaged_queries=20, queries_per_damage=5, repeats=100)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Truth]:
    folder = tmp_path_factory.mktemp("shop")
    catalogue = make_shop(folder / "validated", products=48, other_photos=40)
    return catalogue, read_truth(catalogue, make_splits(folder / "splits", catalogue))


@pytest.fixture(scope="module")
def evaluation(shop: tuple[Catalogue, Truth]) -> Evaluation:
    catalogue, truth = shop
    embedder = MemoryEmbedder(attribute_labels={"colour": ["blue", "green", "grey", "red"]})
    gallery = gallery_photos(catalogue, truth.rows("test"))
    queries = build_queries(catalogue, truth, SETTINGS)
    return evaluate_embedder(embedder, truth, queries, gallery, SETTINGS, distractor_photos(catalogue, truth, SETTINGS))


def test_an_undamaged_photo_always_finds_its_own_product(shop: tuple[Catalogue, Truth]) -> None:
    catalogue, truth = shop
    gallery = gallery_photos(catalogue, truth.rows("test"))
    undamaged = QuerySet("damaged", gallery)
    found = evaluate_embedder(MemoryEmbedder(), truth, [undamaged], gallery, SETTINGS).sets["damaged"]
    assert found.values["known_item_recall_at_1"].tolist() == [1.0] * 32
    assert found.values["known_item_mrr_at_10"].tolist() == [1.0] * 32


def test_queries_and_gallery_come_from_the_test_split_alone(shop: tuple[Catalogue, Truth]) -> None:
    catalogue, truth = shop
    test = set(truth.rows("test"))
    queries = build_queries(catalogue, truth, SETTINGS)
    for asked in queries:
        assert set(asked.photos.products) <= test, asked.name
    assert not set(distractor_photos(catalogue, truth, SETTINGS).products) & test
    names = [asked.name for asked in queries]
    assert names == ["catalogue", "damaged", *(f"damaged:{name}" for name in SINGLE_DAMAGES), "other_photos"]
    assert [len(asked.photos.contents) for asked in queries] == [32, 20, *(5 for _ in SINGLE_DAMAGES), 20]


def test_every_query_shows_the_product_it_is_counted_for(shop: tuple[Catalogue, Truth]) -> None:
    catalogue, truth = shop
    contents = catalogue.photo_contents()
    ids = catalogue.products["product_id"].to_numpy()
    clean, *_, other = build_queries(catalogue, truth, SETTINGS)
    assert [contents[f"{ids[p]}/0"] for p in clean.photos.products] == list(clean.photos.contents)
    assert [contents[f"{ids[p]}/-1"] for p in other.photos.products] == list(other.photos.contents)


def test_the_same_seed_damages_the_same_way(shop: tuple[Catalogue, Truth]) -> None:
    catalogue, truth = shop
    photos = gallery_photos(catalogue, truth.rows("test")[:3])
    first, again, other = (damaged_queries("damaged", photos, "scribble", seed).photos.contents for seed in (1, 1, 2))
    assert first == again != other


def test_a_colour_embedder_finds_colours_above_chance_and_reports_n_and_interval(
    shop: tuple[Catalogue, Truth], evaluation: Evaluation
) -> None:
    figures = model_figures("challenger", evaluation, shop[1], SETTINGS)
    colour = find_figure(figures, "challenger", "catalogue", "attribute_colour_precision_at_4")
    assert colour.value > 0.5  # a quarter of the shop has any one colour
    assert (colour.n, colour.skipped, colour.split) == (32, 0, "test")
    assert colour.low < colour.value < colour.high


def test_vertical_slices_add_up_to_the_whole(shop: tuple[Catalogue, Truth], evaluation: Evaluation) -> None:
    figures = model_figures("challenger", evaluation, shop[1], SETTINGS)
    whole = find_figure(figures, "challenger", "catalogue", FINE)
    parts = [find_figure(figures, "challenger", "catalogue", FINE, f"vertical:{v}") for v in ("round", "angular")]
    assert sum(part.n for part in parts) == whole.n
    assert sum(part.value * part.n for part in parts) / whole.n == pytest.approx(whole.value)


def test_a_larger_gallery_never_makes_the_own_product_easier_to_find(evaluation: Evaluation) -> None:
    damaged = evaluation.sets["damaged"].values
    assert (damaged["catalogue_recall_at_10"] <= damaged["known_item_recall_at_10"]).all()
    assert (evaluation.gallery_photos, evaluation.all_photos) == (32, 48)


def test_head_accuracy_judges_labels_by_name_and_skips_unknown_values(shop: tuple[Catalogue, Truth]) -> None:
    catalogue, truth = shop
    rows = truth.rows("test")
    colour, codes = truth.attributes.index("colour"), truth.codes.copy()
    codes[rows[:4], colour] = -1
    partly = replace(truth, codes=codes)
    gallery = gallery_photos(catalogue, rows)
    embedder = MemoryEmbedder(attribute_labels={"colour": ["red", "grey", "mauve"]})
    found = evaluate_embedder(embedder, partly, [QuerySet("catalogue", gallery, False)], gallery, SETTINGS)
    measured = found.sets["catalogue"]
    picked = measured.embeddings.attributes["colour"].argmax(axis=1)
    for q, row in enumerate(rows):
        named = ["red", "grey", "mauve"][picked[q]]
        true = truth.values["colour"][truth.codes[row, colour]]
        expected = np.nan if q < 4 else float(named == true)
        assert measured.values["head_colour_accuracy"][q] == pytest.approx(expected, nan_ok=True)


def test_known_duplicates_of_the_query_never_count_as_similar(tmp_path: Path) -> None:
    leaks = {f"p{number:03d}": f"p{number - 12:03d}" for number in range(28, 40)}  # same look, same photo, other id
    catalogue = make_shop(tmp_path / "validated", 48, duplicates=leaks)
    groups = {**leaks, **{first: first for first in leaks.values()}}
    truth = read_truth(catalogue, make_splits(tmp_path / "splits", catalogue, groups))
    gallery = gallery_photos(catalogue, truth.rows("test"))
    queries = QuerySet("catalogue", gallery, known_item=False)

    honest = evaluate_embedder(MemoryEmbedder(), truth, [queries], gallery, SETTINGS)
    blind = replace(truth, items=np.arange(len(truth.items)))
    leaky = evaluate_embedder(MemoryEmbedder(), blind, [queries], gallery, SETTINGS)
    copied = np.isin(catalogue.products["product_id"].to_numpy()[gallery.products], [*leaks, *leaks.values()])
    assert leaky.sets["catalogue"].values["fine_hit_at_1"][copied].mean() == 1.0
    assert honest.sets["catalogue"].values["fine_hit_at_1"][copied].mean() < 1.0


def test_a_design_or_a_duplicate_in_two_splits_is_refused_as_a_leak(tmp_path: Path) -> None:
    catalogue = make_shop(tmp_path / "validated", 12)
    splits = make_splits(tmp_path / "splits", catalogue, {"p000": "design", "p011": "design"})
    with pytest.raises(EvaluationError, match="the group 'design' and 0 more lie in more than one split"):
        read_truth(catalogue, splits)
    planted = make_shop(tmp_path / "planted", 12, duplicates={"p011": "p000"})
    with pytest.raises(EvaluationError, match="the near-duplicate group 'p000' and 0 more lie in more than one split"):
        read_truth(planted, make_splits(tmp_path / "splits_of_planted", planted))


def test_recall_of_every_damage_has_its_own_figure(shop: tuple[Catalogue, Truth], evaluation: Evaluation) -> None:
    figures = model_figures("challenger", evaluation, shop[1], SETTINGS)
    for name in SINGLE_DAMAGES:
        figure = find_figure(figures, "challenger", f"damaged:{name}", RECALL)
        assert figure.n == 5
    with pytest.raises(EvaluationError, match="no figure challenger/catalogue/known_item_recall_at_10/all"):
        find_figure(figures, "challenger", "catalogue", RECALL)
