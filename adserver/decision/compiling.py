"""The catalog compiled for deciding: lists of flights by slot, place and topic, columns of numbers, and records.

What each section holds stands with who reads it: `columns`, `lists`, `records`.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, product
from typing import Final, TypeVar

import msgspec

from adserver.decision.compiled_flight import ALWAYS, NEVER, CompiledFlight, FlightCompiler
from adserver.decision.flags import flags_of
from adserver.decision.hours import Window
from adserver.decision.image import Section, encode_image
from adserver.decision.keys import ANY, MOST_PLACES, MOST_SLOTS, MOST_TOPICS, list_key, prefix_of
from adserver.decision.length_columns import length_columns
from adserver.decision.meta import Meta
from adserver.decision.rank import Rank, rank_of
from adserver.decision.regulation import Regulation
from adserver.domain.catalog import Catalog, RetiredCreative, Targeting
from adserver.domain.ids import IdHash, Kind, PlaceId, SlotId, Topic, id_hash
from adserver.domain.places import Circle
from adserver.domain.reasons import NoFillReason
from adserver.places.states import STATES

NO_GOAL: Final = -1
FIRST_SECOND: Final = -(2**62)
LAST_SECOND: Final = 2**62
"""Stand for `ALWAYS` and `NEVER`."""
MOST_LISTS_A_FLIGHT: Final = 2_000
"""A flight that names so many places times topics times slots more is listed by less, and asked instead."""

_Id = TypeVar("_Id", bound=str)

_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")
"""One catalog gives the same bytes in every process, whatever the order of its sets there."""


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of what flights name, excluded or not, from 1. Immutable."""

    slots: Mapping[SlotId, int]
    places: Mapping[PlaceId, int]
    topics: Mapping[Topic, int]
    circles: Mapping[Circle, int]
    """After the last of the places: a circle is listed, and looked up, as a place is."""
    windows: Mapping[Window, int]


@dataclass(frozen=True, slots=True)
class _Listing:
    """Under what a flight is listed: numbers, `ANY` alone where it names none. Immutable."""

    slots: Sequence[int]
    places: Sequence[int]
    topics: Sequence[int]
    is_full: bool
    """Whether it says all that the flight does."""


def compile_catalog(
    catalog: Catalog,
    revision: int,
    retired: tuple[RetiredCreative, ...] = (),
    *,
    digest: str = "",
    shards: int = 1,
    at: datetime | None = None,
) -> bytes:
    """Return the catalog as an image, about 2 s for 100,000 flights, and makes no cycles.

    Args:
        catalog: whole and checked.
        revision: its number.
        retired: creatives removed lately.
        digest: the revision's own, handed on to who reads the image.
        shards: into how many the counts are cut, handed on too.
        at: no moment before it will be asked for, so flights that were over by then are left out of the lists; None:
            any may be.

    Raises:
        ValueError, KeyError: an advertiser, creative or site is missing, or a weight or share is not one to draw by;
            `adserver.catalog` publishes no such catalog.
    """
    if lacking := {slot.site for slot in catalog.slots} - {site.id for site in catalog.sites}:
        raise KeyError(f"slots name sites that are not in the catalog: {', '.join(sorted(lacking))}")
    flights = _compile_flights(catalog)
    numbers = _number(catalog, flights)
    stopped = {place: reason for place, each in enumerate(flights) if (reason := _stopped(each, at)) is not None}
    listings = [_listing(each, numbers) for each in flights]
    creatives = [(creative, campaign.id) for campaign in catalog.campaigns for creative in campaign.creatives]
    position = {creative.id: at for at, (creative, _) in enumerate(creatives)}
    own_creatives = [[position[one.id] for one, _ in each.creatives] for each in flights]
    sections: dict[str, Section] = {
        **_flight_columns(flights, listings, numbers),
        **_ranges("flight_creatives", own_creatives),
        "flight_creative_weights": array("Q", (weight for each in flights for _, weight in each.creatives)),
        **length_columns([creative for creative, _ in creatives], own_creatives),
        **_lists(flights, listings, stopped),
        **_record_sections(catalog, flights),
        **_hashes("flight_hashes", Kind.FLIGHT, [each.flight.id for each in flights]),
        **_hashes("creative_hashes", Kind.CREATIVE, [creative.id for creative, _ in creatives]),
        "retired": _ENCODER.encode(retired),
    }
    meta = Meta(
        revision=revision,
        digest=digest,
        shards=shards,
        sites=catalog.sites,
        slots=catalog.slots,
        slot_numbers=dict(numbers.slots),
        place_numbers=dict(numbers.places),
        topic_numbers=dict(numbers.topics),
        topic_hashes={topic: id_hash(Kind.TOPIC, topic) for topic in _topics(flights)},
        takeovers=tuple(at for at, each in enumerate(flights) if each.flight.takeover and at not in stopped),
        stopped=tuple(sorted(_stopped_by_slot(flights, stopped, numbers).items())),
        circles=tuple(numbers.circles),
        windows=tuple(numbers.windows),
        rules=catalog.rules,
    )
    return encode_image({"meta": _ENCODER.encode(meta), **sections})


