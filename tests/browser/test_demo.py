"""The demo page in a real Chromium on the real service: what a reader sees, and that the counts follow."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route
from service import Service, running_service

pytestmark = pytest.mark.processes

SHORT = "Sponsor: QWIKET: Elevate your fantasy game! Interactive Sports Knowledge."
LONG = (
    "Sponsor: QWIKET: Elevate your fantasy game! Interactive Sports Knowledge and Reasoning Support "
    "for Fantasy Sports and Betting Enthusiasts."
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("demo")) as service:
        yield service


def open_demo(browser: Browser, service: Service, width: int = 1280, *, scripts: bool = True) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts)
    page = context.new_page()
    page.route(
        "https://**", lambda route: route.fulfill(body="the sponsor's page")
    )  # nothing of this leaves the machine
    page.goto(f"{service.base}/demo/", wait_until="load")
    return page


def visible_lines(page: Page) -> list[str]:
    """Return the sponsor lines that a reader sees, from the top of the page."""
    return [" ".join(line.split()) for line in page.locator(".sponsor").all_inner_texts()]


def test_a_reader_sees_name_name_short_long(browser: Browser, service: Service) -> None:
    page = open_demo(browser, service)

    assert "THE AMERICA ONE NEWS" in page.inner_text("body")
    assert "Jun 20, 2025 | 0 | Remer,MN" in page.inner_text("body")
    assert visible_lines(page)[:4] == ["Sponsor: QWIKET", "Sponsor: QWIKET", SHORT, LONG]
    page.context.close()


@pytest.mark.parametrize("width", [320, 480, 768, 1280])
def test_nothing_overflows_and_every_line_is_labelled(browser: Browser, service: Service, width: int) -> None:
    page = open_demo(browser, service, width)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    lines = visible_lines(page)
    assert lines
    assert all(line.startswith("Sponsor: ") for line in lines)
    page.context.close()


def test_a_line_takes_the_length_that_fits_as_the_window_narrows(browser: Browser, service: Service) -> None:
    page = open_demo(browser, service)
    line = page.locator(".slot .sponsor").first
    lengths = []
    for width in (1280, 700, 320):
        page.set_viewport_size({"width": width, "height": 800})
        lengths.append(len(line.inner_text()))

    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1]
    page.context.close()


def test_scrolling_and_clicking_move_the_counts_and_nothing_counts_twice(browser: Browser, service: Service) -> None:
    before = service.totals()
    page = open_demo(browser, service)
    page.evaluate(
        """async () => {
          for (let y = 0; y <= document.body.scrollHeight; y += 300) {
            scrollTo(0, y);
            await new Promise((done) => setTimeout(done, 60));
          }
        }"""
    )
    service.await_that(lambda: service.totals()["impressions"] >= before["impressions"] + 5)

    led_to: list[str] = []

    def follow(route: Route) -> None:
        """Pass the click on to the service, and stop where it leads out of this machine."""
        led_to.append(route.fetch(max_redirects=0).headers["location"])
        route.fulfill(body="the sponsor's page")

    page.route("**/go/**", follow)
    with page.expect_navigation():
        page.locator(".sponsor a").first.click()
    assert led_to == ["https://qwiket.com/?utm_source=america-one&utm_medium=sponsor"]

    after = service.await_counts(clicks=before["clicks"] + 1)
    assert after["impressions"] <= after["fills"]
    assert after["invalid"] == before["invalid"]
    page.context.close()


def test_the_page_is_whole_without_javascript(browser: Browser, service: Service) -> None:
    page = open_demo(browser, service, scripts=False)

    assert visible_lines(page)[:4] == ["Sponsor: QWIKET", "Sponsor: QWIKET", SHORT, LONG]
    page.context.close()


def test_nothing_is_refused_by_the_pages_policy_and_no_cookie_is_set(browser: Browser, service: Service) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{service.base}/demo/", wait_until="networkidle")

    assert complaints == []
    assert context.cookies() == []
    context.close()


def test_screenshots_show_the_page_at_two_widths(browser: Browser, service: Service, tmp_path: Path) -> None:
    for width in (375, 1280):
        page = open_demo(browser, service, width)
        shot = tmp_path / f"demo-{width}.png"
        page.screenshot(path=shot)
        assert shot.stat().st_size > 20_000
        page.context.close()
