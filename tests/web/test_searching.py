"""From a photo to products, and from a product to others like it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from lookalike.index.filter_input import parse_where
from tests.serving.running import Client
from tests.web.listening import Asked
from tests.web.shop import DrawnShop
from tests.web.using import answered, cards, choose, drop, paste, products
from tests.web.watched import Watched


def found(server: Client, photo: Path, **asked: Any) -> list[str]:
    """What the service itself answers."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()}
    answer = server.http.post("/search", files={"photo": photo.read_bytes()}, data={"k": "24", **texts})
    return [hit["product_id"] for hit in answer.json()["hits"]]


def test_a_chosen_photo_shows_what_the_service_finds_in_its_order(page: Page, server: Client, photo_file: Path) -> None:
    choose(page, photo_file)
    assert products(page) == found(server, photo_file)
    expect(page.locator("#status")).to_have_text("24 products, the most alike first.")
    expect(page).to_have_title("What looks like your photo · Lookalike")
    expect(page.locator("#preview")).to_have_attribute("alt", "Your photo")


@pytest.mark.parametrize("way", [drop, paste])
def test_a_photo_can_be_dropped_and_pasted(page: Page, server: Client, photo_file: Path, way: Any) -> None:
    way(page, photo_file)
    answered(page)
    assert products(page) == found(server, photo_file)


def test_a_drag_says_where_it_may_end(page: Page) -> None:
    files = page.evaluate_handle("() => { const t = new DataTransfer(); t.items.add(new File([], 'a.jpg')); return t }")
    page.dispatch_event("main", "dragenter", {"dataTransfer": files})
    expect(page.get_by_text("Drop the photo to search with it")).to_be_visible()
    page.dispatch_event("main", "dragleave", {"dataTransfer": files})
    expect(page.get_by_text("Drop the photo to search with it")).to_be_hidden()


def test_the_buttons_open_the_gallery_and_the_camera(page: Page) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a photo").click()
    assert chooser.value.element.get_attribute("id") == "choose"
    assert page.locator("#take").get_attribute("capture") == "environment"


