"""Every cell of every family as the records on disk want it, and as the store has it; knows nothing of batches."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final, NamedTuple, cast
from zoneinfo import ZoneInfo

import redis

from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS, VIEWABLE, Family, Metric, parse_field
from adserver.counting.records import Record, RecordKind
from adserver.domain.ids import Kind
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant

_EPOCH: Final = date(1970, 1, 1).toordinal()
_KINDS: Final = {kind.code: kind for kind in EventKind}
_REASONS: Final = {reason.code: reason for reason in InvalidReason}
_NO_FILLS: Final = {reason.code: reason for reason in NoFillReason}
_VARIANTS: Final = {variant.code: variant for variant in Variant}
_COUNTED: Final = {EventKind.SEEN: IMPRESSIONS, EventKind.VIEWABLE: VIEWABLE, EventKind.CLICK: CLICKS}
_OVER: Final = {Metric.invalid(kind, InvalidReason.OVER): metric for kind, metric in _COUNTED.items()}
"""Which of a flight's views met its goal depends on their order; counted and over together do not."""


class Cell(NamedTuple):
    """One number, by what it is of."""

    family: Family
    member: str
    time: int
    """Hours since 1970, or days of the site."""
    variant: Variant
    metric: Metric


Cells = Counter[Cell]


def cells_of(records: Iterable[Record], zone: str) -> tuple[Cells, Counter[str]]:
    """Return what the rules make of records, over counted in, and the views of each flight (in hex).

    Raises:
        AssertionError: events of one token report several lengths: then their order would matter.
    """
    cells: Cells = Counter()
    tokens: dict[tuple[bytes, int, int], Record] = {}
    came: dict[tuple[bytes, int, int], Counter[EventKind]] = defaultdict(Counter)
    for record in records:
        for metric, times in _told_alone(record):
            _add(cells, record, zone, metric, times)
        if record.kind in _KINDS and not record.reason:
            token = (record.issuer, record.shard, record.sequence)
            assert _length(tokens.setdefault(token, record)) == _length(record), f"two lengths: {record}"
            came[token][_KINDS[record.kind]] += 1
    views: Counter[str] = Counter()
    for token, times_by_kind in came.items():
        record = tokens[token]
        views[record.flight.hex()] += bool(times_by_kind[EventKind.SEEN] or times_by_kind[EventKind.VIEWABLE])
        for metric, times in _told_by_token(times_by_kind):
            _add(cells, record, zone, metric, times)
    return +cells, views


def _told_alone(record: Record) -> Iterator[tuple[Metric, int]]:
    if record.kind == RecordKind.FILL:
        yield FILLS, record.times
    elif record.kind == RecordKind.NO_FILL:
        yield Metric.no_fill(_NO_FILLS[record.reason]), record.times
    elif record.reason:
        yield Metric.invalid(_KINDS[record.kind], _REASONS[record.reason]), 1


def _told_by_token(came: Counter[EventKind]) -> Iterator[tuple[Metric, int]]:
    if came[EventKind.SEEN] or came[EventKind.VIEWABLE]:
        yield IMPRESSIONS, 1
        yield VIEWABLE, min(1, came[EventKind.VIEWABLE])
        yield CLICKS, min(1, came[EventKind.CLICK])
    else:
        yield Metric.invalid(EventKind.CLICK, InvalidReason.NO_VIEW), 1
    for kind, times in came.items():
        yield Metric.invalid(kind, InvalidReason.DUPLICATE), max(0, times - 1)


def _length(record: Record) -> Variant:
    return _VARIANTS[record.variant or record.reported]


def _add(cells: Cells, record: Record, zone: str, metric: Metric, times: int) -> None:
    hour = record.issued_second // 3600
    where = UTC if record.slot == Kind.SLOT.none else ZoneInfo(zone)  # what no token tells of is of no site
    day = datetime.fromtimestamp(record.issued_second, where).date().toordinal() - _EPOCH
    flight, slot = record.flight.hex(), record.slot.hex()
    of_creative = f"{flight}:{record.creative.hex()}:{slot}"
    length = _length(record)
    cells[Cell(Family.HOURS, of_creative, hour, length, metric)] += times
    cells[Cell(Family.PLACES, f"{of_creative}:{record.place.hex()}", day, length, metric)] += times
    cells[Cell(Family.TOPICS, f"{flight}:{slot}:{record.topic.hex()}", day, length, metric)] += times


class Stored:
    """The cells of a store as they stand, read once. Immutable by habit."""

    def __init__(self, client: redis.Redis) -> None:
        self.cells: Cells = Counter()
        """Over counted in."""
        self.net: dict[Family, Counter[str]] = {family: Counter() for family in Family}
        """Net impressions by flight."""
        self.delivered: Counter[str] = Counter()
        self.drops: Counter[str] = Counter()
        self.gaps: dict[str, dict[str, int]] = {}
        self.faults: list[str] = []
        """What is wrong whatever the records are: a number below 0, a key that no index names."""
        for raw in client.scan_iter(match="{s*}:*", count=1000):
            self._read(client, bytes(raw).decode())

    def _read(self, client: redis.Redis, key: str) -> None:
        tag, _, rest = key.partition(":")
        name = rest.partition(":")[0]
        if name == "drops":
            self.drops.update(_numbers(client, key))
        elif name == "gap":
            self.gaps[key] = _numbers(client, key)
        elif name == "delivered":
            self.delivered.update(_numbers(client, key))
        elif name in list(Family):
            self._read_cells(client, tag, Family(name), rest)

    def _read_cells(self, client: redis.Redis, tag: str, family: Family, rest: str) -> None:
        member, _, block = rest.partition(":")[2].rpartition(":")
        if not client.sismember(f"{tag}:index:{family}:{block}", member):
            self.faults.append(f"{tag}:{rest} is in no index")
        for raw, number in _numbers(client, f"{tag}:{rest}").items():
            field = parse_field(raw.encode("latin-1"))
            if number < 0:
                self.faults.append(f"{tag}:{rest} {field} is {number}")
            metric = _OVER.get(field.metric, field.metric)
            time = int(block) * family.block_size + field.offset
            self.cells[Cell(family, member, time, field.variant, metric)] += number
            if field.metric == IMPRESSIONS:
                self.net[family][member.partition(":")[0]] += number


def _numbers(client: redis.Redis, key: str) -> dict[str, int]:
    """Return a hash of numbers; its fields' bytes as Latin-1."""
    stored = cast("dict[bytes, bytes]", client.hgetall(key))
    return {field.decode("latin-1"): int(number) for field, number in stored.items()}


def differences(stored: Stored, records: Iterable[Record], zone: str, goals: Mapping[str, int]) -> list[str]:
    """Return all that is wrong with a store whose spools hold these records; `goals` are by flight, in hex."""
    want, views = cells_of(records, zone)
    have = +stored.cells
    wrong = list(stored.faults)
    wrong += [f"{cell}: {have[cell]}, want {want[cell]}" for cell in have | want if have[cell] != want[cell]]
    for flight, count in views.items():
        net = min(count, goals.get(flight, count))
        found = {"delivered": stored.delivered[flight]} | {family: stored.net[family][flight] for family in Family}
        wrong += [f"net of {flight} by {name}: {one}, want {net}" for name, one in found.items() if one != net]
    return wrong
