"""What is remembered of alerts: each begins once and ends once, and what is not sent stays until it is."""

import msgspec
import pytest
from alert_scenes import make_alert

from adserver.alerts.book import (
    FIRST_WAIT_SECONDS,
    GIVEN_UP_SECONDS,
    LONGEST_WAIT_SECONDS,
    MOST_TO_SEND,
    NO_BOOK,
    Book,
    Tally,
    due,
    lost_lately,
    settle,
    turn,
    wait_seconds,
)
from adserver.alerts.book_file import decode_book, encode_book
from adserver.alerts.notice import Happening
from adserver.counting.losses import Losses

BEHIND, GAPS = make_alert(), make_alert("gaps", advertisers=())
DAY, HOUR = 86_400.0, 3_600.0


def events(book: Book, way: str = "webhook") -> list[tuple[str, str]]:
    return [(each.notice.event, each.notice.alert.id) for each in book.to_send if each.way == way]


def test_an_alert_is_sent_when_it_begins_and_when_it_ends_and_never_between() -> None:
    book = turn(NO_BOOK, [BEHIND], 100.0, ["webhook"])
    assert events(book) == [("began", BEHIND.id)]
    for minute in range(2, 3000):
        book = turn(book, [msgspec.structs.replace(BEHIND, text=f"{minute}")], minute * 60.0, ["webhook"])
    assert events(book) == [("began", BEHIND.id)]
    assert (book.alerts[0].text, book.alerts[0].since) == ("2999", 100.0)
    book = turn(book, [], 200_000.0, ["webhook"])
    assert events(book) == [("began", BEHIND.id), ("ended", BEHIND.id)]
    assert book.to_send[1].notice.alert.since == 100.0
    assert turn(book, [], 200_060.0, ["webhook"]).to_send == book.to_send


def test_one_that_comes_back_is_another_with_another_id() -> None:
    book = turn(turn(turn(NO_BOOK, [BEHIND], 1.0, ["mail"]), [], 61.0, ["mail"]), [BEHIND], 121.0, ["mail"])
    ids = [each.notice.id for each in book.to_send]
    assert len(set(ids)) == 3
    again = turn(NO_BOOK, [BEHIND], 1.0, ["mail"])
    assert again.to_send[0].notice.id == ids[0], "the same happening has the same id wherever it is found"


def test_each_way_has_its_own_and_one_that_is_gone_has_none() -> None:
    book = turn(NO_BOOK, [BEHIND, GAPS], 1.0, ["webhook", "mail"])
    assert events(book) == events(book, "mail")
    assert len(events(book)) == 2
    assert events(turn(book, [BEHIND, GAPS], 61.0, ["mail"])) == []
    assert turn(NO_BOOK, [BEHIND], 1.0, []).to_send == ()


def test_what_was_sent_is_gone_and_what_failed_waits() -> None:
    book = turn(NO_BOOK, [BEHIND, GAPS], 100.0, ["webhook", "mail"])
    first, second = (notice.id for notice in due(book, "webhook", 100.0, 10))
    book = settle(book, "webhook", {first: True, second: False}, 101.0)
    assert due(book, "webhook", 101.0 + FIRST_WAIT_SECONDS - 0.1, 10) == ()
    assert [notice.id for notice in due(book, "webhook", 101.0 + FIRST_WAIT_SECONDS, 10)] == [second]
    assert len(due(book, "mail", 101.0, 10)) == 2
    assert len(due(book, "mail", 101.0, 1)) == 1
    assert book.tallies == {"webhook": Tally(1, 1, 0)}


def test_what_was_not_tried_waits_and_is_no_failure() -> None:
    book = turn(NO_BOOK, [BEHIND], 100.0, ["webhook"])
    book = settle(book, "webhook", {book.to_send[0].notice.id: None}, 101.0)
    assert book.tallies == {"webhook": Tally()}
    assert due(book, "webhook", 102.0, 10) == ()


def test_waits_double_up_to_half_an_hour() -> None:
    waits = [wait_seconds(tries) for tries in range(1, 5000)]
    assert waits[:4] == [5.0, 10.0, 20.0, 40.0]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_SECONDS


