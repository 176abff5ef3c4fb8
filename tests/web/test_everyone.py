"""The page works for everyone: axe finds nothing, keys suffice, nothing moves or is cut off that should not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.web.using import answered, cards, choose
from tests.web.watched import Watched

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def complaints(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong with the page as it is."""
    found = Axe().run(page, options={"runOnly": list(rules or RULES)}).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


def test_axe_finds_nothing_wrong_in_any_state_and_every_word_is_readable_in_the_dark(
    page: Page, watched: Watched, photo_file: Path
) -> None:
    assert complaints(page) == []
    choose(page, photo_file)
    page.locator(".chip").first.click()
    page.get_by_role("button", name="Search in a part").click()
    answered(page)
    cards(page).first.locator("summary").click()
    assert complaints(page) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert complaints(page, "color-contrast") == []
    watched.expect_status(401)
    page.route("**/search", lambda route: route.fulfill(status=401, body="{}"))
    page.locator(".chip").first.click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert complaints(page) == []


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    """The page on a phone of 360 pixels."""
    size: ViewportSize = {"width": 360, "height": 740}
    context = browser.new_context(base_url=address, viewport=size, has_touch=True, is_mobile=True)
    watched = Watched(context.new_page(), address)
    watched.page.goto("/")
    yield watched.page
    watched.check()
    context.close()


def columns(page: Page) -> int:
    return len(page.locator("#hits").evaluate("grid => getComputedStyle(grid).gridTemplateColumns").split())


def test_everything_fits_on_a_phone(phone: Page, photo_file: Path) -> None:
    choose(phone, photo_file)
    phone.get_by_text("More choices").click()
    cards(phone).first.locator("summary").click()
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    assert columns(phone) == 2
    assert complaints(phone) == []


def test_a_large_screen_is_filled(page: Page, photo_file: Path) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    choose(page, photo_file)
    assert page.evaluate("document.documentElement.scrollWidth") == 1920
    assert columns(page) >= 5


def test_a_finger_moves_the_box_and_scrolls_the_page_elsewhere(phone: Page, photo_file: Path) -> None:
    expect(phone.get_by_role("button", name="Take a photo")).to_be_visible()
    choose(phone, photo_file)
    parts = phone.locator("#stage, #crop, #crop i")
    actions = parts.evaluate_all("parts => parts.map((part) => getComputedStyle(part).touchAction)")
    assert actions == ["pan-y", "none", "none", "none", "none", "none"]
    phone.get_by_role("button", name="Search in a part").tap()
    expect(phone.locator("#crop")).to_be_visible()


def test_the_keyboard_alone_reaches_and_does_everything(page: Page, photo_file: Path) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Lookalike")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose a photo")).to_be_focused()
    page.locator("#choose").evaluate("(input) => input.addEventListener('click', () => (document.title = 'choosing'))")
    page.keyboard.press("Enter")
    expect(page).to_have_title("choosing")
    page.set_input_files("#choose", photo_file)
    answered(page)
    expect(page.locator("#answer-title")).to_be_focused()
    page.keyboard.press("Tab")
    expect(cards(page).first.get_by_role("link")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(cards(page).first.locator("details")).to_have_attribute("open", "")
    page.locator(".chip").first.focus()
    page.keyboard.press("Space")
    answered(page)
    expect(page.locator(".chip").first).to_be_focused()  # though the chips were made anew
    expect(page.locator(".chip").first).to_have_attribute("aria-pressed", "true")


def test_the_first_tab_in_results_can_skip_to_them(page: Page, photo_file: Path) -> None:
    choose(page, photo_file)
    page.locator("body").press("Home")
    page.evaluate("document.activeElement.blur()")
    page.get_by_role("link", name="Skip to the results").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_be_focused()
    expect(page.locator("#answer-title")).to_have_text("What looks like your photo")


def test_what_happens_is_announced(page: Page, photo_file: Path) -> None:
    said = page.evaluate_handle("""() => {
      const said = [];
      const status = document.querySelector("[role=status]");
      new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true });
      return said;
    }""")
    choose(page, photo_file)
    assert said.json_value() == ["Searching…", "24 products, the most alike first."]


def test_nothing_moves_for_those_who_asked_for_that(page: Page, photo_file: Path) -> None:
    moving = "[...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).transitionDuration !== '0s').length"
    choose(page, photo_file)
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0
