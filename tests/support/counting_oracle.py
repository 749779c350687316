"""What the counts must come to, in plain Python over the set of events; it knows nothing of batches or of order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS, VIEWABLE, Family, Metric, parse_field
from adserver.counting.records import Record, RecordKind
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.variants import Variant
from adserver.keeping.batches import Goal

Cells = Counter[tuple[IdHash, int, Variant, Metric]]
"""(flight, hour or day since 1970, length, metric) -> count."""

Hashes = Mapping[str, Mapping[bytes, int]]
"""The hashes of cells as they stand in the store, by key."""

OVER = {
    Metric.invalid(EventKind.SEEN, InvalidReason.OVER): IMPRESSIONS,
    Metric.invalid(EventKind.VIEWABLE, InvalidReason.OVER): VIEWABLE,
    Metric.invalid(EventKind.CLICK, InvalidReason.OVER): CLICKS,
}
"""Which of a flight's views met its goal depends on their order; counted and over together do not."""

_VARIANTS = {variant.code: variant for variant in Variant}
_KINDS = {kind.code: kind for kind in EventKind}
_REASONS = {reason.code: reason for reason in InvalidReason}


def expected(records: Iterable[Record]) -> tuple[Cells, Counter[IdHash]]:
    """Count events by the rules in words; return the cells by hour (over counted in) and the views of each flight.

    Events of one token must report one length.
    """
    cells: Cells = Counter()
    came: dict[tuple[bytes, int, int], Counter[EventKind]] = defaultdict(Counter)
    tokens: dict[tuple[bytes, int, int], Record] = {}
    for record in records:
        cell = (record.flight, record.issued_second // 3600, _VARIANTS[record.variant or record.reported])
        if record.kind == RecordKind.FILL:
            cells[(*cell, FILLS)] += record.times
        elif record.reason:
            cells[(*cell, Metric.invalid(_KINDS[record.kind], _REASONS[record.reason]))] += 1
        else:
            token = (record.issuer, record.shard, record.sequence)
            came[token][_KINDS[record.kind]] += 1
            tokens[token] = record
    views: Counter[IdHash] = Counter()
    for token, times in came.items():
        record = tokens[token]
        cell = (record.flight, record.issued_second // 3600, _VARIANTS[record.variant or record.reported])
        for metric in _token_counts(times):
            cells[(*cell, metric)] += 1
        for kind in EventKind:
            cells[(*cell, Metric.invalid(kind, InvalidReason.DUPLICATE))] += max(0, times[kind] - 1)
        if times[EventKind.SEEN] or times[EventKind.VIEWABLE]:
            views[record.flight] += 1
    return +cells, views


def _token_counts(times: Counter[EventKind]) -> Iterator[Metric]:
    """Yield what a token counts as by the kinds that came for it, whatever their order, goals aside."""
    if times[EventKind.SEEN] or times[EventKind.VIEWABLE]:
        yield IMPRESSIONS
        if times[EventKind.VIEWABLE]:
            yield VIEWABLE
        if times[EventKind.CLICK]:
            yield CLICKS
    elif times[EventKind.CLICK]:
        yield Metric.invalid(EventKind.CLICK, InvalidReason.NO_VIEW)


def differences(hashes: Hashes, records: Iterable[Record], goals: Mapping[IdHash, Goal]) -> list[str]:
    """Compare every cell of every family, and each flight against its goal; return what is wrong."""
    hours, views = expected(records)
    days: Cells = Counter()
    for (flight, hour, length, metric), count in hours.items():
        days[flight, hour // 24, length, metric] += count
    wrong = [
        f"{key} {field!r} is {count}" for key, fields in hashes.items() for field, count in fields.items() if count < 0
    ]
    for family in Family:
        have, net = read(hashes, family)
        want = hours if family is Family.HOURS else days
        wrong += [
            f"{family} {cell}: {have[cell]}, want {want[cell]}" for cell in have | want if have[cell] != want[cell]
        ]
        for flight, goal in goals.items():
            limit = min(goal.impressions or views[flight], views[flight])
            if net[flight] != limit:
                wrong.append(f"{family} flight {flight.hex()}: net {net[flight]}, want {limit}")
    return wrong


def read(hashes: Hashes, family: Family) -> tuple[Cells, Counter[IdHash]]:
    """Return a family's cells by flight, time and length, over counted in, and each flight's net impressions."""
    cells: Cells = Counter()
    net: Counter[IdHash] = Counter()
    for key, fields in hashes.items():
        _, name, flight_hex, *_, block = key.split(":")
        if name != family:
            continue
        flight = IdHash(bytes.fromhex(flight_hex))
        for raw, count in fields.items():
            field = parse_field(raw)
            time = int(block) * family.block_size + field.offset
            cells[flight, time, field.variant, OVER.get(field.metric, field.metric)] += count
            net[flight] += count if field.metric == IMPRESSIONS else 0
    return +cells, net
