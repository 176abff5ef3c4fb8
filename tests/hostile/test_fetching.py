"""Photos from strangers' addresses: nothing inside is reached, nothing outside holds the server up."""

import ssl
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from lookalike.deadline import Deadline
from lookalike.errors import ImageError, LookalikeError, Overloaded, PhotoTooLarge, QueryError
from serving.fetching.addresses import is_public
from serving.fetching.dialling import NOT_FETCHED, Resolve
from serving.fetching.fetcher import LATE, Fetcher
from serving.fetching.locations import read_location
from serving.fetching.settings import FetchSettings
from tests.hostile.web import SHOP, Web, allowed, content, dripping, endless, redirect, secure_web, soon, web
from tests.search.shop import Shop, photo
from tests.serving.running import engines_of, put_live, running, settings

PHOTO = photo(7)
INSIDE = """
    127.0.0.1 127.0.0.2 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1
    169.254.169.254 169.254.170.2 100.64.0.1 100.100.100.200 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1
    203.0.113.1 192.88.99.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 168.63.129.16 :: ::1 ::7f00:1
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
    64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:808:808:: 2001::1 2001:0:808:808::1
    2001:db8::1 3fff::1 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd00:ec2::254 ff02::1 ff0e::1 100::1 5f00::1
"""
"""Addresses that lead to this machine, its network or its cloud, or carry one that does."""
OUTSIDE = """
    8.8.8.8 1.1.1.1 93.184.216.34 172.15.0.1 172.32.0.1 2606:4700:4700::1111 64:ff9b::808:808 ::ffff:8.8.8.8
"""
"""Hosts of the internet."""

REFUSED_BY_WHAT_THEY_SAY = (
    "ftp://shop.example/a.jpg",
    "file:///etc/passwd",
    "gopher://shop.example:443/_GET",
    "data:image/png;base64,AAAA",
    "//shop.example/a.jpg",
    "shop.example/a.jpg",
    "https://user:secret@shop.example/a.jpg",
    "https://shop.example@127.0.0.1/a.jpg",
    "https://shop.example:22/a.jpg",
    "https://shop.example:99999/a.jpg",
    "https://shop.example:port/a.jpg",
    "https://[::1/a.jpg",
    "https://[fe80::1%25eth0]/a.jpg",
    "https:///a.jpg",
    "https://shop.example\\@127.0.0.1/a.jpg",
    "https://shop.example/a b.jpg",
    "https://shop.example/a\r\nHost: inside/",
    "https://shop.example/\0",
    "https://exam​ple.com/a.jpg",
    "https://①②⑦.⓪.⓪.①/a.jpg",
    "https://2130706433/a.jpg",
    "https://0x7f000001/a.jpg",
    "https://0x7f.1/a.jpg",
    "https://0177.0.0.1/a.jpg",
    "https://127.1/a.jpg",
    "https://127.0.0.1./a.jpg",
    "https://-shop.example/a.jpg",
    "https://" + "a" * 3000 + ".example/",
    "",
)


