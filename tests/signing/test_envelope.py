import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import UntrustedRelease
from lookalike.signing.envelope import read_signed, write_signed
from lookalike.signing.statement import Statement
from tests.signing.keyring import TODAY, Keyring, flip

KIND = "urn:test:thing:1"
STATEMENT = Statement(KIND, {"b.onnx": "22", "a.json": "11"}, {"name": "Straße", "sizes": [1, 2]})


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path)


def test_what_was_signed_is_read_back_with_the_key_s_name(keys: Keyring) -> None:
    path = keys.folder / "signed.json"
    write_signed(path, STATEMENT, keys.new("release"))
    signed = read_signed(path, KIND, keys.trusted(), TODAY)
    assert (signed.statement, signed.by) == (STATEMENT, "release")


def test_other_tools_find_an_in_toto_statement_in_a_dsse_envelope(keys: Keyring) -> None:
    path = keys.folder / "signed.json"
    write_signed(path, STATEMENT, keys.new("release"))
    envelope = json.loads(path.read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert (statement["_type"], statement["predicateType"]) == ("https://in-toto.io/Statement/v1", KIND)
    assert statement["subject"][0] == {"name": "a.json", "digest": {"sha256": "11"}}


def test_another_key_an_old_key_and_another_kind_are_refused_by_name(keys: Keyring, tmp_path: Path) -> None:
    path, stranger = keys.folder / "signed.json", Keyring(tmp_path / "elsewhere")
    write_signed(path, STATEMENT, stranger.new("theirs"))
    keys.new("ours")
    with pytest.raises(UntrustedRelease, match=r"by none of the trusted keys \(ours\)"):
        read_signed(path, KIND, keys.trusted(), TODAY)
    write_signed(path, STATEMENT, keys.new("old", until=TODAY.replace(day=1)))
    with pytest.raises(UntrustedRelease, match=r"signed by old, a key that is trusted no longer \(2026-11-01\)"):
        read_signed(path, KIND, keys.trusted(), TODAY)
    with pytest.raises(UntrustedRelease, match="'urn:test:thing:1', where 'urn:other' is asked for"):
        read_signed(path, "urn:other", keys.trusted(), TODAY.replace(day=1))


def test_keys_are_rotated_by_a_second_signature_beside_the_first(keys: Keyring, tmp_path: Path) -> None:
    path, first = keys.folder / "signed.json", keys.new("first")
    write_signed(path, STATEMENT, first)
    write_signed(path, STATEMENT, keys.new("second"))
    listed = (tmp_path / "trusted.yaml").read_text()
    for gone, left in (("first", "second"), ("second", "first")):
        (tmp_path / "trusted.yaml").write_text(listed.replace(f"  {gone}:", f"  {gone}:\n    until: 2026-01-01"))
        assert read_signed(path, KIND, keys.trusted(), TODAY).by == left
    write_signed(path, Statement(KIND, {}, {}), first)  # another statement: the second key said nothing of it
    assert len(json.loads(path.read_bytes())["signatures"]) == 1


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    keys = Keyring(tmp_path_factory.mktemp("keys"))
    write_signed(keys.folder / "signed.json", STATEMENT, keys.new("release"))
    return keys


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_flipped_bit_of_an_envelope_is_accepted(signed: Keyring, at: int, bit: int) -> None:
    path = signed.folder / "signed.json"
    before = flip(path, at, bit)
    try:
        with pytest.raises(UntrustedRelease):
            read_signed(path, KIND, signed.trusted(), TODAY)
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "null", '{"payload": 3, "payloadType": [], "signatures": [7]}', "[" * 9000]
)
def test_what_is_no_envelope_is_refused_in_words(content: str, keys: Keyring) -> None:
    keys.new("release")
    (keys.folder / "signed.json").write_text(content)
    with pytest.raises(UntrustedRelease, match="no DSSE envelope"):
        read_signed(keys.folder / "signed.json", KIND, keys.trusted(), TODAY)
    with pytest.raises(UntrustedRelease, match="is not signed"):
        read_signed(keys.folder / "absent.json", KIND, keys.trusted(), TODAY)
