"""Photos named by a stranger's catalogue stay within its owner's bounds."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from lookalike.catalog.photo_sources import PhotoStore
from lookalike.errors import CatalogueError, ImageError, PhotoTooLarge


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "photos").mkdir(parents=True)
    (folder / "photos" / "a.jpg").write_bytes(b"inside")
    (tmp_path / "secret.txt").write_bytes(b"outside")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.txt")
    return folder


def store(root: Path | str, hosts: tuple[str, ...] = (), max_bytes: int = 100) -> PhotoStore:
    return PhotoStore(str(root), hosts, max_bytes)


def test_paths_inside_the_catalogue_are_read(shop: Path):
    assert store(shop).read("photos/a.jpg") == b"inside"
    assert store(shop).read("photos/../photos/a.jpg") == b"inside"
    assert store(shop).read(f"file://{shop}/photos/a.jpg") == b"inside"
    assert store(shop).read(b"in the row") == b"in the row"


@pytest.mark.parametrize("path", ["../secret.txt", "photos/../../secret.txt", "/etc/hostname", "link.jpg"])
def test_paths_that_lead_outside_are_refused(shop: Path, path: str):
    with pytest.raises(ImageError, match="leads outside the catalogue's folder"):
        store(shop).read(path)


def test_a_file_url_that_leads_outside_is_refused(shop: Path):
    with pytest.raises(ImageError, match="leads outside"):
        store(shop).read(f"file://{shop.parent}/secret.txt")


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/a.jpg",
        "https://allowed.example@evil.example/a.jpg",
        "ftp://shop.example/a.jpg",
        "simplecache::http://shop.example/a.jpg",
        "memory://a::http://shop.example/a.jpg",
        "gopher://x",
    ],
)
def test_urls_are_refused_unless_their_host_is_allowed(shop: Path, url: str):
    with pytest.raises(ImageError, match="is refused; accepted: paths inside the catalogue"):
        store(shop, hosts=("allowed.example",)).read(url)


def test_object_storage_of_the_owner_is_read(shop: Path):
    fsspec.filesystem("memory").pipe("/bucket/a.jpg", b"stored")
    assert store(shop).read("memory://bucket/a.jpg") == b"stored"
    assert store("memory://bucket").read("a.jpg") == b"stored"
    with pytest.raises(ImageError, match="leads outside"):
        store("memory://bucket/photos").read("../a.jpg")


def test_missing_and_oversized_files_say_so(shop: Path):
    with pytest.raises(ImageError, match=r"'photos/b\.jpg' cannot be read"):
        store(shop).read("photos/b.jpg")
    with pytest.raises(PhotoTooLarge, match="more than 3 bytes"):
        store(shop, max_bytes=3).read("photos/a.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        store(shop).read("a\0.jpg")
    with pytest.raises(ImageError, match="the image cell holds int"):
        store(shop).read(7)


def test_a_version_follows_the_file(shop: Path):
    before = store(shop).version("photos/a.jpg")
    assert store(shop).version("photos/a.jpg") == before
    (shop / "photos" / "a.jpg").write_bytes(b"another photo")
    assert store(shop).version("photos/a.jpg") != before
    assert store(shop).version(b"bytes") is None
    assert store(shop).version("../secret.txt") is None


class Web(BaseHTTPRequestHandler):
    """A stranger's host: a photo, a large file, a way elsewhere, and nothing."""

    def do_GET(self) -> None:
        bodies = {"/a.jpg": b"from the web", "/large.jpg": b"x" * 5000}
        if self.path == "/elsewhere.jpg":
            self.send_response(302)
            self.send_header("Location", "/a.jpg")
        else:
            self.send_response(200 if self.path in bodies else 404)
        body = bodies.get(self.path, b"")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_allowed_host_is_read_within_bounds_and_never_followed_elsewhere(shop: Path, web: str):
    allowed = store(shop, hosts=("127.0.0.1",))
    assert allowed.read(f"{web}/a.jpg") == b"from the web"
    assert allowed.read(f"{web}/elsewhere.jpg") == b""  # and an empty photo does not decode
    with pytest.raises(PhotoTooLarge, match="more than 100 bytes"):
        allowed.read(f"{web}/large.jpg")
    with pytest.raises(ImageError, match=r"nothing\.jpg' cannot be read"):
        allowed.read(f"{web}/nothing.jpg")


def test_an_unknown_scheme_is_named():
    with pytest.raises(CatalogueError, match="nowhere://shop cannot be opened: Protocol not known"):
        store("nowhere://shop")
