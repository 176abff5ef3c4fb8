"""The crop box: drawn, dragged and typed, it searches in a part of the photo."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lookalike.catalog.crop import Crop
from tests.web.listening import Asked
from tests.web.using import answered, choose


@pytest.fixture(autouse=True)
def searched(page: Page, photo_file: Path, asked: Asked) -> None:
    """The first search is over."""
    choose(page, photo_file)
    assert asked.next().crop is None


def drag(page: Page, asked: Asked, start: tuple[float, float], end: tuple[float, float]) -> Crop | None:
    """Drag from one place of the photo to another; returns the crop that was asked for then."""
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    (x, y), (u, v) = [(stage["x"] + stage["width"] * a, stage["y"] + stage["height"] * b) for a, b in (start, end)]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move((x + u) / 2, (y + v) / 2)
    page.mouse.move(u, v)
    page.mouse.up()
    crop = asked.next().crop
    answered(page)
    return crop


def near(*sides: float) -> object:
    return pytest.approx(sides, abs=0.015)  # a few pixels of the screen


def test_a_drag_over_the_photo_searches_in_the_part_it_spans(page: Page, asked: Asked) -> None:
    assert drag(page, asked, (0.8, 0.7), (0.3, 0.2)) == near(0.3, 0.2, 0.8, 0.7)  # in any direction
    expect(page.locator("#crop")).to_be_visible()


def test_the_box_is_moved_by_its_middle_and_resized_by_its_corners(page: Page, asked: Asked) -> None:
    drag(page, asked, (0.2, 0.2), (0.7, 0.7))
    assert drag(page, asked, (0.45, 0.45), (0.55, 0.35)) == near(0.3, 0.1, 0.8, 0.6)
    assert drag(page, asked, (0.31, 0.11), (0.11, 0.21)) == near(0.11, 0.21, 0.8, 0.6)


def test_the_box_stays_in_the_photo(page: Page, asked: Asked) -> None:
    drag(page, asked, (0.2, 0.2), (0.7, 0.7))
    assert drag(page, asked, (0.45, 0.45), (1.5, 0.0)) == near(0.5, 0.0, 1.0, 0.5)


def test_a_click_draws_nothing(page: Page, asked: Asked) -> None:
    page.locator("#stage").click()
    expect(page.locator("#crop")).to_be_hidden()
    assert asked.requests == []


def test_keys_move_resize_and_remove_the_box(page: Page, asked: Asked) -> None:
    page.get_by_role("button", name="Search in a part").press("Enter")
    assert asked.next().crop == (0.1, 0.1, 0.9, 0.9)
    box = page.get_by_role("application")
    expect(box).to_be_focused()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert asked.next().crop == (0.12, 0.08, 0.9, 0.9)
    expect(box).to_have_attribute("aria-label", "Part searched in: 12% to 90% across, 8% to 90% down")
    page.keyboard.press("Escape")
    assert asked.next().crop is None  # the keys before were one search, not four
    expect(page.get_by_role("button", name="Search in a part")).to_be_focused()


def test_a_part_finds_other_products_than_the_whole(page: Page, asked: Asked) -> None:
    titles = page.locator("#hits .card > a")
    whole = titles.evaluate_all("links => links.map((link) => link.search)")
    drag(page, asked, (0.3, 0.3), (0.5, 0.5))
    assert titles.evaluate_all("links => links.map((link) => link.search)") != whole
    page.get_by_role("button", name="Search in the whole photo").click()
    expect(page.locator("#crop")).to_be_hidden()
    expect(titles.first).to_have_attribute("href", f"./{whole[0]}")
