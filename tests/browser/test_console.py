"""The console's frame in a real Chromium on the real service: signing in by keyboard, at 375 px, light and dark."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page
from service import Service, running_service

from adserver.web.api_calls import CALLS

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("console")) as service:
        yield service


def open_console(
    browser: Browser, service: Service, scheme: str = "light", width: int = 1280
) -> tuple[Page, list[str]]:
    """Return the sign-in page, and what the browser complains of from then on."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", hear)
    page.goto(f"{service.base}/console/")
    return page, complaints


def sign_in(page: Page, service: Service) -> None:
    page.keyboard.insert_text(service.admin()["Authorization"].removeprefix("Bearer "))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{service.base}/console/")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 375)])
def test_one_signs_in_by_keyboard_alone_and_nothing_is_refused_by_the_policy(
    browser: Browser, service: Service, scheme: str, width: int
) -> None:
    page, complaints = open_console(browser, service, scheme, width)
    assert page.url == f"{service.base}/console/sign-in?next=/console/"
    sign_in(page, service)
    assert page.locator("h1").inner_text() == "Welcome, admin"
    assert complaints == []
    assert page.locator("html").get_attribute("data-bs-theme") == scheme
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_the_first_tab_leads_past_the_navigation(browser: Browser, service: Service) -> None:
    page, _ = open_console(browser, service)
    sign_in(page, service)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to content"
    page.keyboard.press("Enter")
    assert page.locator(":focus").get_attribute("id") == "main"
    page.context.close()


def test_a_chosen_colour_stays(browser: Browser, service: Service) -> None:
    page, _ = open_console(browser, service)
    sign_in(page, service)
    page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    page.context.close()


def test_a_wrong_token_is_said_to_be(browser: Browser, service: Service) -> None:
    page, _ = open_console(browser, service)
    page.keyboard.insert_text("adsv_wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert "This token is not valid" in page.get_by_role("alert").inner_text()
    page.get_by_label("Token").wait_for()
    assert page.locator(":focus").get_attribute("id") == "token"
    page.context.close()


def test_every_page_opens_on_the_real_service_and_a_pause_serves_at_once(browser: Browser, service: Service) -> None:
    page, complaints = open_console(browser, service)
    sign_in(page, service)
    assert service.decide("masthead", "?location=Remer,MN")["campaign"] == "qwiket-season"
    for title in ("Campaigns", "Schedule", "Statistics", "Explain", "Embedding", "Overview"):
        page.get_by_role("navigation", name="Console").get_by_role("link", name=title).click()
        page.locator("h1").wait_for()
    assert "QWIKET fantasy season" in page.locator("main").inner_text()
    page.goto(f"{service.base}/console/campaigns/qwiket-season/pause")
    page.get_by_role("button", name="Pause it").click()
    assert "serves within a second" in page.get_by_role("status").inner_text()
    service.await_that(lambda: service.call("/v1/slots/masthead?location=Remer,MN")[0] == 204)
    page.goto(f"{service.base}/console/campaigns/qwiket-season/resume")
    page.get_by_role("button", name="Resume it").click()
    service.await_that(lambda: service.call("/v1/slots/masthead?location=Remer,MN")[0] == 200)
    assert complaints == []
    page.context.close()


def test_the_page_of_the_api_shows_every_call_under_its_policy(browser: Browser, service: Service) -> None:
    page, complaints = open_console(browser, service)
    page.goto(f"{service.base}/docs")
    page.locator(".opblock").first.wait_for()
    assert page.locator(".opblock").count() == len(CALLS)
    assert complaints == []
    page.context.close()
