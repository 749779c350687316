"""A campaign as a form, and back: what the form does not show, and what nobody touched, stays as it was. Pure.

The inputs are called by where their fields stand, such as `flights[0].targeting.places`, so that a fault of the check
finds its input.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from adserver.catalog.documents import JsonObject, JsonValue, mapping, objects
from adserver.web.console.form_codecs import (
    ALONE,
    Caps,
    Codec,
    CreativeList,
    Flag,
    Goal,
    Hours,
    ListOfWords,
    Number,
    Places,
    Price,
    Ticked,
    Words,
    filled,
)

Values = dict[str, tuple[str, ...]]
"""What stands in each input, by its name."""
_GetAll = Callable[[str], Sequence[str]]

ADVERTISER: Final[Mapping[str, Codec]] = {
    "id": Words(),
    "name": Words(),
    "categories": ListOfWords(),
    "competes_with": ListOfWords(),
    "homepage": Words(),
}
CAMPAIGN: Final[Mapping[str, Codec]] = {
    "id": Words(),
    "name": Words(),
    "status": Words("active"),
    "starts": Words(),
    "ends": Words(),
    "timezone": Words(),
}
CREATIVE: Final[Mapping[str, Codec]] = {
    "id": Words(),
    "variants.name": Words(),
    "variants.short": Words(),
    "variants.long": Words(),
    "click_url": Words(),
    "disclosure": Words(),
    **{f"utm.{name}": Words() for name in ("source", "medium", "campaign", "term", "content", "id")},
}
FLIGHT: Final[Mapping[str, Codec]] = {
    "id": Words(),
    "status": Words("active"),
    "tier": Words("standard"),
    "share": Number(),
    "weight": Number(),
    "slots": Ticked(),
    "creatives": CreativeList(),
    "starts": Words(),
    "ends": Words(),
    "goal": Goal(),
    "price": Price(),
    "caps": Caps(),
    "repeat": Flag(),
    "takeover": Flag(),
    "targeting.places": Places(),
    "targeting.exclude_places": Places(),
    "targeting.topics": ListOfWords(),
    "targeting.exclude_topics": ListOfWords(),
    "targeting.hours": Hours(),
}
ROWS: Final[Mapping[str, Mapping[str, Codec]]] = {"creatives": CREATIVE, "flights": FLIGHT}
"""What a campaign has several of."""
MOST_ROWS: Final = 500
"""Rows of a kind that a form bears; campaigns with more are changed as files."""

_WAS: Final = "was"
_ROW: Final = re.compile(r"(creatives|flights)\[([0-9]{1,3})\]\.was")
_TICKS: Final = (Flag, Ticked)
"""Their inputs are not sent at all where nothing is ticked."""


@dataclass(frozen=True, slots=True)
class FormView:
    """What a template needs to draw a campaign's form. Immutable."""

    values: Values
    creatives: int
    flights: int

    def first(self, name: str) -> str:
        """Return what stands in an input."""
        return next(iter(self.values.get(name, ())), "")


def view_of(file: JsonObject) -> FormView:
    """Return a campaign file of one campaign as its form shows it."""
    campaign = campaign_of(file)
    values = _shown(ADVERTISER, mapping(file, "advertiser"), "advertiser.") | _shown(CAMPAIGN, campaign, "")
    counts = {}
    for kind, fields in ROWS.items():
        rows = objects(campaign, kind)
        counts[kind] = len(rows)
        for index, row in enumerate(rows):
            values |= _shown(fields, row, f"{kind}[{index}].")
    return FormView(values, counts["creatives"], counts["flights"])


def read_form(original: JsonObject, names: Sequence[str], get_all: _GetAll) -> JsonObject:
    """Return the campaign file that a form was made of, with what was changed in it.

    Args:
        original: the file that the form showed.
        names: of the inputs that were sent.
        get_all: returns the values of an input.
    """
    before = campaign_of(original)
    campaign = _applied(CAMPAIGN, before, "", get_all)
    for kind, fields in ROWS.items():
        rows = objects(before, kind)
        indexes = sorted(int(found[2]) for name in names if (found := _ROW.fullmatch(name)) and found[1] == kind)
        made: list[JsonValue] = []
        for index in indexes[:MOST_ROWS]:
            prefix = f"{kind}[{index}]."
            was = next(iter(get_all(prefix + _WAS)), "")
            old = rows[int(was)] if was.isascii() and was.isdigit() and int(was) < len(rows) else {}
            made.append(_applied(fields, old, prefix, get_all))
        if made or kind in before:
            campaign[kind] = made
    for flight in objects(campaign, "flights"):
        flight.pop("weight" if flight.get("tier") == "sponsorship" else "share", None)
    advertiser = _applied(ADVERTISER, mapping(original, "advertiser"), "advertiser.", get_all)
    return {**original, "advertiser": advertiser, "campaigns": [campaign]}


def campaign_of(file: JsonObject) -> JsonObject:
    """Return the one campaign of a file."""
    return next(iter(objects(file, "campaigns")), {})


def with_row(file: JsonObject, kind: str) -> JsonObject:
    """Return a file with an empty creative or flight more."""
    campaign = campaign_of(file)
    return {**file, "campaigns": [{**campaign, kind: [*objects(campaign, kind), {}]}]}


def without_row(file: JsonObject, kind: str, index: int) -> JsonObject:
    """Return a file without one creative or flight."""
    campaign = campaign_of(file)
    rows = [row for place, row in enumerate(objects(campaign, kind)) if place != index]
    return {**file, "campaigns": [{**campaign, kind: [*rows]}]}


def _shown(fields: Mapping[str, Codec], row: JsonObject, prefix: str) -> Values:
    return {
        input_name(prefix + name, end): values
        for name, codec in fields.items()
        for end, values in codec.show(_at(row, name.split("."))).items()
    }


def input_name(field: str, end: str) -> str:
    """Return what an input of a field is called."""
    return field if end == ALONE else f"{field}.{end}"


def _applied(fields: Mapping[str, Codec], old: JsonObject, prefix: str, get_all: _GetAll) -> JsonObject:
    """Return a row with those fields changed whose inputs no longer say what they were shown with."""
    row = deepcopy(old)
    for name, codec in fields.items():
        path = name.split(".")
        typed = {end: tuple(_clean(text) for text in get_all(input_name(prefix + name, end))) for end in codec.inputs}
        if not any(typed.values()) and not isinstance(codec, _TICKS):
            continue  # the form had no such input
        shown = codec.show(_at(old, path))
        if _ordered(filled(typed)) != _ordered(shown):
            _put(row, path, codec.read(typed))
    return row


def _ordered(typed: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return what was typed, as far as it is told apart: the order of ticks says nothing."""
    return {end: tuple(sorted(values)) if end in (ALONE, "days") else values for end, values in typed.items()}


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _at(row: JsonObject, path: Sequence[str]) -> JsonValue:
    value: JsonValue = row
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _put(row: JsonObject, path: Sequence[str], value: JsonValue) -> None:
    """Set a field, or take it out where the value is None; what would be left empty around it goes too."""
    head, *rest = path
    if rest:
        inner = mapping(row, head)
        _put(inner, rest, value)
        value = inner or None
    if value is None:
        row.pop(head, None)
    else:
        row[head] = value
