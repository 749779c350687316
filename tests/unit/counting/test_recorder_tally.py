"""What a recorder tells `/metrics`."""

from pathlib import Path

import pytest

from adserver.counting.recorder import SpoolRecorder
from adserver.counting.records import DecisionKey, Event
from adserver.counting.tally import Tally
from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant

SECOND = 1_795_500_123
SLOT = id_hash(Kind.SLOT, "masthead")
TOKEN = Token(
    issuer=b"issuer",
    shard=0,
    sequence=1,
    issued_second=SECOND,
    flight=id_hash(Kind.FLIGHT, "minnesota"),
    creative=id_hash(Kind.CREATIVE, "elevate"),
    slot=SLOT,
    place=Kind.PLACE.unknown,
    topic=Kind.TOPIC.none,
    variant=Variant.AUTO,
)


def decide(recorder: SpoolRecorder, reason: NoFillReason | None) -> None:
    if reason is None:
        recorder.fill(TOKEN)
        return
    none = Kind.TOPIC.none
    key = DecisionKey.unfilled(
        shard=0, slot=SLOT, place=Kind.PLACE.unknown, topic=none, variant=Variant.AUTO, reason=reason, second=SECOND
    )
    recorder.no_fill(key)


def test_decisions_are_told_once_they_are_written(tmp_path: Path) -> None:
    tally = Tally()
    recorder = SpoolRecorder(tmp_path, lambda: SECOND, tally)
    for reason in (None, None, NoFillReason.PLACE, NoFillReason.TOPIC, NoFillReason.PLACE):
        decide(recorder, reason)
    assert tally.take().decisions == {}

    recorder.flush()
    assert tally.take().decisions == {(SLOT, None): 2, (SLOT, NoFillReason.PLACE): 2, (SLOT, NoFillReason.TOPIC): 1}

    recorder.flush()
    assert tally.take().decisions == {}
    recorder.close()


@pytest.mark.parametrize("can_write", [True, False])
def test_every_event_that_is_answered_is_told_with_its_verdict(tmp_path: Path, can_write: bool) -> None:
    tally = Tally()
    spools = tmp_path / "spools"
    if not can_write:
        spools.write_text("a file where the folder should be")
    recorder = SpoolRecorder(spools, lambda: SECOND, tally)
    recorder.event(Event(TOKEN, EventKind.SEEN, None, Variant.SHORT, SECOND))
    recorder.event(Event(TOKEN, EventKind.SEEN, InvalidReason.BOT, Variant.SHORT, SECOND))
    recorder.event(Event(None, EventKind.CLICK, InvalidReason.SIGNATURE, Variant.AUTO, SECOND))

    assert tally.take().events == {
        (EventKind.SEEN, None): 1,
        (EventKind.SEEN, InvalidReason.BOT): 1,
        (EventKind.CLICK, InvalidReason.SIGNATURE): 1,
    }
    recorder.close()


def test_how_long_a_call_took_is_told(tmp_path: Path) -> None:
    tally = Tally()
    SpoolRecorder(tmp_path, lambda: SECOND, tally).took(0.25)
    assert tally.take().seconds == 0.25
