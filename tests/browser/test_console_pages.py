"""The console's pages in a real Chromium: axe's rules, both widths and colours, and the journeys by keyboard."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from axe import AXE
from browser_stand import serving_app
from console_stand import ADMIN, ConsoleStand, hostile_file
from delivery_stand import SHORT
from playwright.sync_api import Browser, ConsoleMessage, Page

PAGES: Final = (
    "",
    "campaigns",
    "campaigns/big-fork-winter",
    "campaigns/big-fork-winter/pause",
    "schedule",
    "statistics?by=campaign&metrics=impressions&metrics=ctr",
    "statistics?metrics=fill_rate&by=campaign",
    "explain?slot=masthead&location=Ames,+IA",
)
ALL_RULES: Final = "axe.run()"
COLOURS: Final = "axe.run({runOnly: ['color-contrast']})"
SCREENS: Final = (
    (1280, "light", ALL_RULES),
    (375, "dark", ALL_RULES),
    (1280, "dark", COLOURS),
    (375, "light", COLOURS),
)
REFUSED: Final = "the server responded with a status of 422"
"""What Chromium says of a page whose question was refused."""


class Console:
    """A browser before a console. One thread's."""

    def __init__(self, base: str, browser: Browser, stand: ConsoleStand) -> None:
        self.base = base
        self.browser = browser
        self.stand = stand
        self.complaints: list[str] = []

    def signed_in(self, width: int = 1280, scheme: str = "light", **context: Any) -> Page:  # noqa: ANN401
        """Return a page of somebody who has signed in; what the browser complains of is kept."""
        size = {"width": width, "height": 800}
        page = self.browser.new_context(viewport=size, color_scheme=scheme, **context).new_page()  # type: ignore[arg-type]
        page.on("console", self._hear)
        page.goto(f"{self.base}/console/")
        page.get_by_label("Token").fill(ADMIN)
        page.get_by_label("Token").press("Enter")
        page.wait_for_url(f"{self.base}/console/")
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and REFUSED not in message.text:
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def console(browser: Browser) -> Iterator[Console]:
    stand = ConsoleStand(extra=[hostile_file()])
    stand.count_weeks()
    with serving_app(stand.app) as base:
        yield Console(base, browser, stand)


@pytest.mark.parametrize(("width", "scheme", "rules"), SCREENS)
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(
    console: Console, width: int, scheme: str, rules: str
) -> None:
    page = console.signed_in(width, scheme, bypass_csp=True)  # axe is put in by the test
    found: list[tuple[str, str, str]] = []
    for path in PAGES:
        page.goto(f"{console.base}/console/{path}")
        page.evaluate(AXE)
        violations = page.evaluate(rules)["violations"]
        found += [(path, each["id"], each["nodes"][0]["html"]) for each in violations]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert found == []
    page.context.close()


def test_nothing_of_a_page_is_refused_by_the_policy(console: Console) -> None:
    page = console.signed_in()
    for path in (*PAGES, "campaigns/hostile", "campaigns/hostile/remove"):
        page.goto(f"{console.base}/console/{path}")
    assert console.complaints == []
    page.context.close()


def test_a_campaign_is_found_and_paused_and_resumed_by_keyboard_without_scripts(console: Console) -> None:
    page = console.signed_in(375, java_script_enabled=False)
    page.get_by_role("link", name="Campaigns", exact=True).first.press("Enter")
    page.get_by_label("Name, id or flight").fill("skates")
    page.get_by_label("Name, id or flight").press("Enter")
    page.get_by_role("link", name="Skates sharpened").press("Enter")
    page.get_by_role("link", name="Resume …").press("Enter")
    page.get_by_label("Why?").fill("Ice is here")
    page.get_by_label("Why?").press("Enter")
    assert "tall-pines-skates runs again." in page.get_by_role("status").inner_text()
    assert console.stand.status_of("tall-pines-skates") == "active"
    page.get_by_role("link", name="Pause …").press("Enter")
    page.get_by_role("button", name="Pause it").press("Enter")
    assert "tall-pines-skates is paused." in page.get_by_role("status").inner_text()
    assert [entry.message for entry in console.stand.publisher.history()[:2]] == [
        "Pause tall-pines-skates",
        "Ice is here",
    ]
    page.context.close()


def test_the_schedule_says_in_a_line_what_wide_screens_draw(console: Console) -> None:
    page = console.signed_in(375)
    page.goto(f"{console.base}/console/schedule?slot=masthead")
    line = page.locator(".console-line", has_text="corner-bakery-iowa")
    assert "23 Nov to 26 Nov" in line.inner_text()
    assert not page.locator(".console-weeks").first.is_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    assert "23 Nov to 26 Nov" not in line.inner_text()
    bar = line.locator("rect.console-key-sponsorship").bounding_box()
    whole = line.locator("svg").bounding_box()
    assert bar is not None
    assert whole is not None
    assert abs(bar["width"] / whole["width"] - 4 / 91) < 0.002
    page.context.close()


def test_statistics_are_asked_and_sorted_and_fetched_as_a_file(console: Console) -> None:
    page = console.signed_in()
    page.get_by_role("link", name="Statistics", exact=True).first.click()
    page.get_by_label("By", exact=True).select_option("campaign")
    page.get_by_role("button", name="Ask").click()
    assert page.locator("tbody th").first.inner_text() == "red-river-open-doors"
    page.get_by_role("link", name="clicks").click()
    page.get_by_role("link", name="clicks").click()
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "campaign,impressions,viewable,clicks,ctr"
    assert len(lines) == 1 + page.locator("tbody tr").count()
    page.context.close()


def test_explain_shows_the_winner_in_the_length_that_fits(console: Console) -> None:
    page = console.signed_in()
    page.goto(f"{console.base}/console/explain")
    page.get_by_label("Slot").select_option("masthead")
    page.get_by_label("Place that the page is about").fill("Remer, MN")
    page.keyboard.press("Enter")
    page.wait_for_url("**/explain?*")
    shown = page.locator(".embedding-preview .sponsor span:visible")
    assert shown.all_inner_texts() == ["Sponsor:", SHORT]
    page.set_viewport_size({"width": 375, "height": 800})
    assert shown.all_inner_texts() == ["Sponsor:", "QWIKET"]
    assert "QWIKET wins" in page.locator("#winner").inner_text()
    page.context.close()
