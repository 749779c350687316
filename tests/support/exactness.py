"""Compares what readers were answered, what stands in the spools, and what is counted; says what is wrong."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cells_oracle import Stored, differences
from readers import NO_TOKEN, Ledger
from service import Service

from adserver.counting.records import RECORD_BYTES, Corrupt, Record, RecordKind, decode
from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import TokenCodec
from adserver.keeping.archive import ARCHIVE_NAME, Archive, archives_in

_KINDS: Final = {kind.code: kind for kind in EventKind}
_DIMENSIONS: Final = ("issued_second", "flight", "creative", "slot", "place", "topic")


@dataclass(frozen=True, slots=True)
class SpoolRecords:
    """What the spools of a data folder hold. Immutable."""

    records: tuple[Record, ...]
    ends: Mapping[str, int]
    """spool -> the offset at which it ends, in whole records."""
    dropped: int
    """Events that the spools' headers declare as not written."""


def read_spools(spools: Path, until: Mapping[str, int] | None = None) -> SpoolRecords:
    """Read every record of every spool, or only those before an offset of each.

    Raises:
        AssertionError: something there is no record.
    """
    records: list[Record] = []
    ends: dict[str, int] = {}
    for header in sorted(spools.glob("*/header")):
        spool = header.read_bytes()[8:16].hex()
        for segment in sorted(header.parent.glob("*.spool")):
            data = segment.read_bytes()
            data = data[: len(data) - len(data) % RECORD_BYTES]  # a torn one was never answered
            if until is not None:
                data = data[: max(0, until.get(spool, 0) - int(segment.stem))]
            ends[spool] = int(segment.stem) + len(data)
            for record in decode(data):
                assert not isinstance(record, Corrupt), f"{segment} holds what is no record"
                records.append(record)
    return SpoolRecords(tuple(records), ends, declared_drops(spools))


def declared_drops(spools: Path) -> int:
    """Return how many events the headers of all spools declare as not written."""
    return sum(int.from_bytes(header.read_bytes()[16:24], "big") for header in spools.glob("*/header"))


def read_archive(data_dir: Path) -> tuple[Record, ...]:
    """Read every record of a data folder's archive.

    Raises:
        AssertionError: something there is no record.
    """
    records: list[Record] = []
    for path in archives_in(data_dir / ARCHIVE_NAME):
        for data in Archive.open(path).chunks():
            for record in decode(data):
                assert not isinstance(record, Corrupt), f"{path} holds what is no record"
                records.append(record)
    return tuple(records)


def ledger_faults(ledger: Ledger, spooled: SpoolRecords, keys: tuple[bytes, ...]) -> list[str]:
    """Return what of the readers' side is not in the spools as it must be.

    Each event that was answered has its record, or a declared drop; none has more records than it was sent times; each
    record tells what its token says; no more decisions are recorded than were asked for.
    """
    codec = TokenCodec(keys)
    tokens = {text: codec.decode(text) for text in {text for text, _ in ledger.sent} if text != NO_TOKEN}
    by_number = {(token.issuer, token.shard, token.sequence): text for text, token in tokens.items()}
    wrong: list[str] = []
    written: Counter[tuple[str, EventKind]] = Counter()
    decided = 0
    for record in spooled.records:
        if record.kind not in _KINDS:
            decided += record.times
            continue
        text = by_number.get((record.issuer, record.shard, record.sequence), NO_TOKEN)
        written[text, _KINDS[record.kind]] += 1
        token = tokens.get(text)
        if token and any(getattr(token, name) != getattr(record, name) for name in _DIMENSIONS):
            wrong.append(f"a record tells otherwise than its token: {record}, {token}")
    wrong += [
        f"{event}: {count} records, sent {ledger.sent[event]}" for event, count in (written - ledger.sent).items()
    ]
    missing = (ledger.answered - written).total()
    if missing > spooled.dropped:
        wrong.append(f"{missing} events were answered and are not there, declared as dropped are {spooled.dropped}")
    if decided > ledger.asked:
        wrong.append(f"{decided} decisions recorded, {ledger.asked} asked for")
    if bad := [status for status in ledger.statuses if status >= 400]:
        wrong.append(f"statuses {bad}")
    return wrong


@dataclass(frozen=True, slots=True)
class Balance:
    """How it came out. Immutable."""

    answered: int
    sent: int
    recorded: int
    dropped: int
    cells: int

    def __str__(self) -> str:
        return (
            f"events answered {self.answered}, sent {self.sent}, recorded {self.recorded}, declared as dropped "
            f"{self.dropped}; {self.cells} cells equal the oracle's"
        )


def check(
    stored: Stored,
    spooled: SpoolRecords,
    ledger: Ledger,
    keys: tuple[bytes, ...],
    zone: str,
    goals: Mapping[str, int],
) -> Balance:
    """Return the balance of a service at rest.

    Raises:
        AssertionError: anything is inexact.
    """
    flights = {id_hash(Kind.FLIGHT, flight).hex(): goal for flight, goal in goals.items()}
    wrong = ledger_faults(ledger, spooled, keys) + differences(stored, spooled.records, zone, flights)
    wrong += [f"gap {key}: {ranges}" for key, ranges in stored.gaps.items()]
    told = sum(count for name, count in stored.drops.items() if name.startswith("spool:"))
    if told != spooled.dropped:
        wrong.append(f"Redis was told of {told} drops, the spools declare {spooled.dropped}")
    wrong += [f"drops: {name} {stored.drops[name]}" for name in ("late", "corrupt") if stored.drops[name]]
    assert not wrong, "\n".join([f"{len(wrong)} faults", *wrong[:20]])
    events = sum(record.kind < RecordKind.FILL for record in spooled.records)
    balance = Balance(ledger.answered.total(), ledger.sent.total(), events, spooled.dropped, len(stored.cells))
    assert balance.answered <= balance.recorded + balance.dropped <= balance.sent, str(balance)
    return balance


def keys_of(service: Service) -> tuple[bytes, ...]:
    """Return the secret keys that a service made."""
    return tuple(bytes.fromhex(key) for key in (service.data_dir / "secret-keys").read_text().split())
