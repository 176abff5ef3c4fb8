"""Whatever a catalogue or an error says is text on the page, never markup."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.listening import Asked, serving
from tests.web.shop import DrawnShop
from tests.web.using import answered, cards, choose
from tests.web.watched import Watched

HOSTILE = (
    "<img src=x onerror=document.title='owned'>",
    "</span><script>document.title='owned'</script>",
    "\"'><svg onload=document.title='owned'>",
    "{{constructor.constructor('document.title=1')()}}",
    "javascript:document.title='owned'",
    "\u202e\u0000 right to left",
)


@pytest.fixture(scope="module")
def hostile_shop(tmp_path_factory: pytest.TempPathFactory) -> DrawnShop:
    """Every value of every product is hostile, those that become chips too."""
    values = [dict.fromkeys(("type", "colour", "pattern"), text) for text in HOSTILE]
    changed = {f"LK{number:05d}": values[number % len(values)] for number in range(12)}
    return DrawnShop(tmp_path_factory.mktemp("hostile") / "shop", products=12, changed=changed)


@pytest.fixture(scope="module")
def hostile_address(hostile_shop: DrawnShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile-served")
    with serving(hostile_shop, folder, Asked()) as client:
        yield str(client.http.base_url)


@pytest.fixture
def hostile_page(browser: Browser, hostile_address: str) -> Iterator[Page]:
    context = browser.new_context(base_url=hostile_address)
    watched = Watched(context.new_page(), hostile_address)
    watched.page.goto("/")
    yield watched.page
    watched.check()
    context.close()


def test_attribute_values_stand_on_the_page_as_they_are(
    hostile_page: Page, hostile_shop: DrawnShop, tmp_path: Path
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(next(iter(hostile_shop.photos.values())))
    choose(hostile_page, path)
    shown = " ".join(cards(hostile_page).all_text_contents())
    for text in HOSTILE:
        assert text[1:] in shown  # the first letter of a title is a capital
    assert hostile_page.locator("#hits :is(script, svg, [onerror], [onload])").count() == 0
    for chip in hostile_page.locator(".chip").all():
        assert any(text in (chip.text_content() or "") for text in HOSTILE)
    hostile_page.locator(".chip").first.click()
    answered(hostile_page)
    expect(hostile_page).to_have_title("What looks like your photo · Lookalike")


def test_an_errors_sentence_is_text(page: Page, watched: Watched, photo_file: Path) -> None:
    watched.expect_status(400)
    body = json.dumps({"error": HOSTILE[0]})
    page.route("**/search", lambda route: route.fulfill(status=400, body=body))
    page.set_input_files("#choose", photo_file)
    expect(page.get_by_role("alert")).to_contain_text(HOSTILE[0])
    assert page.locator("#problem img").count() == 0


def test_an_address_can_smuggle_in_nothing(page: Page, watched: Watched) -> None:
    watched.expect_status(400, 404)
    page.goto('/?product="><img src=x onerror=alert(1)>&group=%3Cb%3E&filters={"a":["<b>"],"b":7}')
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.locator("#answer :is(img, b)").count() == 0


def test_the_policy_stops_a_script_that_was_smuggled_in(page: Page, watched: Watched) -> None:
    watched.expect("TrustedScript", "TrustedHTML")
    page.evaluate("""() => {
      const script = document.createElement("script");
      try { script.text = "document.title = 'owned'"; } catch {}
      document.body.append(script);
      try { document.body.innerHTML = "<b>owned</b>"; } catch {}
    }""")
    expect(page).to_have_title("Lookalike: find it by photo")
    expect(page.get_by_role("heading", name="Find it by photo")).to_be_visible()
