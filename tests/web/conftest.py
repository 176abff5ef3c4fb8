"""A real browser on the page of a real server; what the page must never do fails every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.serving.running import Client, engines_of, put_live, running, settings
from tests.web.chromium import chromium, chromium_path
from tests.web.shop import DrawnShop
from tests.web.watched import Watched


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for this folder's tests and gone after them: Playwright's event loop belongs to its thread."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium is installed; `make browser` says how, LOOKALIKE_CHROMIUM names another one")
    with chromium(path) as started:
        yield started


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> DrawnShop:
    return DrawnShop(tmp_path_factory.mktemp("drawn") / "shop")


@pytest.fixture(scope="package")
def server(shop: DrawnShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("served")
    put_live(folder / "releases", shop)
    with running(settings(folder), engines_of(shop)) as client:
        yield client


@pytest.fixture
def address(server: Client) -> str:
    return str(server.http.base_url)


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=address, locale="en-GB")
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def watched(context: BrowserContext, address: str) -> Iterator[Watched]:
    """A page with its errors and requests noted, all of them unwanted unless a test allows them."""
    watched = Watched(context.new_page(), address)
    yield watched
    watched.check()


@pytest.fixture
def page(watched: Watched) -> Page:
    """The page at `/`, loaded."""
    watched.page.goto("/")
    return watched.page


@pytest.fixture
def photo_file(shop: DrawnShop, tmp_path: Path) -> Path:
    """A shopper's photo of a product that is in the shop."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(next(iter(shop.shoppers.values())))
    return path
