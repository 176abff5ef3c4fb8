"""A person's veto, as it is written and as it is read."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from lookalike.errors import ConfigError
from monitoring.veto import Veto, read_veto, write_veto

END = datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_without_a_file_there_is_no_veto(tmp_path: Path) -> None:
    assert read_veto(tmp_path / "veto") is None


@pytest.mark.parametrize("veto", [Veto("sale weekend"), Veto("sale weekend", END)])
def test_what_is_written_is_read(tmp_path: Path, veto: Veto) -> None:
    write_veto(tmp_path / "veto", veto)
    assert read_veto(tmp_path / "veto") == veto


@pytest.mark.parametrize(
    ("text", "veto"),
    [
        ("", Veto("veto")),
        ("ask Ada\nabout the sale\n", Veto("ask Ada about the sale")),
        ("until 2026-12-01T08:00\n", Veto("veto", END)),
        ("Until 2026-12-01T09:00+01:00\nsale", Veto("sale", END)),
    ],
)
def test_a_veto_may_be_written_by_hand(tmp_path: Path, text: str, veto: Veto) -> None:
    (tmp_path / "veto").write_text(text)
    assert read_veto(tmp_path / "veto") == veto


def test_an_end_that_cannot_be_read_is_no_end_that_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "veto").write_text("until monday\n")
    with pytest.raises(ConfigError, match="ends 'monday'"):
        read_veto(tmp_path / "veto")


def test_a_veto_stands_until_its_end_and_not_at_it() -> None:
    elsewhere = END.astimezone(timezone(timedelta(hours=5)))
    assert Veto("x", END).stands(elsewhere - timedelta(seconds=1))
    assert not Veto("x", END).stands(elsewhere)
    assert Veto("x").stands(END + timedelta(days=9999))
