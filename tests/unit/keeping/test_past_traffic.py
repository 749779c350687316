"""The past of slots, read beside the keeper's work."""

import logging
import threading

import pytest

from adserver.decision.traffic import UNIFORM
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import SlotId
from adserver.keeping.past_traffic import PAST_FAULT, PastTraffic, SlotHours

A, B = SlotId("a"), SlotId("b")


class Book:
    """Tells the past that a test writes in it."""

    def __init__(self) -> None:
        self.hours: SlotHours = {}
        self.watched = range(0)
        self.fault: Exception | None = None
        self.reads = 0

    def read(self) -> tuple[SlotHours, range]:
        self.reads += 1
        if self.fault is not None:
            raise self.fault
        return self.hours, self.watched


def polled(past: PastTraffic, now: float) -> None:
    past.poll(now)
    for thread in threading.enumerate():
        if thread.name == "past-traffic":
            thread.join(10)


def test_is_read_once_an_hour_and_the_curve_is_that_of_the_slots_together() -> None:
    book = Book()
    book.hours = {A: {100: 10, 120: 30}, B: {121: 5}}
    book.watched = range(200)
    past = PastTraffic(book.read)
    assert past.curve(None) is UNIFORM
    polled(past, 0.0)
    assert (book.reads, past.version) == (1, 1)
    assert past.curve([A]).hours[100] == 10
    assert past.curve(None).hours[121] == 5
    assert past.curve([SlotId("unknown")]) is UNIFORM
    polled(past, 3599.0)
    assert book.reads == 1
    polled(past, 3600.0)
    assert (book.reads, past.version) == (2, 2)


def test_hours_before_a_slot_was_first_asked_for_are_no_past() -> None:
    book = Book()
    book.hours, book.watched = {A: dict.fromkeys(range(150, 180), 8)}, range(180)
    past = PastTraffic(book.read)
    polled(past, 0.0)
    assert set(past.curve([A]).hours) == {8.0}


def test_a_store_that_is_away_is_asked_again_in_a_minute_and_the_past_stays(caplog: pytest.LogCaptureFixture) -> None:
    book = Book()
    book.hours, book.watched = {A: {100: 10}}, range(200)
    past = PastTraffic(book.read)
    polled(past, 0.0)
    book.fault = StoreUnavailable("away")
    with caplog.at_level(logging.WARNING):
        polled(past, 3600.0)
    assert [record.message for record in caplog.records] == [PAST_FAULT]
    assert past.curve([A]).hours[100] == 10
    book.fault = None
    polled(past, 3659.0)
    assert past.version == 1
    polled(past, 3660.0)
    assert past.version == 2
