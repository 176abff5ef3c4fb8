"""The client against a real server: the same answers, typed, and the same errors."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_type_hints

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lookalike.catalog.products import PHOTOS
from lookalike.client import Answer, SearchClient
from lookalike.client.asking import PhotoOptions, ProductOptions
from lookalike.errors import AccessDenied, BackendUnavailable, DeadlineExceeded, NotFound, Overloaded, QueryError
from lookalike.search.query import SearchRequest
from serving.openapi.asked import OF_PHOTOS
from tests.search.shop import Shop, photo
from tests.serving.running import Client, engines_of, put_live, running, settings, untimed

SHOP = Shop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("server")
    put_live(folder / "releases", SHOP)
    table = pa.table({"photo_id": list(SHOP.photos), "content": pa.array(SHOP.photos.values(), pa.binary())})
    pq.write_table(table, folder / PHOTOS, row_group_size=16)
    with running(settings(folder, photos={"catalogue": folder}), engines_of(SHOP)) as client:
        yield client


@pytest.fixture(scope="module")
def client(server: Client) -> Iterator[SearchClient]:
    with SearchClient(str(server.http.base_url)) as client:
        yield client


def plain(answer: Answer) -> list[dict]:
    return untimed([answer.model_dump(mode="json", exclude_unset=True)])


# ---- what it asks and what comes back


def test_a_photo_is_searched_for_as_bytes_file_or_picture(server: Client, client: SearchClient, tmp_path: Path) -> None:
    file = tmp_path / "shoe.png"
    file.write_bytes(photo(1))
    wanted = untimed([server.http.post("/search?k=5", content=photo(1)).json()])
    assert plain(client.search(photo(1), k=5)) == plain(client.search(file, k=5)) == wanted
    picture = client.search(Image.open(io.BytesIO(photo(1))), k=5)  # sent as JPEG, so nearly the same
    assert picture.hits[0].product_id == wanted[0]["hits"][0]["product_id"]


def test_every_option_reaches_the_search(server: Client, client: SearchClient) -> None:
    asked = {"narrow": True, "colour_weight": 0.5, "group": "design", "explain": True, "k": 3, "vertical": "bags"}
    answer = client.search(photo(1, side=48), **asked, filters={"colour": ["red", "blue"]}, crop=(0, 0, 1, 0.5))
    sent = {**asked, "narrow": "true", "explain": "true", "filters": '{"colour": ["red", "blue"]}', "crop": "0,0,1,0.5"}
    assert plain(answer) == untimed([server.http.post("/search", params=sent, content=photo(1, side=48)).json()])
    assert answer.hits[0].why is not None
    assert answer.hits[0].why.rank == 1


def test_options_are_the_fields_of_a_search() -> None:
    named, of_products = get_type_hints(PhotoOptions), get_type_hints(ProductOptions)
    assert set(named) == set(SearchRequest.model_fields) - {"photo", "product_id"}
    assert set(named) - set(of_products) == set(OF_PHOTOS)
    chosen = {name: set(kind.__args__) for name, kind in named.items() if getattr(kind, "__origin__", None) is not None}
    for name in ("group", "category", "stock"):
        assert chosen[name] == set(SearchRequest.model_fields[name].annotation.__args__)


def test_products_their_photos_and_what_looks_like_them(client: SearchClient) -> None:
    product = client.product("p002")
    assert (product.fields["colour"], product.features, len(product.photos)) == ("blue", {"price": 12.0}, 2)
    assert product.photos[0].photo_url is not None
    assert Image.open(io.BytesIO(client.photo(product.photos[0].photo_url))).size == (24, 24)
    similar = client.similar("p002", k=4, explain=True)
    assert len(similar.hits) == 4
    assert "p002" not in {hit.product_id for hit in similar.hits}


def test_pages_follow_one_another_until_there_are_no_more(client: SearchClient) -> None:
    whole = client.search(photo(1), k=100)
    pages = list(client.search_pages(photo(1), k=8))
    assert [len(page.hits) for page in pages] == [8, 8, 8, 6]
    assert [hit for page in pages for hit in page.hits] == list(whole.hits)
    others = [hit.product_id for page in client.similar_pages("p003", k=10) for hit in page.hits]
    assert len(others) == len(set(others)) == 29


def test_readiness_names_the_release(client: SearchClient) -> None:
    ready = client.ready()
    assert (ready.ready, ready.release_id) == (True, SHOP.release.release_id)


# ---- what goes wrong


@pytest.mark.parametrize(
    ("ask", "kind", "sentence"),
    [
        (lambda client: client.search(photo(1), k=1000), QueryError, "k is 1000"),
        (lambda client: client.search(b"GIF89a"), QueryError, "the photo is"),
        (lambda client: client.search(), QueryError, "exactly one of photo and photo_url"),
        (lambda client: client.search(photo_url="https://example.com/a.jpg"), QueryError, "photo_url is not enabled"),
        (lambda client: client.product("a/b?c"), NotFound, "'a/b\\?c' is not in the catalogue"),
        (lambda client: client.similar("p999"), NotFound, "'p999' is not in the catalogue"),
        (lambda client: client.photo("/photos/p999/0"), NotFound, "'p999/0' is not in the catalogue"),
    ],
)
def test_a_refusal_is_the_error_the_library_raises_itself(
    client: SearchClient, ask: Callable[[SearchClient], object], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        ask(client)


def answering(*responses: httpx.Response | Exception, **chosen: object) -> tuple[SearchClient, list[float]]:
    """A client of a service that answers these one after the other, and how long it slept between."""
    left, slept = iter(responses), list[float]()

    def answer(request: httpx.Request) -> httpx.Response:
        given = next(left)
        if isinstance(given, Exception):
            raise given
        return given

    transport = httpx.MockTransport(answer)
    return SearchClient("http://shop", transport=transport, sleep=slept.append, **chosen), slept  # type: ignore[arg-type]


def later(status: int, seconds: str | None = None) -> httpx.Response:
    headers = {} if seconds is None else {"retry-after": seconds}
    return httpx.Response(status, json={"error": "not now"}, headers=headers)


READY = {"ready": True, "release_id": "r"}
PRODUCT = {"release_id": "r", "model_fingerprint": "m", "product_id": "p", "fields": {}, "photos": [], "update": 0}


def product() -> httpx.Response:
    return httpx.Response(200, json={**PRODUCT, "timings_ms": {}, "news": "told by a later service"})


def test_a_service_that_says_later_is_asked_again_then() -> None:
    client, slept = answering(later(429, "2"), later(503), product())
    assert client.product("p").product_id == "p"
    assert slept == [2.0, 0.5]


@pytest.mark.parametrize(
    ("responses", "kind", "waits"),
    [
        ([later(429, "1"), later(429, "1"), later(429, "7")], Overloaded, [1.0, 1.0]),
        ([later(503, "6"), later(503, "6")], BackendUnavailable, [6.0]),  # 12 s would be more than the 10 allowed
        ([later(429, "60")], Overloaded, []),
        ([later(504, "1")], DeadlineExceeded, []),
        ([later(500)], BackendUnavailable, []),
        ([later(401)], AccessDenied, []),
        ([later(413)], QueryError, []),
        ([httpx.ConnectError("refused")], BackendUnavailable, []),
        ([httpx.ReadTimeout("slow")], DeadlineExceeded, []),
        ([httpx.Response(200, text="<html>")], BackendUnavailable, []),
        ([httpx.Response(502, text="<html>")], BackendUnavailable, []),
    ],
)
def test_patience_has_an_end_and_only_later_is_asked_again(
    responses: list[httpx.Response | Exception], kind: type[Exception], waits: list[float]
) -> None:
    client, slept = answering(*responses)
    with pytest.raises(kind):
        client.product("p")
    assert slept == waits


def test_an_error_carries_the_services_sentence_and_its_time() -> None:
    client, _ = answering(later(429, "60"))
    with pytest.raises(Overloaded, match="not now") as refused:
        client.product("p")
    assert refused.value.retry_after_seconds == 60


def test_a_service_that_is_not_ready_says_so_without_an_error() -> None:
    client, slept = answering(httpx.Response(503, json={"ready": False}))
    assert (client.ready().ready, slept) == (False, [])


def test_the_key_and_the_patience_are_sent_along() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=READY)

    with SearchClient("http://shop", api_key="k", timeout_seconds=2.5, transport=httpx.MockTransport(answer)) as client:
        client.ready()
    assert (seen[0].headers["x-api-key"], seen[0].headers["x-request-timeout-ms"]) == ("k", "2500")
