"""Releases signed, and every way in which one can be another than the one that was signed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner, Signature

from lookalike.errors import ConfigError, StorageError, UntrustedRelease
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.release.manifest import Release, load_release
from lookalike.release.promote import rollback
from lookalike.release.signed import SIGNED, Verifier, sign_release, verify_model
from lookalike.storage import read_json, write_json
from tests.release.releasing import Shop
from tests.release.tiny import DIMENSION
from tests.signing.keyring import TODAY, Keyring, flip


class SignedShop(Shop):
    """A shop whose release was signed by the key `ours`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.keys = Keyring(root / "keys")
        self.signer = self.keys.new("ours")
        self.live = self.release(day=1, signer=self.signer)

    @property
    def folder(self) -> Path:
        return self.releases / self.live.release_id

    @property
    def model(self) -> Path:
        return self.models / self.live.model

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.keys.reference, self.releases, self.models, lambda: TODAY)

    def verify(self) -> str:
        return self.verifier.release(load_release(self.releases, self.live.release_id), self.index)


@pytest.fixture
def shop(tmp_path: Path) -> SignedShop:
    return SignedShop(tmp_path)


def test_a_release_is_proven_by_the_key_it_was_signed_with(shop: SignedShop) -> None:
    assert shop.verify() == "ours"
    assert verify_model(shop.model, shop.keys.trusted(), TODAY) == "ours"


def test_the_model_s_signature_goes_where_the_model_is_copied(shop: SignedShop, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(shop.model, tmp_path / "elsewhere" / shop.live.model))
    assert verify_model(copied, shop.keys.trusted(), TODAY) == "ours"
    renamed = copied.rename(copied.with_name("embedder_of_another_name"))
    with pytest.raises(UntrustedRelease, match=f"was signed as {shop.live.model}"):
        verify_model(renamed, shop.keys.trusted(), TODAY)


# ---- one flipped byte, in every kind of file


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> SignedShop:
    return SignedShop(tmp_path_factory.mktemp("signed"))


OF_THE_RELEASE = (
    SIGNED, "release.json", "model.json", "golden.json", "mapping.json", "evaluation/promotion.json",
    "exported/model.json", "exported/golden.json", "exported/stage.json",
)  # fmt: skip
OF_THE_MODEL = ("config.pbtxt", "1/model.onnx", "model.json", "golden.json")


@pytest.mark.parametrize("name", OF_THE_RELEASE)
@pytest.mark.parametrize("at", [0, 41, -1])
def test_a_flipped_byte_in_a_file_of_the_release_is_refused(lasting: SignedShop, name: str, at: int) -> None:
    before = flip(lasting.folder / name, at)
    try:
        with pytest.raises((UntrustedRelease, ConfigError)):  # ConfigError: release.json may not even be read
            lasting.verify()
    finally:
        (lasting.folder / name).write_bytes(before)
    assert lasting.verify() == "ours"


@pytest.mark.parametrize("name", OF_THE_MODEL)
@pytest.mark.parametrize("at", [0, 41, -1])
def test_a_flipped_byte_in_a_file_of_the_model_is_refused_with_its_name(
    lasting: SignedShop, name: str, at: int
) -> None:
    before = flip(lasting.model / name, at)
    try:
        with pytest.raises(UntrustedRelease, match=f"{name} is not as it was signed"):
            lasting.verify()
        with pytest.raises(UntrustedRelease, match=f"{name} is not as it was signed"):
            verify_model(lasting.model, lasting.keys.trusted(), TODAY)
    finally:
        (lasting.model / name).write_bytes(before)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_flipped_bit_anywhere_is_accepted(lasting: SignedShop, data: st.DataObject) -> None:
    files = [lasting.folder / name for name in OF_THE_RELEASE if name != "release.json"]
    files += [lasting.model / name for name in OF_THE_MODEL]
    path = data.draw(st.sampled_from(files))
    at = data.draw(st.integers(0, path.stat().st_size - 1))
    before = flip(path, at, data.draw(st.integers(0, 7)))
    try:
        with pytest.raises(UntrustedRelease):
            lasting.verify()
    finally:
        path.write_bytes(before)