def _compile_flights(catalog: Catalog) -> list[CompiledFlight]:
    advertisers = {advertiser.id: advertiser for advertiser in catalog.advertisers}
    compiler, regulation = FlightCompiler(), Regulation(catalog.rules)
    rules = {advertiser.id: regulation.of(advertiser.categories) for advertiser in catalog.advertisers}
    return [
        compiler.compile(flight, campaign, advertisers[campaign.advertiser], rules[campaign.advertiser])
        for campaign in catalog.campaigns
        for flight in campaign.flights
    ]


def _number(catalog: Catalog, flights: Sequence[CompiledFlight]) -> _Numbers:
    targets = [each.flight.targeting for each in flights]
    named = {place for target in targets for place in (*target.places, *target.exclude_places)}
    # Rules tell states apart, and an unknown place from all of them: so must the memory of who may run.
    places = sorted(named | {PlaceId(f"us-{code}") for code in STATES} if catalog.rules else named)
    circles = sorted({circle for target in targets for circle in (*target.near, *target.exclude_near)}, key=_order)
    windows = sorted({window for each in flights if (window := _window(each)) is not None}, key=_order_of_window)
    topics = _topics(flights)
    if len(catalog.slots) >= MOST_SLOTS or len(places) + len(circles) >= MOST_PLACES or len(topics) >= MOST_TOPICS:
        raise ValueError("there are more slots, places or topics than can be numbered")
    return _Numbers(
        {slot.id: number for number, slot in enumerate(catalog.slots, 1)},
        {place: number for number, place in enumerate(places, 1)},
        {topic: number for number, topic in enumerate(topics, 1)},
        {circle: number for number, circle in enumerate(circles, len(places) + 1)},
        {window: number for number, window in enumerate(windows, 1)},
    )


def _order(circle: Circle) -> tuple[float, float, float, PlaceId]:
    return circle.latitude, circle.longitude, circle.kilometres, circle.centre


def _order_of_window(window: Window) -> tuple[str, list[int], int, int]:
    hours = window.hours
    return window.zone, sorted(hours.days), hours.from_minute, hours.to_minute


def _window(flight: CompiledFlight) -> Window | None:
    hours = flight.flight.targeting.hours
    return None if hours is None else Window(flight.campaign.timezone, hours)


def _topics(flights: Sequence[CompiledFlight]) -> list[Topic]:
    """Return all topics that the catalog names, sorted."""
    targets = [each.flight.targeting for each in flights]
    return sorted({topic for target in targets for topic in (*target.topics, *target.exclude_topics)})


def _stopped(flight: CompiledFlight, at: datetime | None) -> NoFillReason | None:
    """Return why a flight runs at no moment that will be asked for."""
    if flight.paused:
        return NoFillReason.PAUSED
    return NoFillReason.ENDED if at is not None and flight.ends <= at else None


def _stopped_by_slot(
    flights: Sequence[CompiledFlight], stopped: Mapping[int, NoFillReason], numbers: _Numbers
) -> dict[int, NoFillReason]:
    """Return, for each slot and for any, the reason of those stopped flights of it that came furthest."""
    found: dict[int, NoFillReason] = {}
    for place, reason in stopped.items():
        slots = flights[place].flight.slots
        for slot in (ANY,) if slots is None else (numbers.slots[one] for one in slots if one in numbers.slots):
            if found.get(slot) is not NoFillReason.ENDED:
                found[slot] = reason
    return found


def _listing(flight: CompiledFlight, numbers: _Numbers) -> _Listing:
    targeting, named = flight.flight.targeting, flight.flight.slots
    slots = [ANY] if named is None else _numbers_of(named, numbers.slots)
    places = _numbers_of(targeting.places, numbers.places)
    if targeting.near:
        places.extend(sorted(numbers.circles[circle] for circle in set(targeting.near)))
    places = places or [ANY]
    topics = _numbers_of(targeting.topics, numbers.topics) or [ANY]
    if len(slots) * len(places) * len(topics) <= MOST_LISTS_A_FLIGHT:
        return _Listing(slots, places, topics, is_full=True)
    if len(slots) * len(places) <= MOST_LISTS_A_FLIGHT:
        return _Listing(slots, places, [ANY], is_full=False)
    if len(places) <= MOST_LISTS_A_FLIGHT:
        return _Listing([ANY], places, [ANY], is_full=False)
    return _Listing(slots, [ANY], [ANY], is_full=False)


def _excluded_places(targeting: Targeting, numbers: _Numbers) -> list[int]:
    places = _numbers_of(targeting.exclude_places, numbers.places)
    if targeting.exclude_near:
        places.extend(sorted(numbers.circles[circle] for circle in set(targeting.exclude_near)))
    return places


def _numbers_of(ids: frozenset[_Id], numbers: Mapping[_Id, int]) -> list[int]:
    found = [numbers[id_] for id_ in ids if id_ in numbers]
    if len(found) > 1:
        found.sort()
    return found


