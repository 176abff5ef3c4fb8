"""A real browser on the page of a real server; what the page must never do fails every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.serving.running import Client
from tests.web.chromium import chromium, chromium_path
from tests.web.listening import Asked, serving
from tests.web.shop import DrawnShop
from tests.web.watched import Watched

PATIENCE_MS = 20_000
"""A machine that is busy with other things is no failure."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for this folder's tests and gone after them: Playwright's event loop belongs to its thread."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium is installed; `make browser` says how, LOOKALIKE_CHROMIUM names another one")
    expect.set_options(timeout=PATIENCE_MS)
    with chromium(path) as started:
        yield started


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> DrawnShop:
    return DrawnShop(tmp_path_factory.mktemp("drawn") / "shop")


@pytest.fixture(scope="package")
def everything_asked() -> Asked:
    return Asked()


@pytest.fixture(scope="package")
def server(shop: DrawnShop, everything_asked: Asked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("served")
    with serving(shop, folder, everything_asked) as client:
        yield client


@pytest.fixture
def asked(everything_asked: Asked) -> Asked:
    """What reaches the engine during this test."""
    everything_asked.requests.clear()
    return everything_asked


@pytest.fixture
def address(server: Client) -> str:
    return str(server.http.base_url)


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=address, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
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
