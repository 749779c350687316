"""Marketers' journeys in a real Chromium on the real service: a file, a form, a preview, and the way back."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from browser_stand import CHROMIUM, FLAGS
from change_stand import BAKERY
from pipeline import load_gazetteer
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from service import Service, running_service

from adserver.catalog.build import build_catalog
from adserver.catalog.folder import read_folder
from adserver.delivery.preview import WIDTHS, preview_campaign, shown_at

pytestmark = pytest.mark.processes

AXE: Final = (Path(sys.prefix) / "node_modules/axe-core/axe.min.js").read_text()
MEASURE: Final = """() => {
  const box = document.querySelector('.sponsor'), ruler = document.createElement('div');
  ruler.style.width = '100ch';
  box.append(ruler);
  const column = ruler.getBoundingClientRect().width / 100;
  ruler.remove();
  return [box.clientWidth, column];
}"""
"""How wide the line's container is, and a `ch` in it, in pixels."""
SHAPES: Final[tuple[tuple[Literal["light", "dark"], int], ...]] = (("light", 1280), ("dark", 375))
SELECTED: Final = "(({value, selectionStart, selectionEnd}) => value.slice(selectionStart, selectionEnd))"
WRONG: Final = BAKERY.replace("2026-03-01", "soon").replace("https:", "http:").replace("slots:", "slot:")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("changes")) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def cookies(browser: Browser, service: Service) -> Any:  # noqa: ANN401 - Playwright's own shape
    """Return the session of somebody who has signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{service.base}/console/sign-in")
    page.get_by_label("Token").fill(service.admin()["Authorization"].removeprefix("Bearer "))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{service.base}/console/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(browser: Browser, service: Service, cookies: Any) -> Iterator[Page]:  # noqa: ANN401
    """Yield a page of somebody who has signed in; what its policy refuses fails the test."""
    context = browser.new_context(storage_state=cookies, base_url=service.base, reduced_motion="reduce")
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Uncaught" in message.text:
            complaints.append(message.text)

    page = context.new_page()
    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def violations(page: Page) -> list[str]:
    """Return what axe finds on a wide light page and on a narrow dark one, and whether it is wider than its window."""
    page.evaluate(AXE)
    found = []
    for scheme, width in SHAPES:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator(f"html[data-bs-theme={scheme}]")).to_have_count(1)
        result: dict[str, Any] = page.evaluate("axe.run({iframes: false})")
        assert len(result["passes"]) > 10
        found += [f"{each['id']}: {node['html']}" for each in result["violations"] for node in each["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"scrolls sideways at {width}")
    return found


def masthead(service: Service) -> dict[str, Any]:
    return service.decide("masthead", "?location=Remer,MN")


def test_axe_finds_nothing_on_any_page_whatever_stands_on_it(page: Page) -> None:
    found: dict[str, list[str]] = {}
    for path in (
        "/console/upload",
        "/console/campaigns/new",
        "/console/campaigns/lindqvist-lake-season/edit",
        "/console/preview?campaign=three-rivers-season&location=Iowa",
        "/console/preview?campaign=qwiket-season&page=dark",
        "/console/revisions",
        "/console/revisions/1",
        "/console/revisions/1/restore",
    ):
        page.goto(path)
        found[path] = violations(page)
    page.goto("/console/upload")
    page.locator("#text").fill(WRONG)
    page.get_by_role("button", name="Show what changes").click()
    found["faults"] = violations(page)
    page.locator("#text").fill(BAKERY)
    page.get_by_role("button", name="Show what changes").click()
    found["plan"] = violations(page)
    page.goto("/console/campaigns/qwiket-season/edit")
    page.get_by_label("Link").fill("javascript:alert(1)")
    page.get_by_role("button", name="Show what changes").last.click()
    expect(page.get_by_role("alert")).to_contain_text("must begin with https://")
    found["form with faults"] = violations(page)
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_three_faults_are_mended_looked_at_and_published_and_readers_see_it(page: Page, service: Service) -> None:
    text = WRONG.replace("[masthead]", "[footer]").replace('places: ["Remer, MN"]', "topics: [bread]")
    page.goto("/console/upload")
    page.locator("#file").set_input_files({"name": "bakery.yaml", "mimeType": "", "buffer": text.encode()})
    page.get_by_role("button", name="Show what changes").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("3 things are wrong; nothing was published")
    alert.get_by_role("link", name="line 9, column 9").click()
    assert page.evaluate(f"{SELECTED}(document.activeElement)") == 'click_url: "http://bakery.example/"'
    mended = page.locator("#text").input_value().replace("soon", "2026-03-01").replace("http:", "https:")
    page.locator("#text").fill(mended.replace("slot:", "slots:"))
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    expect(page.locator(".change-plan")).to_contain_text("Added campaign spring-bread")
    page.get_by_role("button", name="Preview what readers see").click()
    line = page.frame_locator("iframe").first.locator(".sponsor")
    expect(line).to_contain_text("Corner Bakery")
    page.get_by_role("button", name="Back to the plan").click()
    page.get_by_label("Why, for the history").fill("Ordered by phone")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status")).to_contain_text("serves within a second")

    def is_live() -> bool:
        status, _, body = service.call("/v1/slots/footer?topic=bread&exclude=america-one-house")
        return status == 200 and b"corner-bakery" in body

    service.await_that(is_live)
    page.goto("/console/revisions")
    expect(page.locator(".change-history li").first).to_contain_text("Ordered by phone")


def test_a_campaign_is_made_by_its_form_with_ids_from_names_and_counts_while_typing(page: Page) -> None:
    page.goto("/console/campaigns/new")
    page.get_by_label("Name", exact=True).first.fill("Müller's Dairy")
    assert page.locator('[name="advertiser.id"]').input_value() == "muller-s-dairy"
    page.locator('[name="name"]').fill("Cheese of the week")
    page.locator('[name="starts"]').fill("2026-01-01")
    page.locator('[name="creatives[0].variants.name"]').fill("Müller's Dairy 👩‍🌾")
    expect(page.locator('[data-count-of="creatives[0].variants.name"]')).to_have_text("16 characters")
    page.locator('[name="creatives[0].click_url"]').fill("https://dairy.example/")
    page.locator('[name="creatives[0].id"]').fill("dairy-line")
    page.locator('[name="flights[0].id"]').fill("dairy-flight")
    expect(page.locator('[name="flights[0].share"]')).to_be_hidden()
    page.locator('[name="flights[0].tier"]').select_option("sponsorship")
    expect(page.locator('[name="flights[0].weight"]')).to_be_hidden()
    page.locator('[name="flights[0].share"]').fill("30")
    page.get_by_role("button", name="Add a flight").click()
    page.locator('[name="flights[1].id"]').fill("dairy-too")
    page.locator('[name="flights[1].id"]').press("Enter")
    plan = page.locator(".change-plan")
    expect(plan).to_contain_text("Added campaign cheese-of-the-week")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("status")).to_contain_text("Published")


def test_without_a_script_all_of_it_works(browser: Browser, service: Service, cookies: Any) -> None:  # noqa: ANN401
    context = browser.new_context(storage_state=cookies, java_script_enabled=False, base_url=service.base)
    page = context.new_page()
    page.goto("/console/campaigns/qwiket-season/edit")
    page.get_by_role("button", name="Add a creative").click()
    page.get_by_role("button", name="Remove this creative").nth(1).click()
    expect(page.get_by_role("button", name="Remove this creative")).to_have_count(1)
    page.get_by_role("button", name="Show what changes").last.click()
    expect(page.locator("main")).to_contain_text("Nothing would change")
    page.get_by_role("button", name="Back to the form").click()
    expect(page.locator('[name="name"]')).to_have_value("QWIKET fantasy season")
    context.close()


def test_an_earlier_revision_is_restored_and_readers_see_it(page: Page, service: Service) -> None:
    before = masthead(service)["variants"]["name"]
    page.goto("/console/campaigns/qwiket-season/edit")
    page.locator('[name="creatives[0].variants.name"]').fill("QWIKET again")
    page.get_by_role("button", name="Show what changes").last.click()
    page.get_by_role("button", name="Publish").click()
    service.await_that(lambda: masthead(service)["variants"]["name"] == "QWIKET again")
    page.goto("/console/revisions")
    page.locator(".change-history li").nth(1).get_by_role("link", name="Restore").click()
    expect(page.locator(".change-plan")).to_contain_text("QWIKET again")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("status")).to_contain_text("Restored revision")
    service.await_that(lambda: masthead(service)["variants"]["name"] == before)


def test_a_preview_shows_at_each_width_what_the_terminal_would_for_this_font_and_counts_nothing(
    page: Page, service: Service
) -> None:
    before = service.totals()
    catalog = build_catalog(read_folder(service.campaigns), load_gazetteer())
    campaign = next(one for one in catalog.campaigns if one.id == "lindqvist-lake-season")
    fill = preview_campaign(catalog, campaign)[0].slots[0].fill
    assert fill is not None
    page.goto("/console/preview?campaign=lindqvist-lake-season")
    shown = []
    for index, width in enumerate(WIDTHS):
        handle = page.locator(".preview-frames").first.locator("iframe").nth(index).element_handle()
        inside = handle.content_frame() if handle is not None else None
        assert inside is not None
        expect(inside.locator(".sponsor [data-v]:visible")).to_have_count(1)
        container, column = inside.evaluate(MEASURE)
        assert container == width
        length = inside.locator(".sponsor [data-v]:visible").get_attribute("data-v")
        assert length == shown_at(fill, int(container / column)).value
        shown.append(length)
    assert len(set(shown)) > 1
    assert re.search(r"/go/|/v1/seen", page.content()) is None
    after = service.totals()
    assert {name: after[name] for name in ("impressions", "viewable", "clicks", "invalid")} == {
        name: before[name] for name in ("impressions", "viewable", "clicks", "invalid")
    }
