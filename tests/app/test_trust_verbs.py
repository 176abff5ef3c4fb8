"""`lookalike keys signing`, `sign` and `verify`, and what `release` and `rollback` refuse."""

import pickle
from pathlib import Path

import pytest

from lookalike import stages
from lookalike.errors import UntrustedRelease
from lookalike.release.manifest import live_release, switch_live
from lookalike.workspace import Workspace
from tests.app.test_cli import run
from tests.release.tiny import exported
from tests.serving.signed_shop import SignedShop
from tests.signing.keyring import Keyring

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # ibis on DuckDB


def test_a_release_is_signed_verified_and_gone_back_to_by_the_verbs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "keys"
    pair = ("--private", str(keys / "ours.pem"), "--trusted", str(keys / "trusted.yaml"))
    assert run(monkeypatch, "keys", "signing", "ours", *pair, "--until", "2999-12-31") == 0
    shop = SignedShop(Workspace(tmp_path / "shop"), Keyring(keys))
    older, newer = (shop.release(range(count), None) for count in (4, 5))
    monkeypatch.setenv("LOOKALIKE_TRUSTED_KEYS", shop.keys.reference)

    def verb(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(monkeypatch, *arguments, "-w", str(shop.place.root), "--milvus", shop.address)
        return code, "".join(capsys.readouterr())

    assert "is not signed" in verb("verify")[1]
    monkeypatch.setenv("LOOKALIKE_SIGNING_KEY", f"file:{keys / 'ours.pem'}")
    assert verb("sign", newer.release_id[:8])[0] == 0
    assert f"release {newer.release_id[:12]} is as ours signed it" in verb("verify")[1]

    code, said = verb("rollback")
    assert (code, "is not signed" in said) == (2, True)
    assert verb("sign", older.release_id)[0] == 0
    assert verb("rollback")[0] == 0

    (shop.place.releases / "notes.bin").write_bytes(pickle.dumps([1]))
    code, said = verb("verify")
    assert (code, "notes.bin holds a pickle" in said) == (2, True)


def test_a_pipeline_s_task_signs_by_its_environment_and_releases_nothing_unsigned_where_keys_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = SignedShop(Workspace(tmp_path / "shop"), Keyring(tmp_path / "keys"))
    shop.keys.new("ours")
    first, second = (shop.release(range(count), None) for count in (4, 5))
    switch_live(shop.place.releases, first)
    monkeypatch.setenv("LOOKALIKE_TRUSTED_KEYS", shop.keys.reference)
    folders = (
        shop.place.root / "validated-5",
        exported(),
        *(shop.place.evaluation, shop.place.index, shop.place.features),
    )
    places = {"workspace": str(shop.place.root), "milvus_uri": shop.address}

    with pytest.raises(UntrustedRelease, match="is not signed"):
        stages.release(*map(str, folders), **places)
    assert live_release(shop.place.releases) == first
    monkeypatch.setenv("LOOKALIKE_SIGNING_KEY", f"file:{shop.keys.folder / 'ours.pem'}")
    assert stages.release(*map(str, folders), **places) == second.release_id
    assert stages.verify(**places) == (second, "ours")


def test_a_key_given_itself_is_refused_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = Keyring(tmp_path)
    keys.new("ours")
    secret = (tmp_path / "ours.pem").read_text()
    assert run(monkeypatch, "sign", "any", "--signing-key", secret, "-w", str(tmp_path), "--milvus", "x.db") == 2
    said = "".join(capsys.readouterr())
    assert "only by reference: file:PATH or env:NAME" in said
    assert secret.splitlines()[1] not in said
