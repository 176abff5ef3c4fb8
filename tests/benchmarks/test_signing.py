from pathlib import Path

from benchmarks.signing import measure
from lookalike.workspace import Workspace
from tests.release.releasing import Shop


def test_flips_and_pickles_are_counted_on_copies_of_a_release(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    shop.release(day=1)
    before = {path: path.read_bytes() for path in shop.root.rglob("*") if path.is_file()}
    figures = measure(Workspace(shop.root), tmp_path / "scratch", repeats=1, flips=30)
    assert {path: path.read_bytes() for path in shop.root.rglob("*") if path.is_file()} == before
    assert (figures["signature_flips_accepted"].value, figures["signature_flips_accepted"].n) == (0, 30)
    assert (figures["pickles_found"].value, figures["pickles_found"].n) == (0, len(before))
