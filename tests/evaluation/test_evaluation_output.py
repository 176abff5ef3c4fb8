"""What the stage leaves behind: report, page, contact sheet, drift reference, promotion."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lookalike.embedders.memory import MemoryEmbedder
from lookalike.evaluation.contact_sheet import LEGEND, judge
from lookalike.evaluation.outputs import write_evaluation
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.evaluation.truth import read_truth
from lookalike.observation import REFERENCE_SCHEMA
from tests.evaluation.shop import make_shop, make_splits

SETTINGS = EvaluationSettings(damaged_queries=20, queries_per_damage=4, repeats=100, sheet_rows=3)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A colour embedder measured beside two others of another seed, with a training curve."""
    folder = tmp_path_factory.mktemp("evaluation")
    catalogue = make_shop(folder / "validated", 48, other_photos=48)
    splits = make_splits(folder / "splits", catalogue)
    labels = {"shape": ["ellipse", "rectangle", "triangle"], "colour": ["blue", "green", "grey", "red"]}
    embedders = {
        "challenger": MemoryEmbedder(attribute_labels=labels),
        "champion": MemoryEmbedder(seed=1, attribute_labels=labels),
        "baseline": MemoryEmbedder(seed=2, dimension=2),
    }
    (folder / "metrics.csv").write_text("epoch,step,train_loss,validation_loss\n0,10,1.5,\n0,10,,1.4\n1,20,1.1,1.2\n")
    output = folder / "output"
    output.mkdir()
    figures = write_evaluation(catalogue, splits, embedders, output, SETTINGS, folder / "metrics.csv")
    return output, figures


@pytest.fixture(scope="module")
def report(written: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    return json.loads((written[0] / "report.json").read_text())


@pytest.fixture(scope="module")
def page(written: tuple[Path, dict[str, Any]]) -> str:
    return (written[0] / "report.html").read_text()


def test_every_figure_states_its_n_slice_split_seed_and_interval(report: dict[str, Any]) -> None:
    assert len(report["figures"]) > 200
    for figure in report["figures"]:
        assert figure["split"] == "test" and figure["seed"] == 0 and figure["slice"] and figure["n"] >= 0, figure
        if figure["interval"] is not None:
            low, high = figure["interval"]
            assert low <= high, figure
    subjects = {figure["subject"] for figure in report["figures"]}
    assert subjects == {"challenger", "champion", "baseline", "challenger - champion", "challenger / baseline"}


def test_the_page_shows_every_figure_of_the_report(report: dict[str, Any], page: str) -> None:
    rows = dict(re.findall(r'<tr data-figure="([^"]+)">(.*?)</tr>', page))
    assert len(rows) == len(report["figures"])
    for figure in report["figures"]:
        row = rows["/".join(figure[part] for part in ("subject", "queries", "metric", "slice"))]
        value = "unknown" if figure["value"] is None else f"{figure['value']:.3f}"
        assert f"<td>{value}</td>" in row and f"<td>{figure['n']}</td>" in row, figure


def test_the_page_needs_nothing_from_elsewhere_and_is_light(page: str) -> None:
    assert "http" not in page
    assert "<script" not in page and "@import" not in page
    for source in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert source.startswith(("data:image/png;base64,", "#")), source[:60]
    assert len(page) < 3_000_000


def test_the_page_reads_on_a_phone_and_in_the_dark(page: str) -> None:
    assert 'name="viewport"' in page and "prefers-color-scheme: dark" in page
    assert page.count("<svg") == 5  # attributes, damages, verticals, confusion, training
    assert "currentColor" in page and "#010203" not in page
    for svg in re.findall(r"<svg[^>]*>", page):
        assert "viewBox" in svg and "width=" not in svg  # scales to the screen


def test_the_page_is_well_formed_with_ids_that_are_used_once(page: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    missing = set(re.findall(r'xlink:href="#([^"]+)"', page)) - set(ids)
    assert not missing
    assert _unclosed(page) == []


def test_the_promotion_is_written_and_told_on_the_page(written: tuple[Path, dict[str, Any]], page: str) -> None:
    promotion = json.loads((written[0] / "promotion.json").read_text())
    assert promotion["promote"] == written[1]["promote"]
    assert promotion["reasons"]
    assert page.count("<li>") == len(promotion["reasons"])


def test_the_stage_reports_the_headline_of_every_model(written: tuple[Path, dict[str, Any]]) -> None:
    figures = written[1]
    for subject in ("challenger", "champion", "baseline"):
        assert 0 <= figures[f"{subject}_fine_precision_at_4"] <= 1
        assert 0 <= figures[f"{subject}_known_item_recall_at_10"] <= 1


def test_the_drift_reference_has_one_row_per_damaged_query(written: tuple[Path, dict[str, Any]]) -> None:
    table = pq.read_table(written[0] / "reference.parquet")
    assert table.schema.equals(REFERENCE_SCHEMA)
    rows = table.to_pylist()
    assert len(rows) == 20
    for row in rows:
        assert np.linalg.norm(row["vector"]) == pytest.approx(1, abs=1e-5)
        assert -1 <= row["top1_score"] <= 1.00001 and 0 <= row["margin"] <= 2
        assert dict(row["attributes"])["colour"] in ("blue", "green", "grey", "red")
        assert 0.25 <= dict(row["confidence"])["colour"] <= 1  # the best of four
        assert (row["photo_width"], row["photo_height"]) == (60, 80) and row["photo_bytes"] > 100


def test_every_row_of_the_reference_and_every_photo_on_the_sheet_has_its_product_noted(
    written: tuple[Path, dict[str, Any]],
) -> None:
    noted = pq.read_table(written[0] / "reference_products.parquet")["product_id"].to_pylist()
    shown = pq.read_table(written[0] / "shown_products.parquet")["product_id"].to_pylist()
    assert len(noted) == pq.read_table(written[0] / "reference.parquet").num_rows
    assert set(noted[:3]) <= set(shown)  # the sheet's three queries
    assert len(shown) == len(set(shown)) <= 3 * 6


def test_the_contact_sheet_has_a_row_per_query_and_a_framed_result_per_place(
    written: tuple[Path, dict[str, Any]],
) -> None:
    with Image.open(written[0] / "contact_sheet.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    frames = {name: tuple(bytes.fromhex(colour[1:])) for name, colour in LEGEND.items()}
    corners = [
        tuple(pixels[44 + row * 136 + 1, 24 + place * 104 + 1].tolist()) for row in range(3) for place in range(1, 6)
    ]
    assert set(corners) <= set(frames.values())
    assert frames["same product"] in corners


def test_a_result_is_judged_by_the_first_thing_it_is(tmp_path: Path) -> None:
    catalogue = make_shop(tmp_path / "validated", 48)
    truth = read_truth(catalogue, make_splits(tmp_path / "splits", catalogue))
    # product 0 is a red ellipse, 12 too; 3 is a green ellipse; 1 is a red rectangle
    assert [judge(truth, 0, other) for other in (0, 12, 3, 1)] == [
        "same product",
        "fine match",
        "coarse match",
        "wrong",
    ]


def _unclosed(page: str) -> list[str]:
    """Tags opened and not closed, or closed out of order."""
    problems: list[str] = []
    open_tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in ("meta", "img", "br"):
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if not open_tags or open_tags.pop() != tag:
                problems.append(tag)

    Reader().feed(page)
    return problems + open_tags
