"""A page that a real Chromium makes ready before the reader goes there. No DevTools: they switch prerendering off."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from browser_stand import CHROMIUM, FLAGS, Pages, serving
from delivery_stand import Stand
from flask import Blueprint
from paper import TAG
from service import Service

RULES: Final = json.dumps({"prerender": [{"urls": ["/pages/next"], "eagerness": "immediate"}]})
READING: Final = "setTimeout(() => fetch('/leaving').then(() => location.assign('/pages/next')), 1000);"
"""The reader stays for a second, in which the next page is made ready."""


class Leaving(Blueprint):
    """Notes how many fills there were when the reader left the first page."""

    def __init__(self, stand_of: list[Stand]) -> None:
        super().__init__("leaving", __name__)
        self.fills: int | None = None

        @self.get("/leaving")
        def leaving() -> str:
            [stand] = stand_of
            self.fills = len(stand.recorder.fills)
            return ""


@contextmanager
def reader(folder: Path, address: str) -> Iterator[None]:
    """Have a Chromium open an address, with nobody at its strings."""
    process = subprocess.Popen(
        (CHROMIUM, *FLAGS, "--headless=new", f"--user-data-dir={folder}", address),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_a_prerendered_page_asks_for_its_lines_once_the_reader_is_there(tmp_path: Path) -> None:
    pages = Pages()
    pages.policy = "default-src 'self'; script-src 'self' 'unsafe-inline'"
    pages.html["first"] = f'<script type="speculationrules">{RULES}</script><script>{READING}</script>'
    pages.html["next"] = f'<script src="/slot.js" defer></script><main>{TAG}</main>'
    stands: list[Stand] = []
    leaving = Leaving(stands)
    stand = Stand(extra=(pages.blueprint(), leaving))
    stands.append(stand)
    with serving(stand) as address, reader(tmp_path / "profile", f"{address}/pages/first"):
        Service.await_that(lambda: bool(stand.recorder.events))

    asked = [path for path, _ in pages.asked]
    assert ("/pages/next", "prefetch;prerender") in pages.asked
    assert asked.count("/pages/next") == 1, "what the reader came to is the page that was made ready"
    assert asked.index("/slot.js") < asked.index("/leaving"), "the tag ran before"
    assert leaving.fills == 0
    assert len(stand.recorder.fills) == len(stand.recorder.events) == 1
