"""What a shopper does on the page, and what a test reads from it."""

import base64
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

MAKE_FILE = """([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  return transfer;
}"""

PASTE = """(clipboardData) => {
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}"""


def choose(page: Page, photo: Path) -> None:
    """Choose a file and wait for the answer."""
    page.set_input_files("#choose", photo)
    answered(page)


def drop(page: Page, photo: Path) -> None:
    transfer = page.evaluate_handle(MAKE_FILE, [base64.b64encode(photo.read_bytes()).decode(), photo.name])
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("main", event, {"dataTransfer": transfer})


def paste(page: Page, photo: Path) -> None:
    transfer = page.evaluate_handle(MAKE_FILE, [base64.b64encode(photo.read_bytes()).decode(), photo.name])
    paste_event = (
        'data => document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}))'
    )
    page.evaluate(paste_event, transfer)


def answered(page: Page) -> None:
    """Wait until no search is under way and products are on the page."""
    expect(page.locator("#hits .card a").first).to_be_visible()
    expect(page.locator("#hits")).not_to_have_attribute("aria-busy", "true")


def cards(page: Page) -> Locator:
    return page.locator("#hits .card")


def products(page: Page) -> list[str]:
    """The products on the page, in its order."""
    links = page.locator("#hits .card > a").evaluate_all("links => links.map((link) => link.href)")
    return [parse_qs(urlsplit(link).query)["product"][0] for link in links]