def unsecured(resolve: Resolve) -> Fetcher:
    """A fetcher with the default settings that trusts nobody: reading the system's certificates takes a while."""
    return Fetcher(FetchSettings(enabled=True), resolve, trusted=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


@pytest.fixture
def shop_web() -> Iterator[Web]:
    stop = threading.Event()
    pages = {
        "/photo": content(PHOTO, "text/html"),  # what the header says does not matter
        "/moved": redirect("/photo"),
        "/moved-inside": redirect("http://inside.example:{port}/photo"),
        "/moved-to-metadata": redirect("http://169.254.169.254:{port}/latest/meta-data/"),
        "/moved-to-file": redirect("file:///etc/passwd"),
        "/moved-with-password": redirect("http://user:secret@shop.example:{port}/photo"),
        "/moved-to-port": redirect("http://shop.example:22/photo"),
        "/round": redirect("/round"),
        "/large": content(b"x" * 200_000),
        "/endless": endless,
        "/dripping-head": dripping(b"y", stop),
        "/dripping-body": dripping(b"x", stop),
        "/nothing": lambda request: request.wfile.write(b"garbage\r\n\r\n"),
    }
    with web(pages) as served:
        yield served
        stop.set()


@pytest.mark.parametrize("address", INSIDE.split())
def test_addresses_that_lead_inside_are_not_public(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE.split())
def test_hosts_of_the_internet_are_public(address: str):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("url", REFUSED_BY_WHAT_THEY_SAY)
def test_addresses_are_refused_by_what_they_say_without_asking_the_network(url: str):
    def nobody(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host}:{port} was resolved")

    with pytest.raises(QueryError) as refusal:
        unsecured(nobody)(url, soon())
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("address", INSIDE.split())
def test_a_name_that_leads_inside_is_never_dialled(address: str):
    fetch = unsecured(lambda *_: [address])  # the fixture that closes the network would tell
    with pytest.raises(ImageError, match=f"^{NOT_FETCHED}$"):
        fetch("https://inside.example/a.jpg", soon())


def test_one_inner_address_among_public_ones_is_enough_to_refuse():
    fetch = unsecured(lambda *_: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(ImageError, match=f"^{NOT_FETCHED}$"):
        fetch("https://mixed.example/a.jpg", soon())


def test_a_name_that_does_not_exist_is_told_as_one_that_leads_inside():
    def unknown(*_: object) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(ImageError, match=f"^{NOT_FETCHED}$"):
        unsecured(unknown)("https://nowhere.example/a.jpg", soon())


def test_a_photo_is_fetched_by_its_bytes_with_the_name_in_the_host_header(shop_web: Web):
    assert shop_web.fetcher()(shop_web.url("/photo"), soon()) == PHOTO
    assert shop_web.seen == [(f"shop.example:{shop_web.port}", "/photo")]


def test_https_asks_by_name_and_holds_the_certificate_to_it():
    with secure_web("shop.example", PHOTO) as (port, trusted, asked):
        chosen = FetchSettings(enabled=True, ports=(port,))
        fetch = Fetcher(chosen, lambda *_: [SHOP], allowed, trusted)
        assert fetch(f"https://shop.example:{port}/photo", soon()) == PHOTO
        assert asked == ["shop.example"]
        with pytest.raises(ImageError, match="could not be fetched"):
            fetch(f"https://other.example:{port}/photo", soon())
        with pytest.raises(ImageError, match="could not be fetched"):
            Fetcher(chosen, lambda *_: [SHOP], allowed)(f"https://shop.example:{port}/photo", soon())


def test_a_name_is_resolved_once_so_that_rebinding_gains_nothing(shop_web: Web):
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])
    asked: list[str] = []

    def rebinding(host: str, _: int) -> list[str]:
        asked.append(host)
        return next(answers)

    fetch = shop_web.fetcher()
    fetch._resolve = rebinding
    assert fetch(shop_web.url("/photo"), soon()) == PHOTO
    assert asked == ["shop.example"]
    with pytest.raises(ImageError, match=NOT_FETCHED):  # the next fetch asks anew, and checks anew
        fetch(shop_web.url("/photo"), soon())


def test_redirects_are_followed_to_where_fetching_is_allowed(shop_web: Web):
    assert shop_web.fetcher()(shop_web.url("/moved"), soon()) == PHOTO


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/moved-inside", NOT_FETCHED),
        ("/moved-to-metadata", NOT_FETCHED),
        ("/moved-to-file", "must begin with"),
        ("/moved-with-password", "must not hold a user"),
        ("/moved-to-port", "names port 22"),
        ("/round", "more than 3 times"),
    ],
)
def test_every_redirect_is_checked_like_the_first_address(shop_web: Web, path: str, told: str):
    fetch = shop_web.fetcher({"inside.example": ["127.0.0.2"]})
    with pytest.raises(LookalikeError, match=told):
        fetch(shop_web.url(path), soon())
    assert all(host.startswith("shop.example") for host, _ in shop_web.seen)


