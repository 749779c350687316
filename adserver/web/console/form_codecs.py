"""How a field of a campaign shows in a form, and how what was typed becomes a field again. Pure.

What cannot be read is kept as it was typed: the check of all uploads says what is wrong with it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from adserver.catalog.documents import JsonObject, JsonValue

Typed = Mapping[str, tuple[str, ...]]
"""What stands in the inputs of one field, by the ends of their names; an input may have several values."""

ALONE: Final = ""
"""The end of the name of an input that is its field's only one."""
_WHOLE: Final = re.compile(r"[0-9][0-9,  _]{0,30}")
_SEPARATORS: Final = re.compile(r"[,  _]")
_NUMBER: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_AROUND: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) *(miles?|mi|km) +around +(.+)", re.IGNORECASE)
_WEIGHTED: Final = re.compile(r"(\S+)\s+(?:[x*]\s*)?([0-9]{1,9})")


class Codec(Protocol):
    """Takes one field to its inputs and back. Immutable."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The ends of the names of its inputs."""

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return what stands in the inputs; None: the field is left out."""

    def read(self, typed: Typed) -> JsonValue:
        """Return the field that was typed; None: left out."""


@dataclass(frozen=True, slots=True)
class Words:
    """A text in one input; `default` stands there where the field is left out."""

    default: str = ""
    inputs: tuple[str, ...] = (ALONE,)

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return the text."""
        return {ALONE: (self.default if value is None else _text(value),)}

    def read(self, typed: Typed) -> JsonValue:
        """Return the text; empty is left out."""
        return _first(typed, ALONE) or None


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number; groups of digits may stand apart."""

    inputs: tuple[str, ...] = (ALONE,)

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return the digits."""
        return {ALONE: (_text(value),)}

    def read(self, typed: Typed) -> JsonValue:
        """Return the number."""
        return read_whole(_first(typed, ALONE))


@dataclass(frozen=True, slots=True)
class Flag:
    """A box that is ticked or not."""

    inputs: tuple[str, ...] = (ALONE,)

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return what a ticked box sends."""
        return {ALONE: ("yes",) if value is True else ()}

    def read(self, typed: Typed) -> JsonValue:
        """Return true, or left out."""
        return True if typed.get(ALONE) else None


@dataclass(frozen=True, slots=True)
class Ticked:
    """Several boxes, of which some are ticked; none is left out."""

    inputs: tuple[str, ...] = (ALONE,)

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return those that are ticked, in no order that means anything."""
        return {ALONE: tuple(sorted(map(_text, _items(value))))}

    def read(self, typed: Typed) -> JsonValue:
        """Return those that are ticked."""
        return list(typed.get(ALONE, ())) or None


@dataclass(frozen=True, slots=True)
class ListOfWords:
    """Words one a line, or with commas between them."""

    inputs: tuple[str, ...] = (ALONE,)

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return the words, with commas."""
        return {ALONE: (", ".join(map(_text, _items(value))),)}

    def read(self, typed: Typed) -> JsonValue:
        """Return the words."""
        return _split(_first(typed, ALONE)) or None


@dataclass(frozen=True, slots=True)
class Places:
    """Places one a line: `Cass County, MN`, or `60 miles around Fargo, ND`."""

    inputs: tuple[str, ...] = (ALONE,)

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return the lines."""
        return {ALONE: ("\n".join(map(_place_line, _items(value))),)}

    def read(self, typed: Typed) -> JsonValue:
        """Return the places."""
        lines = (line.strip() for line in _first(typed, ALONE).split("\n"))
        return [_place_of(line) for line in lines if line] or None


@dataclass(frozen=True, slots=True)
class CreativeList:
    """Ids of creatives with commas between them, a weight behind one that has another than 1: `dogs, cats 3`."""

    inputs: tuple[str, ...] = (ALONE,)

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return the ids and weights."""
        return {ALONE: (", ".join(_weighted_words(item) for item in _items(value)),)}

    def read(self, typed: Typed) -> JsonValue:
        """Return ids, and mappings of id and weight."""
        return [_weighted(word) for word in _split(_first(typed, ALONE))] or None


@dataclass(frozen=True, slots=True)
class Goal:
    """How many impressions, and how they are spread."""

    inputs: tuple[str, ...] = ("impressions", "pacing")

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return both."""
        goal = _mapping(value)
        return {name: (_text(goal.get(name)),) for name in self.inputs}

    def read(self, typed: Typed) -> JsonValue:
        """Return the goal; none without impressions."""
        impressions = read_whole(_first(typed, "impressions"))
        if impressions is None:
            return None
        return _without_none({"impressions": impressions, "pacing": _first(typed, "pacing") or None})


