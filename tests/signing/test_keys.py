import stat
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lookalike.errors import ConfigError
from lookalike.signing.keys import TrustedKey, TrustedKeys, load_signing_key, load_trusted_keys, new_signing_key
from tests.signing.keyring import TODAY, Keyring


def test_the_private_key_is_its_owner_s_and_the_list_holds_only_public_ones(tmp_path: Path) -> None:
    Keyring(tmp_path).new("release")
    assert stat.S_IMODE((tmp_path / "release.pem").stat().st_mode) == 0o600
    assert "PRIVATE" not in (tmp_path / "trusted.yaml").read_text()
    assert list(load_trusted_keys(f"file:{tmp_path / 'trusted.yaml'}").by_name) == ["release"]


def test_no_key_is_written_over_and_no_name_given_twice(tmp_path: Path) -> None:
    keys = Keyring(tmp_path)
    keys.new("release")
    before = (tmp_path / "release.pem").read_bytes()
    with pytest.raises(ConfigError, match="'release' has a key"):
        keys.new("release")
    with pytest.raises(ConfigError, match="never written over"):
        new_signing_key(tmp_path / "release.pem", tmp_path / "trusted.yaml", "another")
    assert (tmp_path / "release.pem").read_bytes() == before
    assert list(keys.trusted().by_name) == ["release"]


def test_a_key_counts_to_the_end_of_its_last_day(tmp_path: Path) -> None:
    keys = Keyring(tmp_path)
    keys.new("old", until=TODAY)
    keys.new("new")
    assert (len(keys.trusted().on(TODAY)), len(keys.trusted().on(TODAY + timedelta(days=1)))) == (2, 1)


def test_keys_of_a_key_management_service_are_trusted_alike() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    text = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    [key] = TrustedKeys({"kms": TrustedKey(public=text)}).on(date(2026, 1, 1))
    assert key.scheme == "ecdsa-sha2-nistp256"


def test_a_signing_key_comes_by_reference_alone_and_is_never_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Keyring(tmp_path).new("release")
    text = (tmp_path / "release.pem").read_text()
    monkeypatch.setenv("RELEASE_KEY", text)
    assert load_signing_key("env:RELEASE_KEY").public_key == key.public_key
    monkeypatch.setenv("RELEASE_KEY", text.replace("PRIVATE", "PUBLIC"))
    secret = text.splitlines()[1]
    for reference in (text, "env:RELEASE_KEY", "env:NOT_SET_ANYWHERE", "file:/nowhere/key.pem"):
        with pytest.raises(ConfigError) as refusal:
            load_signing_key(reference)
        assert secret not in str(refusal.value)
        assert refusal.value.__suppress_context__ or secret not in str(refusal.value.__cause__)


@pytest.mark.parametrize("text", ["keys: {}", "keys: {a: {public: no key}}", "[", "keys: {a: {secret: x}}"])
def test_a_list_that_holds_no_keys_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "trusted.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"trusted"):
        Keyring(tmp_path).trusted()
