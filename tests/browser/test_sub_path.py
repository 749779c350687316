"""The demo page of a service that stands under a path: tag, fragments and frame all find it there."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from service import Service

pytestmark = pytest.mark.processes


def test_everything_that_a_browser_fetches_lies_under_the_path(browser: Browser, tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.environ["ADSERVER_PUBLIC_URL"] = f"{service.base}/sponsors"
    fetched: list[tuple[str, int]] = []
    try:
        service.start()
        page = browser.new_page(viewport={"width": 1280, "height": 8000})
        page.on("response", lambda answer: fetched.append((urlsplit(answer.url).path, answer.status)))
        page.goto(f"{service.base}/sponsors/demo/", wait_until="load")
        page.wait_for_function("document.querySelector('sponsor-slot').shadowRoot?.querySelector('a')?.href")
        link = page.evaluate("document.querySelector('sponsor-slot').shadowRoot.querySelector('a').href")
        service.await_that(lambda: service.totals()["impressions"] >= 5)
        page.close()
    finally:
        service.end()

    assert link.startswith(f"{service.base}/sponsors/go/")
    assert [answer for answer in fetched if not answer[0].startswith("/sponsors/") or answer[1] >= 400] == []
    assert {"/sponsors/slot.js", "/sponsors/v1/decisions", "/sponsors/v1/frames/article-bottom"} <= dict(fetched).keys()
