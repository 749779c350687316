"""The columns of a campaign sheet: what each is called, which field of a campaign file it is, how its cells read."""

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adserver.catalog.positions import FieldPath, path_text


class Thing(StrEnum):
    """What a cell tells about. A row has at most one of each."""

    ADVERTISER = "advertiser"
    CAMPAIGN = "campaign"
    CREATIVE = "creative"
    FLIGHT = "flight"


class Cell(StrEnum):
    """How a cell reads."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"
    WORDS = "words"
    """Several, with `;` or `,` between them."""
    PLACES = "places"
    CAPS = "caps"
    CREATIVES = "creatives"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Immutable."""

    name: str
    thing: Thing
    path: FieldPath
    """The field within the thing."""
    cell: Cell = Cell.TEXT
    needed: bool = False
    """Every sheet has it, though not every cell is filled."""


def _of(thing: Thing, *columns: tuple[str, str, Cell]) -> tuple[Column, ...]:
    """Return columns from their names, `*` behind those that are needed, and fields, whose parts a dot divides."""
    return tuple(
        Column(name.rstrip("*"), thing, tuple(field.split(".")), cell, name.endswith("*"))
        for name, field, cell in columns
    )


COLUMNS: Final = (
    *_of(
        Thing.ADVERTISER,
        ("advertiser_id*", "id", Cell.TEXT),
        ("advertiser_name*", "name", Cell.TEXT),
        ("categories", "categories", Cell.WORDS),
        ("competes_with", "competes_with", Cell.WORDS),
        ("homepage", "homepage", Cell.TEXT),
    ),
    *_of(
        Thing.CAMPAIGN,
        ("campaign_id*", "id", Cell.TEXT),
        ("campaign_name*", "name", Cell.TEXT),
        ("campaign_status", "status", Cell.TEXT),
        ("campaign_starts*", "starts", Cell.TEXT),
        ("campaign_ends", "ends", Cell.TEXT),
        ("timezone*", "timezone", Cell.TEXT),
    ),
    *_of(
        Thing.CREATIVE,
        ("creative_id*", "id", Cell.TEXT),
        ("click_url*", "click_url", Cell.TEXT),
        ("utm_source", "utm.source", Cell.TEXT),
        ("utm_medium", "utm.medium", Cell.TEXT),
        ("utm_campaign", "utm.campaign", Cell.TEXT),
        ("utm_term", "utm.term", Cell.TEXT),
        ("utm_content", "utm.content", Cell.TEXT),
        ("utm_id", "utm.id", Cell.TEXT),
        ("disclosure", "disclosure", Cell.TEXT),
        ("name*", "variants.name", Cell.TEXT),
        ("short", "variants.short", Cell.TEXT),
        ("long", "variants.long", Cell.TEXT),
    ),
    *_of(
        Thing.FLIGHT,
        ("flight_id*", "id", Cell.TEXT),
        ("slots", "slots", Cell.WORDS),
        ("status", "status", Cell.TEXT),
        ("tier", "tier", Cell.TEXT),
        ("share", "share", Cell.NUMBER),
        ("weight", "weight", Cell.NUMBER),
        ("goal", "goal.impressions", Cell.NUMBER),
        ("pacing", "goal.pacing", Cell.TEXT),
        ("cpm", "price.cpm", Cell.TEXT),
        ("flat", "price.flat", Cell.TEXT),
        ("currency", "price.currency", Cell.TEXT),
        ("starts", "starts", Cell.TEXT),
        ("ends", "ends", Cell.TEXT),
        ("repeat", "repeat", Cell.FLAG),
        ("takeover", "takeover", Cell.FLAG),
        ("caps", "caps", Cell.CAPS),
        ("places", "targeting.places", Cell.PLACES),
        ("exclude_places", "targeting.exclude_places", Cell.PLACES),
        ("topics", "targeting.topics", Cell.WORDS),
        ("exclude_topics", "targeting.exclude_topics", Cell.WORDS),
        ("days", "targeting.hours.days", Cell.WORDS),
        ("from", "targeting.hours.from", Cell.TIME),
        ("to", "targeting.hours.to", Cell.TIME),
        ("creatives", "creatives", Cell.CREATIVES),
    ),
)
"""All there are, in the order of the template."""

BY_NAME: Final = MappingProxyType({column.name: column for column in COLUMNS})
ID_COLUMNS: Final = MappingProxyType({column.thing: column for column in COLUMNS if column.path == ("id",)})

_BY_FIELD: Final = MappingProxyType({(column.thing, column.path): column.name for column in COLUMNS})
_BETWEEN: Final = re.compile(r"[\s_-]+")


def column_name(heading: str) -> str:
    """Return a heading as columns are called: capitals do not count, blanks and hyphens are underscores."""
    return _BETWEEN.sub("_", heading.strip().casefold())


def column_of(path: FieldPath) -> str:
    """Return what the column of a field is called; that of the first field within it, where it has none itself."""
    thing, field = _parts(path)
    words = tuple(step for step in field if isinstance(step, str))
    for length in range(len(words), 0, -1):
        if (name := _BY_FIELD.get((thing, words[:length]))) is not None:
            return name
    for (of, place), name in _BY_FIELD.items():
        if of is thing and place[: len(words)] == words:
            return name
    return path_text(path)


def _parts(path: FieldPath) -> tuple[Thing, FieldPath]:
    """Return which thing a path of a campaign file leads to, and the field within it."""
    if path[:1] == ("advertiser",) or len(path) < 2:
        return Thing.ADVERTISER, path[1:]
    if path[2:3] == ("creatives",):
        return Thing.CREATIVE, path[4:]
    if path[2:3] == ("flights",):
        return Thing.FLIGHT, path[4:]
    return Thing.CAMPAIGN, path[2:]
