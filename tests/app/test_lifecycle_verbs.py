"""The verbs of a shop's life through the command line: what they say, what they do, and what they refuse."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from lookalike.catalog.sample import SampleShop, draw_shop
from lookalike.catalog.validation import validate
from lookalike.embedders.onnx import OnnxEmbedder
from lookalike.features.materialise import materialise
from lookalike.index.build import build_index
from lookalike.index.faiss import FaissIndex
from lookalike.release.manifest import Release, known_releases, live_release
from lookalike.release.promote import ALIAS
from lookalike.release.publish import publish_model
from lookalike.release.update_log import UpdateLog
from lookalike.storage import read_seal
from lookalike.workspace import Workspace
from tests.app.test_cli import run
from tests.features.shop import DEFINITIONS
from tests.lifecycle.going_live import go_live
from tests.release.tiny import exported

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # ibis on DuckDB
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DAYS = (10, 12)
"""Products in the catalogue of the first and of the second release."""


class Shop:
    """A workspace with two releases over a faiss folder; the verbs run through the command's own entry point."""

    def __init__(self, root: Path) -> None:
        self.place, self.drawn = Workspace(root / "shop"), root / "drawn"
        self.address = f"faiss://{root / 'faiss'}"
        draw_shop(self.drawn, SampleShop(products=16, photos_per_product=1, defects=0))
        for day, products in enumerate(DAYS):
            self._release(products, NOW + timedelta(days=day))

    @property
    def index(self) -> FaissIndex:
        return FaissIndex(Path(self.address.removeprefix("faiss://")))

    def _release(self, products: int, moment: datetime) -> None:
        place, export = self.place, exported()
        validate(str(self.drawn), place.validated, limit=products)
        embedder, index = OnnxEmbedder(export), self.index
        build_index(place.validated, export, place.index, index, embedder)
        digest, model = read_seal(place.validated).content, publish_model(export, place.model_repository).name
        release = Release.of(embedder.identity.fingerprint, digest, moment, model)
        materialise(place.validated, place.features, place.feature_store, release.release_id, moment, DEFINITIONS)
        go_live(place.releases, release, place.index)
        index.point_alias(ALIAS, release.collection)

    def products(self) -> set[str]:
        """What the live collection holds."""
        live = live_release(self.place.releases)
        assert live is not None
        dimension = self.index.describe(live.collection).dimension
        [hits] = self.index.search(live.collection, np.eye(1, dimension, dtype=np.float32), 100)
        return {hit.product_id for hit in hits}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("verbs"))


class Told(NamedTuple):
    """What one run of a verb said."""

    code: int
    out: str
    err: str


Say = Callable[..., Told]


@pytest.fixture
def say(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a verb on the shop."""

    def run_verb(*arguments: str) -> Told:
        capsys.readouterr()
        code = run(monkeypatch, *arguments, "-w", str(shop.place.root), "--milvus", shop.address)
        return Told(code, *capsys.readouterr())

    return run_verb


def test_rollback_says_which_release_is_in_service_again_and_once_more_returns(shop: Shop, say: Say) -> None:
    first, second = sorted(known_releases(shop.place.releases), key=lambda release: release.created)
    told = say("rollback")
    assert told.code == 0
    assert f"release {first.release_id[:12]}" in told.out and f"in place of {second.release_id[:12]}" in told.out
    assert live_release(shop.place.releases) == first
    assert shop.index.resolve_alias(ALIAS) == first.collection
    assert len(shop.products()) == DAYS[0]
    assert say("rollback").code == 0
    assert live_release(shop.place.releases) == second


def test_rollback_by_name_may_be_repeated_and_refuses_what_it_does_not_know(shop: Shop, say: Say) -> None:
    live = live_release(shop.place.releases)
    assert live is not None
    again, unknown = say("rollback", live.release_id[:10]), say("rollback", "nothing")
    assert again.code == 0 and f"release {live.release_id[:12]} of {live.created} is in service already" in again.out
    assert (unknown.code, unknown.out) == (2, "")
    assert "names 0 releases" in unknown.err and "Traceback" not in unknown.err
    assert live_release(shop.place.releases) == live


def test_rollback_says_beforehand_where_it_would_go(shop: Shop, say: Say) -> None:
    first, second = sorted(known_releases(shop.place.releases), key=lambda release: release.created)
    told = say("rollback", "--dry-run")
    assert f"would put release {first.release_id[:12]}" in told.out
    assert f"in place of {second.release_id[:12]}" in told.out
    assert f"lookalike rollback {first.release_id[:12]}" in told.out
    assert live_release(shop.place.releases) == second


def test_a_release_is_tried_promoted_and_what_became_of_trials_is_told(
    shop: Shop, say: Say, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = sorted(known_releases(shop.place.releases), key=lambda release: release.created)

    def tell(*arguments: str) -> Told:
        code = run(monkeypatch, "trial", *arguments, "-w", str(shop.place.root))
        return Told(code, *capsys.readouterr())

    assert "it is in service already" in tell("start", second.release_id[:8]).err
    assert "--mode is 'dark'; canary and shadow are accepted" in tell("start", first.release_id, "--mode", "dark").err
    assert "canary, 5 % of the requests" in tell("start", first.release_id).out
    assert "is no longer on trial" in tell("end").out
    assert "nothing is on trial" in tell("end").err
    tell("start", first.release_id, "--mode", "shadow", "--share", "1")
    assert f"release {first.release_id[:12]} is in service" in say("trial", "promote").out
    assert live_release(shop.place.releases) == first
    shown = tell("show").out
    assert "nothing is on trial" in shown and " was promoted on " in shown and " was ended on " in shown
    assert say("rollback").code == 0
    assert live_release(shop.place.releases) == second


def test_an_update_is_seen_at_once_numbered_and_the_same_catalogue_twice_changes_nothing(shop: Shop, say: Say) -> None:
    before = shop.products()
    told = say("update", str(shop.drawn), "--limit", "14")
    assert told.code == 0
    assert re.search(r"update 1: 2 products added, \d+ changed, 0 removed; 2 photos embedded", told.out)
    assert len(shop.products()) == 14 and shop.products() > before
    again = say("update", str(shop.drawn), "--limit", "14")
    assert again.code == 0
    assert "nothing changed, the live release holds this catalogue already" in again.out
    live = live_release(shop.place.releases)
    assert live is not None
    assert UpdateLog(shop.place.releases, live).next_number() == 2


def test_an_erased_product_is_gone_and_a_later_update_does_not_bring_it_back(shop: Shop, say: Say) -> None:
    gone = sorted(shop.products())[0]
    told = say("erase", gone)
    assert told.code == 0
    assert "removed from collection" in told.out and "cannot be erased from here:" in told.out
    assert gone not in shop.products()
    assert say("update", str(shop.drawn), "--limit", "14").code == 0
    assert gone not in shop.products()
    refused = say("erase", "")
    assert refused.code == 2
    assert "none empty" in refused.err


def test_prune_says_what_it_would_remove_and_then_removes_just_that(shop: Shop, say: Say) -> None:
    shop._release(15, NOW + timedelta(days=5))
    planned = say("prune", "--keep", "0", "--dry-run")
    assert planned.code == 0
    assert len(known_releases(shop.place.releases)) == 3
    done = say("prune", "--keep", "0")
    assert done.code == 0
    assert done.out == planned.out.replace("would remove", "removed")
    assert done.out.count("removed release") == 1
    assert len(known_releases(shop.place.releases)) == len(shop.index.collections()) == 2
    assert "nothing to remove" in say("prune", "--keep", "0").out