@dataclass(frozen=True, slots=True)
class Price:
    """An amount for a thousand impressions, or for all, in a currency."""

    inputs: tuple[str, ...] = ("kind", "amount", "currency")

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return kind, amount and currency."""
        price = _mapping(value)
        kind = "flat" if price.get("flat") is not None else "cpm"
        return {
            "kind": (kind,),
            "amount": (_text(price.get(kind)),),
            "currency": (_text(price.get("currency")) if price else "USD",),
        }

    def read(self, typed: Typed) -> JsonValue:
        """Return the price; none without an amount."""
        amount = _first(typed, "amount")
        if not amount:
            return None
        kind = "flat" if _first(typed, "kind") == "flat" else "cpm"
        return _without_none({kind: amount, "currency": _first(typed, "currency").upper() or None})


@dataclass(frozen=True, slots=True)
class Caps:
    """How often a flight shows at most, one cap a row; a row without a number is none."""

    inputs: tuple[str, ...] = ("impressions", "per")

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return the rows, column by column; `per` is period and scope, as `visit reader`."""
        caps = [_mapping(item) for item in _items(value)]
        return {
            "impressions": tuple(_text(cap.get("impressions")) for cap in caps),
            "per": tuple(f"{_text(cap.get('per'))} {_text(cap.get('scope'))}" for cap in caps),
        }

    def read(self, typed: Typed) -> JsonValue:
        """Return the caps."""
        caps: list[JsonValue] = []
        for typed_number, choice in zip(typed.get("impressions", ()), typed.get("per", ()), strict=False):
            number = read_whole(typed_number)
            per, _, scope = choice.partition(" ")
            if number is not None:
                caps.append({"impressions": number, "per": per, "scope": scope})
        return caps or None


@dataclass(frozen=True, slots=True)
class Hours:
    """Days of the week, and from when to when."""

    inputs: tuple[str, ...] = ("days", "from", "to")

    def show(self, value: JsonValue) -> dict[str, tuple[str, ...]]:
        """Return days, from and to."""
        hours = _mapping(value)
        return {
            "days": tuple(sorted(map(_text, _items(hours.get("days"))))),
            "from": (_text(hours.get("from")),),
            "to": (_text(hours.get("to")),),
        }

    def read(self, typed: Typed) -> JsonValue:
        """Return the hours; none where nothing is said."""
        days: list[JsonValue] = list(typed.get("days", ()))
        said = {"days": days or None, "from": _first(typed, "from") or None, "to": _first(typed, "to") or None}
        return _without_none(said) or None


def filled(typed: Typed) -> dict[str, tuple[str, ...]]:
    """Return what was typed as it is compared with what was shown: without rows that say nothing."""
    if "impressions" not in typed or "per" not in typed:
        return dict(typed)
    rows = [row for row in zip(typed["impressions"], typed["per"], strict=False) if row[0]]
    return {"impressions": tuple(row[0] for row in rows), "per": tuple(row[1] for row in rows)}


def read_whole(text: str) -> JsonValue:
    """Return a whole number; a text that is none as it is, None for none at all."""
    if _WHOLE.fullmatch(text):
        digits = _SEPARATORS.sub("", text)
        return int(digits) if len(digits) <= 18 else text
    return text or None


def _first(typed: Typed, end: str) -> str:
    return next(iter(typed.get(end, ())), "")


def _text(value: JsonValue) -> str:
    return "" if value is None else str(value)


def _items(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else ()


def _mapping(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _without_none(fields: Mapping[str, JsonValue]) -> JsonObject:
    return {name: value for name, value in fields.items() if value is not None}


def _split(text: str) -> list[JsonValue]:
    return [word for part in re.split(r"[,\n]", text) if (word := part.strip())]


def _place_line(item: JsonValue) -> str:
    if not isinstance(item, dict):
        return _text(item)
    unit = "km" if "km" in item else "miles"
    return f"{_text(item.get(unit))} {unit} around {_text(item.get('near'))}"


def _place_of(line: str) -> JsonValue:
    found = _AROUND.fullmatch(line)
    if found is None or not _NUMBER.fullmatch(found[1]):
        return line
    number: JsonValue = float(found[1]) if "." in found[1] else int(found[1])
    return {"near": found[3], "km" if found[2].lower() == "km" else "miles": number}


def _weighted_words(item: JsonValue) -> str:
    if not isinstance(item, dict):
        return _text(item)
    weight = item.get("weight")
    return _text(item.get("id")) if weight is None else f"{_text(item.get('id'))} {_text(weight)}"


def _weighted(word: JsonValue) -> JsonValue:
    found = _WEIGHTED.fullmatch(str(word))
    return word if found is None else {"id": found[1], "weight": int(found[2])}