# ---- files added and taken away


ADDED: dict[str, Callable[[SignedShop], Path]] = {
    "a further version of the model": lambda shop: shop.model / "2" / "model.onnx",
    "a file beside the model": lambda shop: shop.model / "1" / "model.py",
    "an empty version": lambda shop: shop.model / "3" / "",
    "a file of the release": lambda shop: shop.folder / "exported" / "checkpoint" / "optimizer.pt",
    "another way to tell verticals": lambda shop: shop.folder / "evaluation" / "fusion.json",
}


@pytest.mark.parametrize("place", ADDED.values(), ids=ADDED)
def test_a_file_that_was_not_signed_is_refused(shop: SignedShop, place: Callable[[SignedShop], Path]) -> None:
    path = place(shop)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.write_bytes(b"{}")
    else:
        path.mkdir()
    with pytest.raises(UntrustedRelease, match="is not signed"):
        shop.verify()


def test_a_link_is_refused_wherever_it_leads(shop: SignedShop) -> None:
    moved = shop.model.parent / ".elsewhere"
    (shop.model / "1").rename(moved)
    (shop.model / "1").symlink_to(moved)
    with pytest.raises(UntrustedRelease, match="is a link"):
        shop.verify()


@pytest.mark.parametrize("name", [SIGNED, "mapping.json", "evaluation/promotion.json"])
def test_a_missing_file_is_refused(shop: SignedShop, name: str) -> None:
    (shop.folder / name).unlink()
    with pytest.raises(UntrustedRelease, match=r"is signed, but missing|is not signed \(no signed.json\)"):
        shop.verify()


def test_what_a_killed_writer_left_aside_is_no_part_of_it(shop: SignedShop) -> None:
    (shop.model / ".signed.json.x1.partial.json").write_text("{")
    assert shop.verify() == "ours"


def test_what_updates_and_erasures_rewrite_is_not_signed(shop: SignedShop) -> None:
    for name in ("stored.parquet", "reference.parquet", "trained_vectors.parquet", "evaluation/report.json"):
        (shop.folder / name).write_text("rewritten")
    write_json(shop.folder / "updates" / "000001.json", {"number": 1})
    write_json(shop.folder / "trial-20260101T000000.json", {})
    assert shop.verify() == "ours"


# ---- parts exchanged for others that are in order themselves


def test_the_files_of_another_signed_release_are_not_accepted_for_this_one(shop: SignedShop) -> None:
    other = shop.release(day=2, signer=shop.signer)
    shutil.copyfile(shop.releases / other.release_id / SIGNED, shop.folder / SIGNED)
    with pytest.raises(UntrustedRelease, match="was signed for release"):
        shop.verify()


def test_a_model_s_statement_is_not_accepted_for_a_release_s(shop: SignedShop) -> None:
    shutil.copyfile(shop.model / SIGNED, shop.folder / SIGNED)
    with pytest.raises(UntrustedRelease, match="'urn:lookalike:model:1', where 'urn:lookalike:release:1'"):
        shop.verify()


def test_a_collection_searched_in_another_way_is_refused(shop: SignedShop) -> None:
    live, other = shop.live, MemoryIndex()
    other.create(
        CollectionInfo(live.collection, live.release_id, live.model_fingerprint, DIMENSION, ("vertical", "price"))
    )
    vector = np.eye(1, DIMENSION, dtype=np.float32)
    other.upsert(live.collection, GalleryBatch(["a/0"], ["a"], vector, {"vertical": ["bags"], "price": ["1"]}))
    other.seal(live.collection)
    with pytest.raises(UntrustedRelease, match="signed for index fields"):
        shop.verifier.release(live, other)


