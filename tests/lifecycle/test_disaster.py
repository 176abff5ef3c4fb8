"""What docs/disaster-recovery.md says is lost and brought back, its own commands run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

from lookalike.errors import LookalikeError
from lookalike.workspace import Workspace
from tests.app.test_cli import run
from tests.lifecycle.finished import FinishedShop, lose

PAGE = Path(__file__).parents[2] / "docs" / "disaster-recovery.md"


def commands(heading: str) -> list[str]:
    """Our commands in the first block below a heading."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n### {heading}\n")[2]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None, heading
    return [line for line in block[1].replace("\\\n", " ").splitlines() if line.startswith("lookalike ")]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FinishedShop:
    made = FinishedShop(Workspace(tmp_path / "shop"))
    made.prepare()
    given(monkeypatch, made, ["lookalike index --milvus $MILVUS_URI", "lookalike features", "lookalike release"])
    return made


def given(monkeypatch: pytest.MonkeyPatch, shop: FinishedShop, lines: list[str]) -> None:
    """Run commands where the page says they are run: in the workspace's place, with Milvus' address set."""
    monkeypatch.setenv("MILVUS_URI", shop.milvus)
    for line in lines:
        words = shlex.split(line.replace("$RELEASE", shop.live if "$RELEASE" in line else ""), comments=True)[1:]
        words = [word.replace("$MILVUS_URI", shop.milvus).replace("runs/shop", str(shop.place.root)) for word in words]
        if "--workspace" not in words:
            words += ["--workspace", str(shop.place.root)]
        assert run(monkeypatch, *words) == 0, line


def test_a_lost_index_is_built_again_and_gives_the_same_answers(
    shop: FinishedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.answers()
    lose(shop.place.root / "faiss", shop.place.index)
    with pytest.raises(LookalikeError):
        shop.answers()
    given(monkeypatch, shop, commands("The index"))
    assert shop.answers() == before


def test_a_lost_online_store_is_filled_again_and_gives_the_same_answers(
    shop: FinishedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.answers()
    lose(shop.place.feature_store / "online.db")
    with pytest.raises(LookalikeError):
        shop.answers()
    given(monkeypatch, shop, commands("The online store"))
    assert shop.answers() == before


def test_a_lost_model_is_published_again(shop: FinishedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shop.answers()
    lose(shop.place.model_repository)
    with pytest.raises(LookalikeError):
        shop.answers()
    given(monkeypatch, shop, commands("Models in Triton's repository"))
    assert shop.answers() == before


def test_of_a_workspace_the_backup_is_enough(shop: FinishedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    before, place = shop.answers(), shop.place
    kept = {place.releases, place.model_repository, place.feature_store, place.validated}
    lose(*(path for path in place.root.iterdir() if path not in kept), place.feature_store / "online.db")
    (place.releases / shop.live / "exported").rename(place.exported)  # what `cp --recursive` on the page does
    given(monkeypatch, shop, commands("The workspace"))
    assert shop.answers() == before
