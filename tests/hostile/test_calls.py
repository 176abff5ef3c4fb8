"""gRPC messages as only a fuzzer writes them, each found by one."""

from collections.abc import Iterator

import grpc
import pytest

from tests.hostile.request_fuzz import INFER, calls
from tests.search.shop import Shop
from tests.serving.running import Client, engines_of, put_live, running, settings

WHOLE = next(calls())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder, shop = tmp_path_factory.mktemp("server"), Shop()
    put_live(folder / "releases", shop)
    with running(settings(folder), engines_of(shop)) as client:
        yield client


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (WHOLE[:-40], "cannot be read"),
        (b"\xff" * 50, "cannot be read"),
        (WHOLE.replace(b"\x01k\x12\x02\x10\x04", b"\x01k\x12\x02\x50\x04"), "'k' has no value"),
    ],
    ids=["cut", "no protobuf", "a parameter of a field that does not exist"],
)
def test_a_broken_message_is_the_callers_mistake(client: Client, sent: bytes, told: str):
    with pytest.raises(grpc.RpcError) as refusal:
        client.channel.unary_unary(INFER)(sent, timeout=60)
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert told in refusal.value.details()
