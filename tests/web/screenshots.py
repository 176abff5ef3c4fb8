"""Photographs the page of a running service for docs/images: `python -m tests.web.screenshots --help`."""

import argparse
import io
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize

from tests.web.chromium import chromium, chromium_path
from tests.web.using import answered, cards, choose

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESK: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 360, "height": 740}
Scheme = Literal["light", "dark"]


def main() -> None:
    """Four pictures: the start, a refined search in light and in dark, and the same on a phone."""
    options = _options()
    path = chromium_path()
    if path is None:
        raise SystemExit("no Chromium is installed")
    with chromium(path) as browser:
        start = _open(browser, options.address, "light", DESK)
        _keep(start, "web-start")
        for scheme in ("light", "dark"):
            _keep(_searched(browser, options, scheme, DESK), f"web-{scheme}")
        _keep(_searched(browser, options, "light", PHONE), "web-phone")


def _searched(browser: Browser, options: argparse.Namespace, scheme: Scheme, size: ViewportSize) -> Page:
    """A search in a part of the photo, one filter on, the first product's reasons open."""
    page = _open(browser, options.address, scheme, size)
    choose(page, options.photo)
    page.get_by_role("button", name="Search in a part").click()
    answered(page)
    page.locator(".chip").nth(1).click()
    answered(page)
    cards(page).first.locator("summary").click()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")
    return page


def _open(browser: Browser, address: str, scheme: Scheme, size: ViewportSize) -> Page:
    phone = size is PHONE
    context = browser.new_context(
        base_url=address, color_scheme=scheme, viewport=size, is_mobile=phone, has_touch=phone, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto("/")
    return page


def _keep(page: Page, name: str) -> None:
    """As WebP, which takes a fifth of a PNG's bytes."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(page.screenshot())) as image:
        image.save(IMAGES / f"{name}.webp", quality=88, method=6)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:8080", help="where `lookalike serve` says the page is")
    parser.add_argument("--photo", type=Path, required=True, help="a photo to search with")
    return parser.parse_args()


if __name__ == "__main__":
    main()
