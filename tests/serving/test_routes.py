"""The plain routes: one search however it is sent, and what is refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lookalike.search.query import search_request
from tests.search.shop import Shop, photo
from tests.serving.running import (
    Client,
    engines_of,
    instance,
    json_tensor,
    put_live,
    running,
    settings,
    texts_of,
    untimed,
)

SHOP = Shop()
CROP = (0.25, 0.0, 1.0, 0.75)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("server")
    put_live(folder / "releases", SHOP)
    with running(settings(folder, request_bytes=200_000), engines_of(SHOP)) as client:
        yield client


def expected(**values: Any) -> list[dict]:
    return untimed([engines_of(SHOP)(SHOP.release).search(search_request(values)).as_json()])


def posted(client: Client, fields: dict[str, str], file: bytes | None = None) -> Any:
    """A form as a browser sends it."""
    parts: list[Any] = [(name, (None, text)) for name, text in fields.items()]
    return client.http.post("/search", files=[*parts, *([("photo", ("shoe.png", file))] if file is not None else [])])


# ---- one search, however it is sent


def test_a_form_the_body_and_every_protocol_crop_and_filter_alike(client: Client) -> None:
    content, filters = photo(1, side=48), {"colour": ["red", "blue"]}
    wanted = expected(photo=content, k=5, filters=filters, crop=CROP)
    assert wanted != expected(photo=content, k=5, filters=filters)
    crop = ",".join(map(str, CROP))
    form = posted(client, {"k": "5", "filters": json.dumps(filters), "crop": crop}, content)
    assert untimed([form.json()]) == wanted
    body = client.http.post(f"/search?k=5&colour=red&colour=blue&crop={crop}", content=content)
    assert untimed([body.json()]) == wanted
    v1 = client.v1(instance(content, k=5, filters=filters, crop=CROP)).json()["predictions"]
    assert untimed(v1) == wanted
    (output,) = client.v2(json_tensor([content]), k=5, filters=json.dumps(filters), crop=crop).json()["outputs"]
    assert untimed([json.loads(text) for text in output["data"]]) == wanted
    remote = client.grpc([content], k=5, filters=json.dumps(filters), crop=crop).outputs[0].contents.bytes_contents
    assert untimed([json.loads(text) for text in remote]) == wanted


@pytest.mark.parametrize(
    "asked",
    [
        {"explain": True, "narrow": True, "colour_weight": 0.25, "group": "item", "k": 4, "stock": "first"},
        {"explain": True, "vertical": "bags", "stock": "only", "filters": {"colour": ["red"]}},
    ],
)
def test_every_field_reaches_the_search_whichever_way_it_is_sent(client: Client, asked: dict[str, Any]) -> None:
    content = photo(1)
    wanted = expected(photo=content, **asked)
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()}
    assert untimed([posted(client, texts, content).json()]) == wanted
    assert untimed([client.http.post("/search", params=texts, content=content).json()]) == wanted
    assert untimed(client.v1(instance(content, **asked)).json()["predictions"]) == wanted
    parameters = asked | {"filters": texts["filters"]} if "filters" in asked else asked
    assert untimed(texts_of(client.v2(json_tensor([content]), **parameters))) == wanted
    remote = client.grpc([content], **parameters).outputs[0].contents.bytes_contents
    assert untimed([json.loads(text) for text in remote]) == wanted


def test_a_product_is_searched_for_by_form_url_and_path_alike(client: Client) -> None:
    wanted = expected(product_id="p003", k=4)
    assert untimed([posted(client, {"product_id": "p003", "k": "4"}).json()]) == wanted
    assert untimed([client.http.post("/search?product_id=p003&k=4").json()]) == wanted
    assert untimed([client.http.get("/products/p003/similar?k=4").json()]) == wanted


def test_a_field_left_blank_in_a_form_is_one_that_was_not_given(client: Client) -> None:
    assert untimed([posted(client, {"k": "", "crop": "", "cursor": ""}, photo(1)).json()]) == expected(photo=photo(1))


# ---- what is refused


@pytest.mark.parametrize(
    ("fields", "file", "sentence"),
    [
        ({"k": "many"}, photo(1), "k is 'many', which is not a whole number"),
        ({"narrow": "perhaps"}, photo(1), "narrow is 'perhaps', which is not true or false"),
        ({"crop": "0,0,1"}, photo(1), "left,top,right,bottom as fractions"),
        ({"crop": "0.6,0,0.5,1"}, photo(1), "left before right"),
        ({"crop": "nan,0,1,1"}, photo(1), "crop.0 is nan"),
        ({"crop": "0,0,0.01,0.01"}, photo(1), "the cropped part is 1x1"),
        ({"crop": "0,0,1,1", "product_id": "p003"}, None, "crop is a part of a photo"),
        ({"filters": "{"}, photo(1), "filters is '{', which is not JSON such as"),
        ({"color": "red"}, photo(1), "unknown field 'color'; accepted: category"),
        ({"photo": "text"}, None, "only 'photo' is a file"),
        ({}, b"", "the photo is empty"),
        ({"k": "3"}, None, "exactly one of photo and product_id"),
        ({"product_id": "p003"}, photo(1), "exactly one of photo and product_id"),
        ({"photo_url": "https://example.com/shoe.jpg"}, None, "photo_url is not enabled on this server"),
    ],
)
def test_a_wrong_form_is_refused_with_a_sentence(
    client: Client, fields: dict[str, str], file: bytes | None, sentence: str
) -> None:
    response = posted(client, fields, file)
    assert (response.status_code, sentence in response.json()["error"]) == (400, True), response.text


def test_what_stands_in_the_url_and_in_the_form_is_refused(client: Client) -> None:
    response = client.http.post("/search?k=3", files={"photo": photo(1), "k": (None, "4")})
    assert (response.status_code, "k is in the URL and in the form" in response.json()["error"]) == (400, True)


@pytest.mark.parametrize("kind", ["", "; boundary=x", "; charset=idna"])
def test_a_form_that_is_none_is_refused(client: Client, kind: str) -> None:
    response = client.http.post("/search", content=photo(1), headers={"Content-Type": f"multipart/form-data{kind}"})
    assert (response.status_code, set(response.json())) == (400, {"error"}), response.text


@pytest.mark.parametrize("address", ["/search?k=3&k=4", '/search?filters={"colour":"red"}&colour=red'])
def test_a_url_that_says_a_thing_twice_is_refused(client: Client, address: str) -> None:
    assert client.http.post(address, content=photo(1)).status_code == 400


def test_a_form_beyond_the_size_limit_is_refused(client: Client) -> None:
    response = posted(client, {}, bytes(300_000))
    assert (response.status_code, set(response.json())) == (413, {"error"}), response.text


# ---- health


def test_health_says_which_release_is_ready(client: Client) -> None:
    assert client.http.get("/health/live").json() == {"live": True}
    assert client.http.get("/health/ready").json() == {
        "ready": True,
        "release_id": SHOP.release.release_id,
        "degraded": [],
    }