def test_a_file_that_is_no_photo_is_told_and_not_sent(page: Page, asked: Asked, tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("not a photo")
    page.set_input_files("#choose", path)
    expect(page.get_by_role("alert")).to_contain_text("That is no photo")
    assert asked.requests == []


def test_a_product_shows_its_attributes_price_and_why(page: Page, shop: DrawnShop, photo_file: Path) -> None:
    choose(page, photo_file)
    (row,) = [row for row in shop.rows if row["sku"] == products(page)[0]]
    card = cards(page).first
    expect(card.get_by_role("heading")).to_have_text(row["type"].capitalize())
    expect(card.locator(".price")).to_have_text(f"{row['price']:.2f}")
    expect(card.locator("img")).to_have_js_property("naturalWidth", 120)
    card.locator("summary").click()
    expect(card.locator("dl")).to_contain_text(row["sku"])
    expect(card.locator("dl")).to_contain_text("Looks alike")


def test_a_click_on_a_product_searches_again_and_back_brings_the_photo_back(
    page: Page, asked: Asked, photo_file: Path
) -> None:
    choose(page, photo_file)
    before = products(page)
    cards(page).nth(2).get_by_role("link").click()
    expect(page).to_have_url(re.compile(f"product={before[2]}$"))
    expect(page.locator("#answer-title")).to_contain_text("Like ")
    answered(page)
    assert before[2] not in products(page)
    expect(page.locator("#answer-title")).to_be_focused()
    asked.requests.clear()
    page.go_back()
    expect(page.locator("#answer-title")).to_have_text("What looks like your photo")
    assert products(page) == before
    page.go_forward()
    expect(page.locator("#answer-title")).to_contain_text("Like ")
    assert asked.requests == []  # the answers are remembered


def test_back_from_the_first_photo_is_the_start(page: Page, photo_file: Path) -> None:
    choose(page, photo_file)
    page.go_back()
    expect(page.get_by_role("heading", name="Find it by photo")).to_be_visible()
    expect(page.locator("#hits")).to_be_hidden()


def test_a_reload_forgets_the_photo(page: Page, photo_file: Path) -> None:
    choose(page, photo_file)
    page.reload()
    expect(page.get_by_role("heading", name="Find it by photo")).to_be_visible()


def test_the_address_of_a_product_can_be_opened_and_shared(page: Page, server: Client) -> None:
    page.goto("/?product=LK00002&group=design")
    answered(page)
    answer = server.http.get("/products/LK00002/similar", params={"k": 24, "group": "design"})
    assert products(page) == [hit["product_id"] for hit in answer.json()["hits"]]
    expect(page.locator('#group input[value="design"]')).to_be_checked()


def test_an_address_of_no_product_is_told(page: Page, watched: Watched) -> None:
    watched.expect_status(400, 404)
    page.goto("/?product=nothing")
    expect(page.get_by_role("alert")).to_contain_text("nothing")


def test_more_products_follow_by_the_cursor_and_take_the_focus(page: Page, server: Client, photo_file: Path) -> None:
    choose(page, photo_file)
    page.get_by_role("button", name="Show more").click()
    expect(cards(page)).to_have_count(48)
    assert products(page) == found(server, photo_file, k=48)
    expect(cards(page).nth(24).get_by_role("link")).to_be_focused()
    expect(page.locator("#status")).to_have_text("24 more products, 48 in all.")
    page.get_by_role("button", name="Show more").click()
    expect(cards(page)).to_have_count(60)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def test_a_chip_keeps_products_with_what_was_seen_and_lets_the_others_back(
    page: Page, asked: Asked, photo_file: Path
) -> None:
    choose(page, photo_file)
    everything = products(page)
    chip = page.locator(".chip").first
    field, value = (chip.get_attribute("data-key") or "").split("=")
    asked.requests.clear()
    chip.click()
    assert asked.next().filters == parse_where({field: [value]})
    answered(page)
    expect(chip).to_have_attribute("aria-pressed", "true")
    assert len(products(page)) < len(everything)
    chip.click()
    expect(cards(page)).to_have_count(24)
    assert products(page) == everything


def test_filters_that_leave_nothing_say_so_and_can_be_removed(page: Page, photo_file: Path) -> None:
    choose(page, photo_file)
    for chip in page.locator(".chip").all():
        chip.click()
        expect(chip).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#hits")).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("alert")).to_contain_text("No product has everything that was asked for.")
    page.get_by_role("button", name="Remove all filters").click()
    expect(cards(page)).to_have_count(24)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_the_category_is_told_and_another_can_be_named(page: Page, asked: Asked, photo_file: Path) -> None:
    choose(page, photo_file)
    assert asked.next().category == "auto"  # refused by no release
    category = page.get_by_label("Category")
    expect(category.locator("option").first).to_have_text(re.compile(r"Any \(looks like \w+, \d+%\)"))
    category.select_option("shoes")
    request = asked.next()
    assert (request.vertical, request.category) == ("shoes", "off")
    answered(page)
    expect(category).to_have_value("shoes")
    expect(category.locator("option")).to_have_count(4)  # the others can still be named


def test_what_is_not_in_stock_can_be_left_out(page: Page, asked: Asked, shop: DrawnShop, photo_file: Path) -> None:
    choose(page, photo_file)
    page.get_by_label("Only what is in stock").check()
    assert [asked.next().stock, asked.next().stock] == ["any", "only"]
    answered(page)
    stock = {row["sku"]: row["stock"] for row in shop.rows}
    assert all(stock[product] > 0 for product in products(page))


def test_a_design_is_shown_once(page: Page, server: Client, photo_file: Path) -> None:
    choose(page, photo_file)
    page.get_by_role("radio", name="design").check()
    expect(page.locator("#hits")).not_to_have_attribute("aria-busy", "true")
    expect(cards(page).first).to_be_visible()
    assert products(page) == found(server, photo_file, group="design")
    assert products(page) != found(server, photo_file)
