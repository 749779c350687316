"""What is remembered of alerts: which are on, what is still to be sent, and what follows upon what. Values; pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from adserver.alerts.alert import Alert
from adserver.alerts.notice import Happening, Notice, make_notice
from adserver.counting.losses import NO_LOSSES, Losses

BOOK_VERSION: Final = 1
MOST_TO_SEND: Final = 2_000
"""What waits to be sent, each way; beyond that the oldest is given up."""
FIRST_WAIT_SECONDS: Final = 5.0
LONGEST_WAIT_SECONDS: Final = 1_800.0
"""The wait doubles from try to try, from the one to the other."""
GIVEN_UP_SECONDS: Final = 3 * 86_400.0
"""For so long a notice is tried."""
_LOSSES_APART_SECONDS: Final = 3_600.0
_LATELY_SECONDS: Final = 86_400.0
_MOST_DOUBLINGS: Final = 16


class LossMark(msgspec.Struct, frozen=True):
    """What was lost until a moment, ever. Immutable."""

    at: float
    """Unix time."""
    losses: Losses


class Sending(msgspec.Struct, frozen=True):
    """A notice that is still to be sent one way. Immutable."""

    way: str
    notice: Notice
    tries: int = 0
    due: float = 0.0
    """Unix time of the next try."""


class Tally(msgspec.Struct, frozen=True):
    """How sending one way went, ever. Immutable."""

    sent: int = 0
    failed: int = 0
    """Tries that did not get through."""
    given_up: int = 0
    """Notices that never did."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. Immutable."""

    version: int = BOOK_VERSION
    at: float | None = None
    """Unix time at which alerts were last looked for; None: never."""
    changed: float = 0.0
    """Unix time of the last change of any of it."""
    alerts: tuple[Alert, ...] = ()
    """Those that are on, what matters most first."""
    unlisted: int = 0
    """How many more there are."""
    losses: tuple[LossMark, ...] = ()
    """Of the last day and a little more, the oldest first."""
    to_send: tuple[Sending, ...] = ()
    """The oldest first."""
    tallies: dict[str, Tally] = {}

    @property
    def held(self) -> frozenset[str]:
        """Ids of the alerts that are on."""
        return frozenset(alert.id for alert in self.alerts)


NO_BOOK: Final = Book()


def lost_lately(book: Book, losses: Losses, now: float) -> Losses:
    """Return what was lost in the last day of what was lost ever, but for gaps; nothing where nobody watched before."""
    before = next((mark.losses for mark in book.losses if 0 <= now - mark.at <= _LATELY_SECONDS), None)
    if before is None:
        before = book.losses[-1].losses if book.losses else losses
    return Losses(
        late=max(0, losses.late - before.late),
        corrupt=max(0, losses.corrupt - before.corrupt),
        unwritten=max(0, losses.unwritten - before.unwritten),
    )


def turn(
    book: Book, found: Sequence[Alert], now: float, ways: Sequence[str], losses: Losses = NO_LOSSES, unlisted: int = 0
) -> Book:
    """Return the book after a look: what is new has begun, what is gone has ended, and both are to be sent.

    Args:
        book: before.
        found: what is amiss now.
        now: Unix time.
        ways: that notices go out by.
        losses: what was lost ever.
        unlisted: how many more alerts there are.
    """
    before = {alert.id: alert for alert in book.alerts}
    alerts = tuple(
        msgspec.structs.replace(alert, since=before[alert.id].since if alert.id in before else now) for alert in found
    )
    still = {alert.id for alert in alerts}
    notices = [
        *(make_notice(Happening.BEGAN, alert, now) for alert in alerts if alert.id not in before),
        *(make_notice(Happening.ENDED, alert, now) for alert in book.alerts if alert.id not in still),
    ]
    turned = msgspec.structs.replace(
        book,
        at=now,
        changed=now,
        alerts=alerts,
        unlisted=unlisted,
        losses=_with_losses(book.losses, losses, now),
        to_send=(
            *(sending for sending in book.to_send if sending.way in ways),
            *(Sending(way, notice, due=now) for notice in notices for way in ways),
        ),
    )
    return _bounded(turned, ways)


def due(book: Book, way: str, now: float, most: int) -> tuple[Notice, ...]:
    """Return what is to be sent one way now, the oldest first."""
    return tuple(each.notice for each in book.to_send if each.way == way and each.due <= now)[:most]


def settle(book: Book, way: str, outcomes: Mapping[str, bool | None], now: float) -> Book:
    """Return the book after a try to send.

    Args:
        book: before.
        way: that was taken.
        outcomes: by the notice's id: True: sent; False: it failed; None: it was not tried, as the way is down.
        now: Unix time.
    """
    left: list[Sending] = []
    sent = failed = given_up = 0
    for each in book.to_send:
        outcome = outcomes.get(each.notice.id, ...) if each.way == way else ...
        if outcome is ...:
            left.append(each)
        elif outcome:
            sent += 1
        else:
            failed += outcome is False
            if now - each.notice.at >= GIVEN_UP_SECONDS:
                given_up += 1
            else:
                tries = each.tries + 1
                left.append(msgspec.structs.replace(each, tries=tries, due=now + wait_seconds(tries)))
    tally = book.tallies.get(way, Tally())
    tallied = Tally(tally.sent + sent, tally.failed + failed, tally.given_up + given_up)
    return msgspec.structs.replace(book, changed=now, to_send=tuple(left), tallies={**book.tallies, way: tallied})


def wait_seconds(tries: int) -> float:
    """Return how long to wait after so many tries."""
    return min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(tries - 1, _MOST_DOUBLINGS))


def _with_losses(marks: tuple[LossMark, ...], losses: Losses, now: float) -> tuple[LossMark, ...]:
    """Return the marks of the last day, with one of now where the last is an hour old.

    Where nobody looked for a day, what was lost meanwhile counts as lost now.
    """
    recent = tuple(mark for mark in marks if 0 <= now - mark.at <= _LATELY_SECONDS)
    if not recent:
        return (LossMark(now, marks[-1].losses if marks else losses),)
    return recent if now - recent[-1].at < _LOSSES_APART_SECONDS else (*recent, LossMark(now, losses))


def _bounded(book: Book, ways: Sequence[str]) -> Book:
    tallies, left = dict(book.tallies), list(book.to_send)
    for way in ways:
        over = sum(each.way == way for each in left) - MOST_TO_SEND
        if over > 0:
            gone = {id(each) for each in [each for each in left if each.way == way][:over]}
            left = [each for each in left if id(each) not in gone]
            tally = tallies.get(way, Tally())
            tallies[way] = msgspec.structs.replace(tally, given_up=tally.given_up + over)
    return msgspec.structs.replace(book, to_send=tuple(left), tallies=tallies)