@pytest.mark.parametrize("path", ["/large", "/endless"])
def test_no_more_bytes_are_read_than_allowed(shop_web: Web, path: str):
    with pytest.raises(PhotoTooLarge, match="100000"):
        shop_web.fetcher(bytes=100_000)(shop_web.url(path), soon())


@pytest.mark.parametrize("path", ["/dripping-head", "/dripping-body"])
def test_a_host_that_drips_is_left_at_the_deadline(shop_web: Web, path: str):
    with pytest.raises(ImageError, match=LATE):
        shop_web.fetcher(seconds=0.3)(shop_web.url(path), soon())
    with pytest.raises(ImageError, match=LATE):
        shop_web.fetcher()(shop_web.url(path), Deadline.after(0.3))


def test_a_resolver_that_does_not_answer_is_left_at_the_deadline():
    answered = threading.Event()

    def slow(*_: object) -> list[str]:
        answered.wait(20)
        return []

    fetch = Fetcher(FetchSettings(enabled=True, seconds=0.2), slow)
    with pytest.raises(ImageError, match=NOT_FETCHED):
        fetch("https://slow.example/a.jpg", soon())
    answered.set()


@pytest.mark.parametrize(("path", "told"), [("/missing", "status 404"), ("/nothing", "could not be fetched")])
def test_failures_are_told_without_detail(shop_web: Web, path: str, told: str):
    with pytest.raises(ImageError, match=told) as failed:
        shop_web.fetcher()(shop_web.url(path), soon())
    assert "127.0.0" not in str(failed.value)


def test_a_closed_port_is_told_without_detail(shop_web: Web):
    fetch = shop_web.fetcher(ports=(shop_web.port, 9))
    with pytest.raises(ImageError, match=r"^the photo could not be fetched from its address$"):
        fetch("http://shop.example:9/", soon())


def test_fetches_never_take_all_threads(shop_web: Web):
    fetch = shop_web.fetcher(at_once=1, seconds=20)
    given_up = Deadline.after(20)

    def drip() -> None:
        with pytest.raises(ImageError):
            fetch(shop_web.url("/dripping-body"), given_up)

    slow = threading.Thread(target=drip)
    slow.start()
    while not shop_web.seen:
        threading.Event().wait(0.01)
    with pytest.raises(Overloaded):
        fetch(shop_web.url("/photo"), soon())
    given_up.abandon()
    slow.join(20)
    assert fetch(shop_web.url("/photo"), soon()) == PHOTO


def test_only_named_hosts_are_fetched_from_where_some_are_named():
    chosen = FetchSettings(enabled=True, hosts=("cdn.example",))
    assert read_location("https://CDN.example./a?b=ü#c", chosen).url == "https://cdn.example.:443/a?b=%C3%BC"
    with pytest.raises(QueryError, match=r"from cdn\.example only"):
        read_location("https://other.example/a", chosen)


def test_environment_proxies_are_not_asked(shop_web: Web, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.3:1")
    assert shop_web.fetcher()(shop_web.url("/photo"), soon()) == PHOTO


def test_a_server_fetches_only_where_that_is_enabled(tmp_path: Path):
    shop = Shop()
    put_live(tmp_path / "releases", shop)
    with running(settings(tmp_path), engines_of(shop)) as client:
        off = client.http.post("/search?photo_url=https://shop.example/a.jpg")
    with running(settings(tmp_path, fetching={"enabled": True}), engines_of(shop)) as client:
        inside = client.http.post("/search?photo_url=https://localhost/a.jpg")
        plain = client.http.post("/search?photo_url=http://169.254.169.254/latest/meta-data/")
    assert (off.status_code, inside.status_code, plain.status_code) == (400, 400, 400)
    assert "not enabled" in off.json()["error"]
    assert inside.json()["error"] == NOT_FETCHED
    assert "must begin with https://" in plain.json()["error"]