def _flight_columns(
    flights: Sequence[CompiledFlight], listings: Sequence[_Listing], numbers: _Numbers
) -> dict[str, Section]:
    flags = array("H")
    for flight, listing in zip(flights, listings, strict=True):
        lists = len(listing.places) * len(listing.topics)
        flags.append(flags_of(flight, listed_fully=listing.is_full, lists=lists))
    return {
        "flight_starts": array("q", (second_of(each.starts) for each in flights)),
        "flight_ends": array("q", (second_of(each.ends) for each in flights)),
        "flight_goals": array("q", (NO_GOAL if each.goal is None else each.goal for each in flights)),
        "flight_parts": array("Q", (each.part for each in flights)),
        "flight_flags": flags,
        "flight_windows": array(
            "I", (0 if (own := _window(each)) is None else numbers.windows[own] for each in flights)
        ),
        **_ranges("flight_places", (listing.places for listing in listings)),
        **_ranges("flight_topics", (listing.topics for listing in listings)),
        **_ranges("flight_excluded_places", (_excluded_places(each.flight.targeting, numbers) for each in flights)),
        **_ranges(
            "flight_excluded_topics",
            (_numbers_of(each.flight.targeting.exclude_topics, numbers.topics) for each in flights),
        ),
    }


def second_of(instant: datetime) -> int:
    """Return an instant at which a local day begins in seconds since 1970, which it is a whole number of."""
    if instant == NEVER:
        return LAST_SECOND
    return FIRST_SECOND if instant == ALWAYS else int(instant.timestamp())


def _ranges(name: str, rows: Iterable[Sequence[int]]) -> dict[str, Section]:
    """Return numbers of each row in one column, and where each row begins, and the last ends, in another."""
    values, first = array("I"), array("I", [0])
    for row in rows:
        values.extend(row)
        first.append(len(values))
    return {name: values, f"{name}_first": first}


def _lists(
    flights: Sequence[CompiledFlight], listings: Sequence[_Listing], stopped: Mapping[int, NoFillReason]
) -> dict[str, Section]:
    ranks = len(Rank)
    listed: dict[int, list[int]] = defaultdict(list)  # by key and rank, in one number: there are millions
    for place, (flight, listing) in enumerate(zip(flights, listings, strict=True)):
        if place not in stopped:
            rank = rank_of(flight)
            for numbers in product(listing.slots, listing.places, listing.topics):
                listed[list_key(*numbers) * ranks + rank].append(place)
    parts = [flight.part for flight in flights]
    keys = sorted({key // ranks for key in listed})
    members, bounds, first = array("I"), array("Q"), array("I", [0])
    for key in keys:
        for drawn in range(ranks):
            places = listed.get(key * ranks + drawn)
            if places:
                members.extend(places)
                bounds.extend(accumulate([parts[place] for place in places]))
            first.append(len(members))
    prefixes, prefix_first = array("Q"), array("I")
    for number, key in enumerate(keys):
        if not prefixes or prefixes[-1] != prefix_of(key):
            prefixes.append(prefix_of(key))
            prefix_first.append(number)
    prefix_first.append(len(keys))
    return {
        "list_members": members,
        "list_bounds": bounds,
        "list_first": first,
        "list_topics": array("I", (key % MOST_TOPICS for key in keys)),
        "prefixes": prefixes,
        "prefix_first": prefix_first,
    }


def _record_sections(catalog: Catalog, flights: Sequence[CompiledFlight]) -> dict[str, Section]:
    campaigns = {campaign.id: at for at, campaign in enumerate(catalog.campaigns)}
    advertisers = {advertiser.id: at for at, advertiser in enumerate(catalog.advertisers)}
    creatives = [creative for campaign in catalog.campaigns for creative in campaign.creatives]
    of_creatives = [at for at, campaign in enumerate(catalog.campaigns) for _ in campaign.creatives]
    return {
        "flight_campaigns": array("I", (campaigns[each.campaign.id] for each in flights)),
        "campaign_advertisers": array("I", (advertisers[campaign.advertiser] for campaign in catalog.campaigns)),
        "creative_campaigns": array("I", of_creatives),
        **_records("flight_ids", [each.flight.id for each in flights]),
        **_records("flights", [each.flight for each in flights]),
        **_records("creatives", creatives),
        **_records("campaigns", [replace(campaign, creatives=(), flights=()) for campaign in catalog.campaigns]),
        **_records("advertisers", catalog.advertisers),
    }


def _records(name: str, records: Sequence[object]) -> dict[str, Section]:
    encoded = [_ENCODER.encode(record) for record in records]
    first = array("Q", accumulate(map(len, encoded), initial=0))
    return {name: b"".join(encoded), f"{name}_first": first}


def _hashes(name: str, kind: Kind, ids: Sequence[str]) -> dict[str, Section]:
    """Return the hashes as numbers, sorted, and beside each the position of what it stands for."""
    pairs = sorted((hash_number(id_hash(kind, id_)), at) for at, id_ in enumerate(ids))
    return {name: array("Q", (hash_ for hash_, _ in pairs)), f"{name}_at": array("I", (at for _, at in pairs))}


def hash_number(hash_: IdHash) -> int:
    """Return a hash as a number."""
    return int.from_bytes(hash_, "big")