def test_what_fails_for_three_days_is_given_up() -> None:
    book = turn(NO_BOOK, [BEHIND], 100.0, ["webhook"])
    failed = {book.to_send[0].notice.id: False}
    book = settle(book, "webhook", failed, 100.0 + GIVEN_UP_SECONDS - 1)
    assert len(book.to_send) == 1
    book = settle(book, "webhook", failed, 100.0 + GIVEN_UP_SECONDS)
    assert book.to_send == ()
    assert book.tallies["webhook"] == Tally(0, 2, 1)


def test_what_waits_is_bounded_and_the_oldest_goes() -> None:
    alerts = [make_alert(f"over_booked:slot-{number}") for number in range(MOST_TO_SEND + 3)]
    book = turn(NO_BOOK, alerts, 1.0, ["webhook", "mail"])
    assert len(events(book)) == len(events(book, "mail")) == MOST_TO_SEND
    assert events(book)[0] == ("began", "over_booked:slot-3")
    assert book.tallies == {"webhook": Tally(given_up=3), "mail": Tally(given_up=3)}


class TestLosses:
    def test_what_was_lost_before_anybody_watched_is_no_news(self) -> None:
        losses = Losses(unwritten=5)
        assert lost_lately(NO_BOOK, losses, 100.0) == Losses()
        assert lost_lately(turn(NO_BOOK, [], 100.0, [], losses), losses, 160.0) == Losses()

    def test_what_was_lost_is_told_for_a_day(self) -> None:
        book = turn(NO_BOOK, [], 0.0, [], Losses(late=1))
        lost, told = Losses(gaps=2, late=4, unwritten=7), []
        for hour in range(1, 30):
            told.append(lost_lately(book, lost, hour * HOUR) != Losses())
            book = turn(book, [], hour * HOUR, [], lost)
        assert told == [True] * 24 + [False] * 5
        assert lost_lately(turn(NO_BOOK, [], 0.0, [], Losses(late=1)), lost, HOUR) == Losses(late=3, unwritten=7)

    def test_what_was_lost_while_nobody_watched_is_told_for_a_day_too(self) -> None:
        book, lost = turn(NO_BOOK, [], 0.0, []), Losses(unwritten=7)
        assert lost_lately(book, lost, 9 * DAY) == lost
        book = turn(book, [], 9 * DAY, [], lost)
        assert lost_lately(book, lost, 9.5 * DAY) == lost
        assert lost_lately(book, lost, 10 * DAY + 1) == lost, "until the next mark"
        book = turn(book, [], 9 * DAY + HOUR, [], lost)
        assert lost_lately(book, lost, 10 * DAY + 1) == Losses()

    def test_a_store_that_forgot_them_has_lost_nothing(self) -> None:
        assert lost_lately(turn(NO_BOOK, [], 0.0, [], Losses(late=9)), Losses(), 60.0) == Losses()


def test_it_comes_back_from_its_bytes_and_other_bytes_are_none() -> None:
    book = settle(turn(NO_BOOK, [BEHIND, GAPS], 100.5, ["mail"], Losses(late=1), 2), "mail", {}, 101.0)
    assert decode_book(encode_book(book)) == book
    for other in (b"", b"[]", b"{", encode_book(msgspec.structs.replace(book, version=2))):
        assert decode_book(other) is None


def test_its_format_is_pinned() -> None:
    book = turn(NO_BOOK, [GAPS], 100.0, ["mail"])
    alert = msgspec.json.encode(book.alerts[0]).decode()
    assert encode_book(book).decode() == (
        f'{{"version":1,"at":100.0,"changed":100.0,"alerts":[{alert}],"unlisted":0,'
        '"losses":[{"at":100.0,"losses":{"gaps":0,"late":0,"corrupt":0,"unwritten":0}}],'
        f'"to_send":[{{"way":"mail","notice":{{"id":"{book.to_send[0].notice.id}","event":"began","at":100.0,'
        f'"alert":{alert}}},"tries":0,"due":100.0}}],"tallies":{{}}}}'
    )


@pytest.mark.parametrize("event", Happening)
def test_events_have_names_that_do_not_change(event: Happening) -> None:
    assert event in {"began", "ended", "test"}
