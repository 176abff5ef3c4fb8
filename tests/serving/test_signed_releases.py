"""A service that trusts keys loads what they signed, and goes on with what it has where something else comes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from lookalike.errors import ConfigError, UntrustedRelease
from lookalike.release.manifest import Release, switch_live
from lookalike.release.signed import SIGNED
from lookalike.release.trial import end_trial, start_trial
from lookalike.workspace import Workspace
from serving.assemble import assemble
from serving.engines import engine_maker
from serving.trial import TriedEngine
from tests.index.stages import drawn_photo
from tests.serving.real_parts import assembled
from tests.serving.running import Client, instance, until
from tests.serving.signed_shop import SignedShop
from tests.signing.keyring import Keyring, flip

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # ibis on DuckDB


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> SignedShop:
    root = tmp_path_factory.mktemp("signed")
    return SignedShop(Workspace(root / "shop"), Keyring(root / "keys"))


@pytest.fixture(scope="module")
def first(shop: SignedShop) -> Release:
    return shop.release(range(6), shop.keys.new("ours"))


@pytest.fixture(scope="module")
def second(shop: SignedShop, first: Release) -> Release:
    newer = shop.release(range(8), shop.keys.new("next"))
    switch_live(shop.place.releases, first)
    return newer


def served_by(client: Client) -> str:
    return str(client.v1(instance(drawn_photo(1))).json()["predictions"][0]["release_id"])


@contextmanager
def flipped(path: Path) -> Iterator[None]:
    before = flip(path, len(path.read_bytes()) // 2)
    try:
        yield
    finally:
        path.write_bytes(before)


def test_two_replicas_serve_what_was_signed_and_say_by_whom(
    shop: SignedShop, first: Release, second: Release, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with assembled(shop.settings()) as one, assembled(shop.settings()) as another:
        assert served_by(one) == served_by(another) == first.release_id
        assert caplog.text.count(f"release {first.release_id[:12]} is as ours signed it") == 2
        switch_live(shop.place.releases, second)
        until(lambda: served_by(one) == served_by(another) == second.release_id)
    switch_live(shop.place.releases, first)


def test_one_flipped_byte_keeps_the_old_release_in_service(
    shop: SignedShop, first: Release, second: Release, caplog: pytest.LogCaptureFixture
) -> None:
    releases, folder = shop.place.releases, shop.place.releases / second.release_id
    files = {name: folder / name for name in (SIGNED, "mapping.json", "evaluation/promotion.json")}
    with assembled(shop.settings()) as client:
        for name, path in files.items():
            with flipped(path):
                caplog.clear()
                switch_live(releases, second)
                until(lambda name=name: f"still serving {first.release_id[:12]}" in caplog.text and name in caplog.text)
                assert served_by(client) == first.release_id
                switch_live(releases, first)
        switch_live(releases, second)
        until(lambda: served_by(client) == second.release_id)
    switch_live(releases, first)


@pytest.mark.parametrize("name", ["config.pbtxt", "1/model.onnx", "model.json", "golden.json"])
@pytest.mark.parametrize("tried", [False, True])
def test_no_engine_is_made_of_a_changed_model_for_service_or_trial(
    shop: SignedShop, first: Release, name: str, tried: bool
) -> None:
    make = engine_maker(shop.settings(), None, None)
    with (
        flipped(shop.place.model_repository / first.model / name),
        pytest.raises(UntrustedRelease, match=f"{name} is not as it was signed"),
    ):
        make(first, tried=tried)


def test_a_release_from_before_there_were_keys_is_neither_served_nor_tried(
    shop: SignedShop, first: Release, caplog: pytest.LogCaptureFixture
) -> None:
    unsigned = shop.release(range(7), None)
    with pytest.raises(UntrustedRelease, match="is not signed"):
        assemble(shop.settings())
    switch_live(shop.place.releases, first)
    trial = start_trial(shop.place.releases, unsigned, "canary", 1.0, datetime.now(UTC))
    tried = TriedEngine(shop.place.releases, partial(engine_maker(shop.settings(), None, None), tried=True))
    tried.look()
    assert tried.current is None
    assert "is not signed" in caplog.text
    assert end_trial(shop.place.releases, trial, "ended", (), datetime.now(UTC))


def test_without_trusted_keys_the_log_says_once_that_nobody_looks(
    shop: SignedShop, first: Release, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    make = engine_maker(shop.settings(trusted_keys=None), None, None)
    with flipped(shop.place.releases / first.release_id / SIGNED):
        make(first)
        make(first)
    assert caplog.text.count("signatures of releases are not verified") == 1


def test_a_key_withdrawn_from_the_list_counts_at_the_next_load(shop: SignedShop, first: Release) -> None:
    make, listed = engine_maker(shop.settings(), None, None), shop.keys.folder / "trusted.yaml"
    before = listed.read_text()
    make(first)
    listed.write_text(before.replace("  ours:", "  ours:\n    until: 2026-01-01"))
    with pytest.raises(UntrustedRelease, match="signed by ours, a key that is trusted no longer"):
        make(first)
    listed.write_text("keys: {}")
    with pytest.raises(ConfigError, match="keys"):
        engine_maker(shop.settings(), None, None)
    listed.write_text(before)


@pytest.mark.slow
def test_search_processes_refuse_alike(shop: SignedShop, first: Release) -> None:
    with (
        flipped(shop.place.model_repository / first.model / "1" / "model.onnx"),
        pytest.raises(UntrustedRelease, match=r"model\.onnx is not as it was signed"),
    ):
        assemble(shop.settings(processes=1))
