"""What goes wrong is told in words, with what can be done about it, and the page goes on from there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.web.using import answered, cards, choose
from tests.web.watched import Watched

SEARCH = "**/search"


def refuse_once(page: Page, status: int, body: str, headers: dict[str, str] | None = None) -> list[dict[str, str]]:
    """Stand in for a gateway that refuses the next search; returns the headers of what it was sent."""
    seen: list[dict[str, str]] = []

    def answer(route: Route) -> None:
        seen.append(route.request.headers)
        route.fulfill(status=status, body=body, headers=headers or {})

    page.route(SEARCH, answer, times=1)
    return seen


def error(sentence: str) -> str:
    return json.dumps({"error": sentence})


def test_too_many_searches_say_when_to_try_again_and_the_button_waits(
    page: Page, watched: Watched, photo_file: Path
) -> None:
    watched.expect_status(429)
    refuse_once(page, 429, error("This key has asked 60 times in a minute."), {"Retry-After": "1"})
    page.set_input_files("#choose", photo_file)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This key has asked 60 times in a minute. Try again in 1 second.")
    expect(page.locator("#problem-remedy")).to_be_disabled()
    page.get_by_role("button", name="Try again", exact=True).click()  # waits until it is enabled
    answered(page)
    expect(alert).to_be_hidden()


def test_a_service_that_is_down_is_told_and_recovers_without_a_reload(
    page: Page, watched: Watched, photo_file: Path
) -> None:
    watched.expect_status(503)
    refuse_once(page, 503, error("no release is in service yet"))
    page.set_input_files("#choose", photo_file)
    expect(page.get_by_role("alert")).to_contain_text("no release is in service yet")
    page.get_by_role("button", name="Try again").click()
    answered(page)


def test_a_lost_connection_is_told(page: Page, watched: Watched, photo_file: Path) -> None:
    watched.expect("net::ERR_FAILED")
    page.route(SEARCH, lambda route: route.abort(), times=1)
    page.set_input_files("#choose", photo_file)
    expect(page.get_by_role("alert")).to_contain_text("The shop cannot be reached.")
    page.get_by_role("button", name="Try again").click()
    answered(page)


def test_a_proxys_page_is_never_shown(page: Page, watched: Watched, photo_file: Path) -> None:
    watched.expect_status(413)
    refuse_once(page, 413, "<html><h1>413 Request Entity Too Large</h1><hr>nginx</html>")
    page.set_input_files("#choose", photo_file)
    expect(page.get_by_role("alert")).to_have_text("The photo is too large Choose a smaller one.", use_inner_text=False)
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()


def test_a_shop_that_asks_for_a_key_gets_it_and_the_key_stays_in_this_tab(
    page: Page, watched: Watched, photo_file: Path
) -> None:
    watched.expect_status(401)
    refuse_once(page, 401, error("an API key is needed"))
    page.set_input_files("#choose", photo_file)
    field = page.get_by_label("API key")
    expect(field).to_be_focused()
    seen = refuse_once(page, 401, error("the API key is not known"))
    field.fill("wrong")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That key was not accepted")
    assert seen[0]["authorization"] == "Bearer wrong"
    field.fill("right")
    with page.expect_request(SEARCH) as sent:
        page.get_by_role("button", name="Use this key").click()
    assert sent.value.headers["authorization"] == "Bearer right"
    answered(page)
    expect(field).to_be_hidden()
    kept = page.evaluate("[JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie]")
    assert ["right" in place for place in kept] == [True, False, False]


def test_a_page_of_products_that_cannot_go_on_begins_anew(page: Page, watched: Watched, photo_file: Path) -> None:
    watched.expect_status(400)
    choose(page, photo_file)
    refuse_once(page, 400, error("the catalogue was updated since the page before"))
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("alert")).to_contain_text("the catalogue was updated since the page before")
    expect(cards(page)).to_have_count(24)
    page.get_by_role("button", name="Search again").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(cards(page)).to_have_count(24)


def test_only_the_last_of_quick_changes_is_shown(page: Page, photo_file: Path) -> None:
    choose(page, photo_file)
    held: list[Callable[[], Any]] = []
    page.route(SEARCH, lambda route: held.append(route.continue_), times=1)
    page.locator(".chip").first.click()
    page.locator(".chip").first.click()  # off again, answered before the first
    answered(page)
    expect(cards(page)).to_have_count(24)
    assert len(held) == 1
    expect(page.locator(".chip").first).to_have_attribute("aria-pressed", "false")
