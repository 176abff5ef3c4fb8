"""A short run of the study in which releases are switched under load."""

from pathlib import Path

import pytest

from benchmarks.index.lifecycle import Switching, on_faiss, on_lite


def nothing_failed(done: Switching) -> None:
    assert {kind: (seen.failed, seen.mixed) for kind, seen in done.seen.items()} == {"alias": (0, 0), "engine": (0, 0)}
    assert all(seen.releases == 2 for seen in done.seen.values()), "a reader that met one release proved nothing"


def test_rolling_back_under_load_fails_no_search_and_mixes_no_answer(tmp_path: Path) -> None:
    done = on_faiss(tmp_path / "faiss", turns=15, photos=40)
    nothing_failed(done)
    assert len(done.rollback_seconds) == len(done.swap_seconds) == 15


@pytest.mark.slow
def test_the_same_holds_in_milvus(tmp_path: Path) -> None:
    nothing_failed(on_lite(tmp_path / "lite", turns=15, photos=40))
