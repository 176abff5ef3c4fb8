"""What stands beside an erased product's row goes with it, and pictures that show it go whole."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lookalike.lifecycle.erase_artifacts import erase_from_artifact
from lookalike.lifecycle.erase_rows import erase_rows
from lookalike.storage import digest_files, read_json, read_seal, run_stage, write_json

PAGE = '<img alt="Contact sheet: damaged queries" src="data:image/png;base64,AAAA"> <p>0.5</p>'


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    """Three queries' vectors, made from photos of a, b and a; the sheet shows a and c."""

    def work(folder: Path) -> dict[str, Any]:
        pq.write_table(pa.table({"vector": [[1.0], [2.0], [3.0]]}), folder / "reference.parquet")
        pq.write_table(pa.table({"product_id": ["a", "b", "a"]}), folder / "reference_products.parquet")
        pq.write_table(pa.table({"product_id": ["a", "c"]}), folder / "shown_products.parquet")
        (folder / "contact_sheet.png").write_bytes(b"picture")
        (folder / "report.html").write_text(PAGE)
        return {"largest": "a"}

    folder = tmp_path / "evaluation"
    run_stage("evaluate", folder, inputs={}, settings={}, content=["reference.parquet"], work=work)
    return folder


def test_the_reference_loses_the_rows_made_from_the_product_s_photos(evaluation: Path) -> None:
    before = read_seal(evaluation)
    erase_from_artifact(evaluation, ["a"])
    assert pq.read_table(evaluation / "reference.parquet")["vector"].to_pylist() == [[2.0]]
    assert pq.read_table(evaluation / "reference_products.parquet")["product_id"].to_pylist() == ["b"]
    after = read_seal(evaluation)
    assert after.content != before.content
    assert after.figures == {"largest": "(erased)", "erased": 3}


@pytest.mark.parametrize(("product", "shown"), [("a", False), ("b", True), ("c", False)])
def test_a_sheet_goes_when_it_shows_the_product(evaluation: Path, product: str, shown: bool) -> None:
    erase_from_artifact(evaluation, [product])
    assert (evaluation / "contact_sheet.png").exists() == shown
    page = (evaluation / "report.html").read_text()
    assert ("base64" in page) == shown
    assert "<p>0.5</p>" in page


def test_a_finding_stays_without_the_name_of_the_product(tmp_path: Path) -> None:
    told = {"promote": False, "reasons": ["leaked: 2 products, the first is 'shoe-1'", "shoe-1 is a word here"]}
    moved = {"slices": [{"value": "shoe", "examples": [{"time": "now", "hits": ["shoe-1", "shoe-10"]}]}], "n": 3}

    def work(folder: Path) -> dict[str, Any]:
        write_json(folder / "promotion.json", told)
        write_json(folder / "drift.json", moved)
        write_json(folder / "labels.json", ["shoe-1"])
        return {}

    run_stage("find", tmp_path / "found", inputs={}, settings={}, content=["drift.json"], work=work)
    erase_from_artifact(tmp_path / "found", ["shoe-1"])
    assert read_json(tmp_path / "found" / "promotion.json") == {
        "promote": False,
        "reasons": ["leaked: 2 products, the first is (erased)", "shoe-1 is a word here"],
    }
    assert read_json(tmp_path / "found" / "drift.json") == {
        "slices": [{"value": "shoe", "examples": [{"time": "now", "hits": ["shoe-10"]}]}],
        "n": 3,
    }
    assert read_json(tmp_path / "found" / "labels.json") == ["shoe-1"]
    before = read_seal(tmp_path / "found")
    assert erase_from_artifact(tmp_path / "found", ["shoe-1"]) == 0
    assert read_seal(tmp_path / "found") == before


def test_an_artifact_without_the_product_is_not_touched(evaluation: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in evaluation.iterdir()}
    assert erase_from_artifact(evaluation, ["z"]) == 0
    assert {path: path.stat().st_mtime_ns for path in evaluation.iterdir()} == before


def test_triplets_and_answers_that_name_it_anywhere_go(tmp_path: Path) -> None:
    triplets = {"anchor": ["a", "b", "c", "d"], "positive": ["b", "a", "d", "c"], "negative": ["c", "d", "a", "b"]}
    pq.write_table(pa.table(triplets), tmp_path / "triplets.parquet")
    assert erase_rows(tmp_path / "triplets.parquet", ["a"]) == 3
    assert pq.read_table(tmp_path / "triplets.parquet").to_pylist() == [
        {"anchor": "d", "positive": "c", "negative": "b"}
    ]
    hits = pa.table({"hits": pa.array([["b", "a"], ["ab"], [], None], pa.list_(pa.string())), "n": [0, 1, 2, 3]})
    pq.write_table(hits, tmp_path / "log.parquet")
    assert erase_rows(tmp_path / "log.parquet", ["a"]) == 1
    assert pq.read_table(tmp_path / "log.parquet")["n"].to_pylist() == [1, 2, 3]


def test_what_a_watch_says_of_it_goes_and_everything_else_it_says_stays(tmp_path: Path) -> None:
    """A product may be called like a colour: only lists of answers name products."""
    said = {"slices": [{"value": "red", "examples": [{"hits": ["a", "red", "b"]}]}], "catalogue": {"red": 3}}

    def work(folder: Path) -> dict[str, Any]:
        write_json(folder / "drift.json", said)
        (folder / "drift.html").write_text("<p>Photo of product a&amp;b</p>")
        return {}

    folder = tmp_path / "drift"
    run_stage("detect_drift", folder, inputs={}, settings={}, content=["drift.json"], work=work)
    erase_from_artifact(folder, ["red"])
    without = {"slices": [{"value": "red", "examples": [{"hits": ["a", "b"]}]}], "catalogue": {"red": 3}}
    assert read_json(folder / "drift.json") == without
    assert read_seal(folder).content == digest_files(folder, ["drift.json"])
    assert (folder / "drift.html").is_file()
    erase_from_artifact(folder, ["a&b"])  # the page names it as HTML spells it
    assert not (folder / "drift.html").exists()
