"""What a cell of a campaign sheet says -> the value that a campaign file would hold there. Pure."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from adserver.catalog.reading import RawValue, read_number
from adserver.catalog.sheet_columns import Cell
from adserver.catalog.texts import shown
from adserver.domain.catalog import CapPeriod, CapScope

CellValue = str | int | Decimal | bool
"""What a cell holds: text where the file knows nothing else."""

_WORDS: Final = re.compile(r"[;,\n]")
_ITEMS: Final = re.compile(r"[;\n]")
_NEAR: Final = re.compile(r"(?P<near>[^()]+?)\s*\(\s*(?P<distance>[^()\s]+)\s*(?P<unit>miles?|mi|km)\s*\)")
_CAP: Final = re.compile(r"(?P<impressions>[0-9]{1,15})\s+per\s+(?P<per>[a-z]+)")
_WEIGHTED: Final = re.compile(r"(?P<id>[^()]+?)\s*\(\s*(?P<weight>[0-9]{1,15})\s*\)")
_SHORT_HOUR: Final = re.compile(r"[0-9]:[0-9]{2}")
_SECONDS: Final = re.compile(r"([0-9]{1,2}:[0-9]{2}):00")
_FLAGS: Final = MappingProxyType({"true": True, "false": False})
_SCOPES: Final = MappingProxyType(
    {
        CapPeriod.VISIT: CapScope.READER,
        CapPeriod.PAGE: CapScope.READER,
        CapPeriod.DAY: CapScope.FLIGHT,
        CapPeriod.HOUR: CapScope.FLIGHT,
    }
)


class CellRefused(ValueError):
    """A cell that does not say what its column is for; the message says what would be right."""


def is_blank(value: CellValue) -> bool:
    """Tell whether nobody would call a cell filled."""
    return isinstance(value, str) and not value.strip()


def read_cell(value: CellValue, cell: Cell) -> RawValue:
    """Return what a filled cell says; whether that is right, the schema of campaign files tells.

    Raises:
        CellRefused: it does not have the form of its column.
    """
    return _READERS[cell](value)


def _text(value: CellValue) -> RawValue:
    """Return the text; programs hold an id of digits, or a ZIP code, as a number."""
    if isinstance(value, str):
        return value.strip(" ")
    return value if isinstance(value, bool) else str(value)


def _number(value: CellValue) -> RawValue:
    if not isinstance(value, str):
        return value
    try:
        number = read_number(value.strip())
    except ValueError as error:
        raise CellRefused(str(error)) from error
    return value.strip() if number is None else number


def _flag(value: CellValue) -> RawValue:
    return _FLAGS.get(value.strip().casefold(), value) if isinstance(value, str) else value


def _time(value: CellValue) -> RawValue:
    """Return the time; programs drop the 0 before an hour, and add seconds."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if whole := _SECONDS.fullmatch(text):
        text = whole[1]
    return f"0{text}" if _SHORT_HOUR.fullmatch(text) else text


def _words(value: CellValue) -> RawValue:
    return [*_split(value, _WORDS)]


def _places(value: CellValue) -> RawValue:
    return [_place(item) for item in _split(value, _ITEMS)]


def _place(text: str) -> RawValue:
    """Return a place's words, or `Fargo, ND (60 miles)` as what is near it."""
    found = _NEAR.fullmatch(text)
    if found is None:
        if "(" in text:
            raise CellRefused(
                f"must be places such as `MN; Fargo, ND (60 miles)`, with `;` between them, not {shown(text)}"
            )
        return text
    distance = _number(found["distance"])
    return {"near": found["near"], "km" if found["unit"] == "km" else "miles": distance}


def _caps(value: CellValue) -> RawValue:
    return [_cap(item) for item in _split(value, _WORDS)]


def _cap(text: str) -> RawValue:
    found = _CAP.fullmatch(text.casefold())
    if found is None or found["per"] not in list(CapPeriod):
        raise CellRefused(
            f"must be caps such as `3 per visit; 900 per day`, of visit, page, day or hour, not {shown(text)}"
        )
    period = CapPeriod(found["per"])
    return {"impressions": int(found["impressions"]), "per": str(period), "scope": str(_SCOPES[period])}


def _creatives(value: CellValue) -> RawValue:
    return [_creative(item) for item in _split(value, _WORDS)]


def _creative(text: str) -> RawValue:
    found = _WEIGHTED.fullmatch(text)
    if found is None:
        if "(" in text:
            raise CellRefused(f"must be ids of creatives such as `boots (2); phone`, not {shown(text)}")
        return text
    return {"id": found["id"], "weight": int(found["weight"])}


def _split(value: CellValue, between: re.Pattern[str]) -> list[str]:
    return [item for part in between.split(str(value)) if (item := part.strip())]


_READERS: Final[Mapping[Cell, Callable[[CellValue], RawValue]]] = {
    Cell.TEXT: _text,
    Cell.NUMBER: _number,
    Cell.FLAG: _flag,
    Cell.TIME: _time,
    Cell.WORDS: _words,
    Cell.PLACES: _places,
    Cell.CAPS: _caps,
    Cell.CREATIVES: _creatives,
}
