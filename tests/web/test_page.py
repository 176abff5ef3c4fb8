"""What the server says about the page: nothing but its own files may run, and no file can be stale."""

import re

import httpx
import pytest

from serving.web.page import STATIC, security_headers
from tests.serving.running import Client


@pytest.fixture(scope="module")
def page(server: Client) -> httpx.Response:
    return server.http.get("/")


def policy_of(response: httpx.Response) -> dict[str, str]:
    directives = response.headers["content-security-policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def test_the_policy_lets_nothing_in_but_the_servers_own_files(page: httpx.Response) -> None:
    policy = policy_of(page)
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' blob:"
    assert policy["require-trusted-types-for"] == "'script'"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"


def test_photos_may_come_from_the_shops_own_host_and_nothing_else_may() -> None:
    policy = security_headers(["https://photos.example"])["content-security-policy"]
    assert "img-src 'self' blob: https://photos.example;" in policy
    assert policy.count("photos.example") == 1


def test_every_file_of_the_page_is_kept_for_ever_under_an_address_made_of_its_content(
    server: Client, page: httpx.Response
) -> None:
    addresses = re.findall(r'(?:src|href)="(static/[^"]+)"', page.text)
    folder = addresses[0].rsplit("/", 1)[0]
    assert re.fullmatch(r"static/[0-9a-f]{16}", folder)
    assert {address.rsplit("/", 1)[0] for address in addresses} == {folder}
    for path in STATIC.iterdir():
        if path.name != "index.html":
            file = server.http.get(f"/{folder}/{path.name}")
            assert file.content == path.read_bytes()
            assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert file.headers["x-content-type-options"] == "nosniff"


def test_the_page_itself_is_asked_for_again_and_sent_only_when_it_changed(server: Client, page: httpx.Response) -> None:
    assert page.headers["cache-control"] == "no-cache"
    unchanged = server.http.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert server.http.get("/", headers={"If-None-Match": '"another"'}).content == page.content
    assert server.http.head("/").headers["etag"] == page.headers["etag"]


def test_other_versions_and_other_files_are_not_there(server: Client, page: httpx.Response) -> None:
    version = page.headers["etag"].strip('"')
    for path in ("0000000000000000/app.js", f"{version}/page.py", f"{version}/..%2fpage.py", f"{version}/index.html"):
        answer = server.http.get(f"/static/{path}")
        assert answer.status_code == 404
        assert "error" in answer.json()


def test_nothing_in_the_page_stands_where_the_policy_would_refuse_it() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:", page)
    assert not re.search(r"https?://", page)


def test_text_becomes_markup_nowhere() -> None:
    for path in STATIC.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text())
