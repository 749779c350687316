"""One Chromium for all tests of a file."""

from collections.abc import Iterator

import pytest
from browser_stand import chromium
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser
