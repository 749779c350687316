"""What every hash ever stood for: tokens, spools and cells hold hashes of ids; a query of last year finds the words.

Kept in the hash `{catalog}:names`, never forgotten, only ever added to. Fields, and their values as JSON:

    flight:<hash hex>     {"id": "minnesota", "held": [[since, campaign, advertiser], …]}
    creative:<hash hex>   {"id": "elevate", "held": [[since, campaign, advertiser], …]}
    slot:<hash hex>       {"id": "masthead", "held": [[since, site, zone], …]}
    topic:<hash hex>      {"id": "sports"}
    site:<id>             {"id": "america-one", "held": [[since, name, zone], …]}

`held` is what the thing belonged to, each entry from its second (Unix time) on, oldest first; the first holds for all
time before it too. So an event of the past stays in its campaign and its site's day, whatever is changed later.
Layout version 1; fields of other kinds, which a later version may add, are passed over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from redis import Redis, RedisError

from adserver.domain.errors import AdserverError, StoreUnavailable
from adserver.domain.ids import AdvertiserId, CampaignId, IdHash, Kind, SiteId, Topic

NAMES_KEY: Final = "{catalog}:names"

SITE_FIELD: Final = "site"
"""The kind of a site's field; sites have no hash, their id stands in its place."""

_UTC: Final = ZoneInfo("UTC")


class NamesUnreadable(AdserverError):
    """A name in the store is not of this version's layout; a newer version may have written it."""


class NameRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value of the hash. Immutable."""

    id: str
    held: tuple[tuple[int, str, str], ...] = ()


_DECODER: Final = msgspec.json.Decoder(NameRecord)


@dataclass(frozen=True, slots=True)
class Parent:
    """What a flight or creative belonged to, from a second on."""

    since_second: int
    campaign: CampaignId
    advertiser: AdvertiserId


@dataclass(frozen=True, slots=True)
class OrderName:
    """A flight or a creative by its words, with its parents oldest first. Immutable."""

    id: str
    parents: tuple[Parent, ...]

    @property
    def campaign(self) -> CampaignId:
        """The campaign that holds it, or held it last."""
        return self.parents[-1].campaign

    @property
    def advertiser(self) -> AdvertiserId:
        """The advertiser of `campaign`."""
        return self.parents[-1].advertiser

    def at(self, second: int) -> Parent:
        """Return what it belonged to at a second of Unix time."""
        return _at(self.parents, second)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The site and zone of a slot, or the name and zone of a site, from a second on."""

    since_second: int
    words: str
    """A slot's site id; a site's name."""
    zone: str
    """IANA name."""


_Span = TypeVar("_Span", Parent, Whereabouts)
_Name = TypeVar("_Name")


@dataclass(frozen=True, slots=True)
class SlotName:
    """A slot by its words, with its sites and zones oldest first. Immutable."""

    id: str
    spans: tuple[Whereabouts, ...]

    @property
    def site(self) -> SiteId:
        """The site that it is on, or was on last."""
        return SiteId(self.spans[-1].words)

    def site_at(self, second: int) -> SiteId:
        """Return the site that it was on at a second of Unix time."""
        return SiteId(_at(self.spans, second).words)

    def zone_at(self, second: int) -> ZoneInfo:
        """Return the zone of its site at a second of Unix time."""
        return _zone(_at(self.spans, second).zone)


@dataclass(frozen=True, slots=True)
class SiteName:
    """A site by its words, with its names and zones oldest first. Immutable."""

    id: SiteId
    spans: tuple[Whereabouts, ...]

    @property
    def name(self) -> str:
        """What it is called, or was called last."""
        return self.spans[-1].words

    @property
    def zone(self) -> ZoneInfo:
        """The zone that its days are in now."""
        return _zone(self.spans[-1].zone)


@dataclass(frozen=True, slots=True)
class Names:
    """What every hash stands for. Immutable, shared by all threads."""

    flights: Mapping[IdHash, OrderName] = field(default_factory=dict)
    creatives: Mapping[IdHash, OrderName] = field(default_factory=dict)
    slots: Mapping[IdHash, SlotName] = field(default_factory=dict)
    topics: Mapping[IdHash, Topic] = field(default_factory=dict)
    sites: Mapping[SiteId, SiteName] = field(default_factory=dict)

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> "Names":
        """Return what the fields of `{catalog}:names` say.

        Raises:
            NamesUnreadable: a field is not of this layout.
        """
        by_kind: dict[str, dict[str, NameRecord]] = {kind: {} for kind in (*Kind, SITE_FIELD)}
        for name, text in fields.items():
            kind, _, key = name.partition(":")
            if kind in by_kind:
                by_kind[kind][key] = _checked(name, decode_record(text))
        return cls(
            flights=_hashed(by_kind[Kind.FLIGHT], _order_name),
            creatives=_hashed(by_kind[Kind.CREATIVE], _order_name),
            slots=_hashed(by_kind[Kind.SLOT], lambda record: SlotName(record.id, _spans(record))),
            topics=_hashed(by_kind[Kind.TOPIC], lambda record: Topic(record.id)),
            sites=MappingProxyType(
                {SiteId(id_): SiteName(SiteId(id_), _spans(record)) for id_, record in by_kind[SITE_FIELD].items()}
            ),
        )

    def flight(self, hash_: IdHash) -> OrderName | None:
        """Return the flight that a hash stands for, or None."""
        return self.flights.get(hash_)

    def creative(self, hash_: IdHash) -> OrderName | None:
        """Return the creative that a hash stands for, or None."""
        return self.creatives.get(hash_)

    def slot(self, hash_: IdHash) -> SlotName | None:
        """Return the slot that a hash stands for, or None."""
        return self.slots.get(hash_)

    def topic(self, hash_: IdHash) -> Topic | None:
        """Return the topic that a hash stands for, or None."""
        return self.topics.get(hash_)

    def site(self, id_: SiteId) -> SiteName | None:
        """Return what is known of a site, or None."""
        return self.sites.get(id_)

    def zone_at(self, slot: IdHash, second: int) -> ZoneInfo:
        """Return the zone in which a slot's day is told at a second of Unix time; UTC for an unknown slot."""
        name = self.slots.get(slot)
        return name.zone_at(second) if name else _UTC


def load_names(redis: Redis) -> Names:
    """Read all names from Redis; once a start and after each new revision is enough.

    Raises:
        StoreUnavailable: Redis does not answer.
        NamesUnreadable: what it holds is not of this layout.
    """
    return Names.parse(load_name_fields(redis))


def load_name_fields(redis: Redis) -> dict[str, str]:
    """Read the fields of `{catalog}:names` as they are.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    try:
        fields = redis.hgetall(NAMES_KEY)
    except RedisError as error:
        raise StoreUnavailable(f"the names in Redis cannot be read: {error}") from error
    return {_text(name): _text(value) for name, value in fields.items()}


def decode_record(text: str) -> NameRecord:
    """Return what one value of the hash says.

    Raises:
        NamesUnreadable: it is not of this layout.
    """
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError as error:
        raise NamesUnreadable(f"a name in the catalog store cannot be read: {error}") from error


def _checked(field: str, record: NameRecord) -> NameRecord:
    """Return a record that has what its kind needs."""
    kind, _, key = field.partition(":")
    sized = kind == SITE_FIELD or len(_hash_of(key)) == Kind(kind).size_bytes
    if not sized or (kind != Kind.TOPIC and not record.held):
        raise NamesUnreadable(f"the name {field!r} in the catalog store is not of this layout")
    return record


def _hash_of(key: str) -> IdHash:
    try:
        return IdHash(bytes.fromhex(key))
    except ValueError as error:
        raise NamesUnreadable(f"{key!r} in the catalog store is no hash") from error


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _hashed(records: Mapping[str, NameRecord], name_of: Callable[[NameRecord], _Name]) -> Mapping[IdHash, _Name]:
    return MappingProxyType({_hash_of(key): name_of(record) for key, record in records.items()})


def _order_name(record: NameRecord) -> OrderName:
    return OrderName(record.id, tuple(Parent(at, CampaignId(one), AdvertiserId(two)) for at, one, two in record.held))


def _spans(record: NameRecord) -> tuple[Whereabouts, ...]:
    return tuple(Whereabouts(since, words, zone) for since, words, zone in record.held)


def _at(spans: tuple[_Span, ...], second: int) -> _Span:
    return next((span for span in reversed(spans) if span.since_second <= second), spans[0])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):  # a zone that this machine's time zone data no longer has
        return _UTC
