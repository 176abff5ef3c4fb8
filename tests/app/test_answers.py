"""What the terminal shows of an answer."""

import pytest

from app.answers import tell_answer
from lookalike.search.engine import SearchEngine
from lookalike.search.query import SearchRequest
from tests.search.shop import Shop, photo

SHOP = Shop(products=12)


def told(capsys: pytest.CaptureFixture[str], **asked: object) -> str:
    engine = SearchEngine(SHOP.embedder, SHOP.index, SHOP.features, SHOP.release)
    tell_answer(engine.search(SearchRequest(photo=photo(1), **asked)))  # type: ignore[arg-type]
    return capsys.readouterr().out


def test_every_answer_is_a_row_and_more_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    shown = told(capsys, k=11)
    assert sum(line.strip().startswith("p0") for line in shown.splitlines()) == 11
    assert "more: --cursor " in shown and "variants" not in shown and "narrowed" not in shown
    assert "more" not in told(capsys, k=12)


def test_folded_answers_show_their_variants(capsys: pytest.CaptureFixture[str]) -> None:
    shown = told(capsys, group="design")
    assert "variants" in shown
    assert all(f"p{number:03d}" in shown for number in range(12))


def test_an_explained_answer_has_a_sentence_for_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    shown = told(capsys, explain=True, k=3)
    assert [line[:3] for line in shown.splitlines() if "Its look agrees" in line] == ["1. ", "2. ", "3. "]


def test_a_narrowed_answer_says_by_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert "narrowed by: " in told(capsys, narrow=True)
