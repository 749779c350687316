"""What the bodies of the delivery calls say: a page's slots, and a batch of events. JSON, whatever its content type.

Field names in messages are ours, never the sender's.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from adserver.domain.decisions import SlotRequest
from adserver.domain.errors import InputTooLarge, ParameterRefused, UnreadableInput
from adserver.domain.ids import SlotId
from adserver.domain.places import Place
from adserver.domain.reasons import EventKind
from adserver.domain.variants import Variant
from adserver.web.parameters import (
    PlaceResolver,
    check_limit,
    is_slot_id,
    names_place,
    read_excludes,
    read_place,
    read_reported,
    read_topics,
    read_variant,
)

BODY_MAX_BYTES: Final = 64 * 1024
SLOTS_MAX: Final = 50
EVENTS_MAX: Final = 100
KEY_MAX_CHARS: Final = 64

_NO_BATCH: Final = 'the body is not JSON of the shape {"events": […]}'

_FAULT: Final = re.compile(r"(?P<message>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_KINDS: Final = {kind.value: kind for kind in (EventKind.SEEN, EventKind.VIEWABLE)}


class _SlotBody(msgspec.Struct, frozen=True):
    id: str
    slot: str
    variant: str | None = None
    max_chars: int | None = None


class _PageBody(msgspec.Struct, frozen=True):
    slots: list[_SlotBody]
    location: str | None = None
    topics: list[str] = []
    exclude: list[str] = []
    ledger: str | None = None


class _EventBody(msgspec.Struct, frozen=True):
    token: str
    kind: str
    variant: str | None = None


class _EventsBody(msgspec.Struct, frozen=True):
    events: list[msgspec.Raw]


_PAGE: Final = msgspec.json.Decoder(_PageBody)
_EVENT: Final = msgspec.json.Decoder(_EventBody)
_EVENTS: Final = msgspec.json.Decoder(_EventsBody)


@dataclass(frozen=True, slots=True)
class PageCall:
    """One page view's slots: the page's own key of each, and its question. Immutable."""

    keys: tuple[str, ...]
    """Unique; in the order of `requests`."""
    requests: tuple[SlotRequest, ...]
    ledger: str | None = None
    """What the page says its reader was shown; not read yet."""


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """An event as a browser reports it. Immutable."""

    token: str
    kind: EventKind
    variant: Variant


def read_page(body: bytes, places: PlaceResolver, here: Callable[[], Place | None]) -> PageCall:
    """Return a page's slots.

    Args:
        body: JSON.
        places: resolves the location.
        here: tells the place of a page that names none.

    Raises:
        UnreadableInput: the body is no JSON.
        ParameterRefused: a field that cannot be read, with its name.
    """
    try:
        page = _PAGE.decode(body)
    except msgspec.ValidationError as error:
        raise _field_refused(error) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableInput("the body is not JSON that can be read") from error
    if len(page.slots) > SLOTS_MAX:
        raise ParameterRefused("slots", f"takes at most {SLOTS_MAX} slots in one call")
    place = read_place("location", page.location, places) if names_place(page.location) else here()
    topics = read_topics("topics", page.topics)
    exclude = read_excludes("exclude", page.exclude)
    requests = tuple(
        SlotRequest(
            slot=_read_slot(f"slots[{index}].slot", slot.slot),
            place=place,
            topics=topics,
            variant=read_variant(f"slots[{index}].variant", slot.variant),
            max_chars=check_limit(f"slots[{index}].max_chars", slot.max_chars),
            exclude=exclude,
        )
        for index, slot in enumerate(page.slots)
    )
    return PageCall(_read_keys(page.slots), requests, page.ledger)


def read_events(body: bytes) -> tuple[ReportedEvent, ...]:
    """Return a batch's events; one that cannot be read is passed over, so that the others count.

    Raises:
        UnreadableInput: the body is not JSON of that shape.
        InputTooLarge: more events than are taken in one call.
    """
    events: Sequence[msgspec.Raw]
    try:
        events = _EVENTS.decode(body).events
    except (msgspec.DecodeError, RecursionError):
        events = _events_apart(body)
    if len(events) > EVENTS_MAX:
        raise InputTooLarge(f"at most {EVENTS_MAX} events are taken in one call")
    read = (_read_event(event) for event in events)
    return tuple(event for event in read if event is not None)


def _events_apart(body: bytes) -> Sequence[msgspec.Raw]:
    """Return the events of a batch in which one is such that the strict reader stops at it: half a surrogate, say."""
    try:
        batch = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableInput(_NO_BATCH) from error
    events = batch.get("events") if isinstance(batch, dict) else None
    if not isinstance(events, list):
        raise UnreadableInput(_NO_BATCH)
    return [msgspec.Raw(json.dumps(event).encode()) for event in events]


def _read_event(raw: msgspec.Raw) -> ReportedEvent | None:
    try:
        event = _EVENT.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    kind = _KINDS.get(event.kind)
    return ReportedEvent(event.token, kind, read_reported(event.variant)) if kind is not None else None


def _read_keys(slots: list[_SlotBody]) -> tuple[str, ...]:
    keys = tuple(slot.id for slot in slots)
    for index, key in enumerate(keys):
        if len(key) > KEY_MAX_CHARS or key in keys[:index]:
            raise ParameterRefused(
                f"slots[{index}].id", f"is unique in its call, of at most {KEY_MAX_CHARS} characters"
            )
    return keys


def _read_slot(name: str, text: str) -> SlotId:
    if not is_slot_id(text):
        raise ParameterRefused(name, "is no slot's id: small letters, digits and hyphens, at most 64")
    return SlotId(text)


def _field_refused(error: msgspec.ValidationError) -> ParameterRefused:
    """Return the decoder's complaint as ours: it ends with " - at `$.slots[0].id`", but for the whole body."""
    found = _FAULT.fullmatch(str(error))
    message, path = (found["message"], found["path"]) if found is not None else (str(error), None)
    return ParameterRefused(path or "body", message[:1].lower() + message[1:])
