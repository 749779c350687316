"""A page with the tag on it, in a browser, on a delivery app, and what the service was asked and told."""

import json
import time
from collections.abc import Callable, Iterator

from browser_stand import Pages, serving
from delivery_stand import Stand
from playwright.sync_api import Browser, Page

TAG = '<sponsor-slot name="masthead" location="Remer,MN">fallback</sponsor-slot>'
FONT = "body{margin:0;font:14px 'DejaVu Sans Mono',monospace}"
DECISIONS = "**/v1/decisions"
HELD_SECONDS = """
const after = setTimeout;
window.seconds = [];
window.setTimeout = (run, wait) => wait === 1000 ? seconds.push(run) : after(run, wait);
window.clearTimeout = (number) => { if (number) seconds[number - 1] = null; };
"""
"""Timers of one second run when the test says so; a stopped one is null."""


class Paper:
    """A stand with its own pages on a socket, and a browser to read them."""

    def __init__(self, browser: Browser, stand: Stand, pages: Pages, address: str) -> None:
        self.stand = stand
        self.pages = pages
        self.address = address
        self.asked: list[dict[str, object]] = []
        self.complaints: list[str] = []
        self.page = browser.new_context(viewport={"width": 1280, "height": 700}).new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("request", lambda request: self._note(request.url, request.post_data))
        pages.css["page"] = FONT

    def open(self, html: str, *, script: str = '<script src="/slot.js" defer></script>') -> Page:
        """Open a page around some markup."""
        self.pages.html["page"] = f'<link rel="stylesheet" href="page.css">{script}<main>{html}</main>'
        self.page.goto(f"{self.address}/pages/page")
        return self.page

    def reported(self) -> list[tuple[str, str]]:
        """Return kind and length of each event that the service has."""
        return [(event.kind.value, event.reported.value) for event in self.stand.recorder.events]

    def await_reported(self, count: int) -> list[tuple[str, str]]:
        """Wait until the service has so many events."""
        self.wait_until(lambda: len(self.stand.recorder.events) >= count)
        return self.reported()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until a condition of this side holds, while the browser goes on."""
        for _ in range(100):
            if holds():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("it did not come to hold within 5 s")

    def _note(self, url: str, body: str | None) -> None:
        if url.endswith("/v1/decisions") and body is not None:
            self.asked.append(json.loads(body))


def open_paper(browser: Browser, stand: Stand, pages: Pages) -> Iterator[Paper]:
    with serving(stand) as address:
        yield Paper(browser, stand, pages, address)
    for context in browser.contexts:
        context.close()


def link(page: Page) -> str:
    return page.locator("sponsor-slot a").first.inner_text()


def fallbacks(page: Page) -> list[bool]:
    """Tell of each slot whether what stood between its tags is rendered."""
    rendered = page.evaluate("""() => [...document.querySelectorAll('sponsor-slot')].map((slot) => {
        const content = document.createRange();
        content.selectNodeContents(slot);
        return content.getClientRects().length > 0;
    })""")
    assert isinstance(rendered, list)
    return rendered


def await_that(page: Page, expression: str) -> None:
    """Wait until an expression holds; the page's policy forbids `wait_for_function`, which evaluates in the page."""
    deadline = time.monotonic() + 10
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(20)