def test_a_published_model_that_is_not_the_kept_one_is_never_signed(shop: SignedShop) -> None:
    flip(shop.model / "golden.json", 100)
    with pytest.raises(UntrustedRelease, match=r"golden\.json is not as it was signed"):
        shop.release(day=2, signer=shop.signer)
    assert read_json(shop.releases / "live.json")["release_id"] == shop.live.release_id


# ---- keys, and releases from before there were any


def test_another_key_an_expired_one_and_none_are_refused(shop: SignedShop, tmp_path: Path) -> None:
    stranger = Keyring(tmp_path / "stranger")
    sign = lambda signer: sign_release(shop.releases, shop.models, shop.live, shop.index, signer)  # noqa: E731
    (shop.folder / SIGNED).unlink()
    sign(stranger.new("theirs"))
    with pytest.raises(UntrustedRelease, match="none of the trusted keys"):
        shop.verify()
    (shop.folder / SIGNED).unlink()
    sign(shop.keys.new("old", until=TODAY.replace(year=2025)))
    with pytest.raises(UntrustedRelease, match="trusted no longer"):
        shop.verify()


def test_a_key_is_rotated_without_a_release_made_anew(shop: SignedShop, tmp_path: Path) -> None:
    sign_release(shop.releases, shop.models, shop.live, shop.index, shop.keys.new("next"))
    listed = tmp_path / "keys" / "trusted.yaml"
    listed.write_text(listed.read_text().replace("  ours:", "  ours:\n    until: 2026-01-01"))
    assert shop.verify() == "next"
    assert verify_model(shop.model, shop.keys.trusted(), TODAY) == "next"


def test_two_releases_of_one_model_are_each_signed(shop: SignedShop) -> None:
    second = shop.release(day=2, signer=shop.keys.new("next"))
    assert second.model == shop.live.model
    assert shop.verifier.release(second, shop.index) == "next"
    assert shop.verify() == "ours"


def test_going_back_to_a_release_without_a_signature_is_refused_and_changes_nothing(shop: SignedShop) -> None:
    def prove(release: Release) -> str:
        return shop.verifier.release(release, shop.index)

    unsigned = shop.release(day=2)
    signed = shop.release(day=3, signer=shop.signer)
    with pytest.raises(UntrustedRelease, match=r"is not signed \(no signed.json\)"):
        rollback(shop.releases, shop.index, prove)
    assert read_json(shop.releases / "live.json") == {"release_id": signed.release_id, "previous": unsigned.release_id}
    assert shop.index.resolve_alias("products_live") == signed.collection
    sign_release(shop.releases, shop.models, unsigned, shop.index, shop.signer)
    assert rollback(shop.releases, shop.index, prove) == unsigned


class Failing(CryptoSigner):
    """Signs the model, and fails at the release."""

    times = 0

    def sign(self, payload: bytes) -> Signature:
        self.times += 1
        if self.times == 2:
            raise StorageError("the key management service is away")
        return super().sign(payload)


def test_a_signing_that_is_interrupted_leaves_the_old_release_in_service_and_is_finished_by_the_next(
    shop: SignedShop,
) -> None:
    parts, failing = shop.parts(day=2, seed=1), Failing(Ed25519PrivateKey.generate())
    with pytest.raises(StorageError, match="away"):
        shop.promote(parts, day=2, signer=failing)
    assert read_json(shop.releases / "live.json")["release_id"] == shop.live.release_id
    assert shop.verify() == "ours"
    second = shop.promote(parts, day=2, signer=shop.signer)
    assert shop.verifier.release(second, shop.index) == "ours"
    assert verify_model(shop.models / second.model, shop.keys.trusted(), TODAY) == "ours"


def test_without_a_signer_nothing_is_signed(tmp_path: Path) -> None:
    plain = Shop(tmp_path)
    release = plain.release(day=1)
    assert not list(tmp_path.rglob(SIGNED))
    assert (plain.models / release.model).is_dir()
