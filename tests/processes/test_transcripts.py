"""The transcripts of the documents, typed: a real service that watches its folder, a page, two terminals."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from doc_pages import blocks_of
from transcript import Reader

pytestmark = pytest.mark.processes

SETUP_SECONDS: Final = 150
"""What `make run` takes for the environment the first time (137 on a busy machine); tests run in one that is set up."""
FIVE_MINUTES: Final = 300


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path)
    yield reader
    reader.service.end()


def test_a_first_campaign_stands_on_the_page_and_is_counted_within_five_minutes(reader: Reader) -> None:
    began = time.monotonic()
    for block in blocks_of("first-campaign.md"):
        reader.follow(block)
    assert time.monotonic() - began < FIVE_MINUTES - SETUP_SECONDS


def test_an_order_is_written_mended_published_changed_and_taken_back(reader: Reader) -> None:
    for block in blocks_of("tutorial.md"):
        reader.follow(block)
