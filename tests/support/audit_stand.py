"""Hosts with real spools that count into a real Redis, for tests of what is done with records afterwards."""

import random
import time
from collections.abc import Iterable
from pathlib import Path

import redis

from adserver.counting.cells import SHARDS_KEY
from adserver.counting.records import DecisionKey, Record, decision_record, encode, event_record
from adserver.counting.spool import SpoolWriter
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.audit import Auditor
from adserver.keeping.audit_findings import Audit
from adserver.keeping.batches import Goal
from adserver.keeping.counter import SpoolCounter
from adserver.keeping.redis_cells import RedisCells
from adserver.keeping.redis_counts import DEDUPE_WINDOW_SECONDS, RedisCountStore
from adserver.keeping.sources import SPOOLS_NAME, find_records

SHARDS = 2
DAY = 86_400
FLIGHTS = tuple(id_hash(Kind.FLIGHT, f"flight-{number}") for number in range(4))
GOALS = {FLIGHTS[0]: Goal(1, 5), FLIGHTS[1]: Goal(1, 12)}
REASONS = (None, None, None, None, InvalidReason.EXPIRED, InvalidReason.PREFETCH)


def site_day(_slot: IdHash, second: int) -> int:
    """Tell days as Chicago does in winter."""
    return (second - 6 * 3600) // DAY


class AuditStand:
    """One host: a data folder, its workers' spools and a keeper's counter."""

    def __init__(
        self, client: redis.Redis, folder: Path, now: int, rng: random.Random, segment_bytes: int = 640
    ) -> None:
        self.client = client
        self.folder = folder
        self.now = now
        self.rng = rng
        self.late_before = int(time.time()) - DEDUPE_WINDOW_SECONDS
        self.store = RedisCountStore(client)
        client.set(SHARDS_KEY, SHARDS)
        folder.mkdir(exist_ok=True)
        self.writers = [SpoolWriter.open_in(folder / SPOOLS_NAME, segment_bytes=640) for _ in range(2)]
        self.counter = SpoolCounter(folder / SPOOLS_NAME, self.store, SHARDS, batch_bytes=256)
        self.written: list[Record] = []

    def token(self, number: int) -> Token:
        """Return one of the readers' tokens: of two days, four flights, both shards."""
        return Token(
            issuer=b"issuer",
            shard=number % SHARDS,
            sequence=number * 700,
            issued_second=self.now - number % 5 * 20_000,
            flight=FLIGHTS[number % len(FLIGHTS)],
            creative=id_hash(Kind.CREATIVE, "creative"),
            slot=id_hash(Kind.SLOT, "slot"),
            place=Kind.PLACE.unknown,
            topic=Kind.TOPIC.none,
            variant=Variant.AUTO if number % 3 else Variant.SHORT,
        )

    def record(self) -> Record:
        """Return a decision or an event of some token."""
        token = self.token(self.rng.randrange(60))
        if self.rng.random() < 0.1:
            return decision_record(DecisionKey.of(token), self.rng.randint(1, 9), self.now)
        if self.rng.random() < 0.05:
            key = DecisionKey(
                *(0, token.issued_second // 900, Kind.FLIGHT.none, Kind.CREATIVE.none, token.slot),
                *(token.place, token.topic, Variant.AUTO, NoFillReason.PLACE),
            )
            return decision_record(key, self.rng.randint(1, 9), self.now)
        reported = self.rng.choice((Variant.NAME, Variant.LONG)) if token.sequence % 4 else Variant.LONG
        kind = self.rng.choice(list(EventKind))
        return event_record(token, kind, self.rng.choice(REASONS), reported, self.now)

    def write(self, records: Iterable[Record]) -> None:
        """Append records, each by one of the workers."""
        for record in records:
            assert self.rng.choice(self.writers).append(encode(record)) == 1
            self.written.append(record)

    def write_some(self, count: int) -> None:
        """Append records of many kinds."""
        self.write(self.record() for _ in range(count))

    def count(self) -> None:
        """Bring all that is written into the counts."""
        self.counter.sync()
        self.counter.recall()
        self.counter.apply(site_day, GOALS, lambda: False)

    def audit(self, *folders: Path, most_records: int = 1_000_000) -> Audit:
        """Audit this host's folder and others."""
        return self.auditor(*folders, most_records=most_records).run()

    def auditor(self, *folders: Path, most_records: int = 1_000_000) -> Auditor:
        """Return what audits this host's folder and others."""
        all_folders = (self.folder, *folders)
        return Auditor(
            lambda: find_records(all_folders),
            RedisCells(self.client),
            site_day,
            self.now // DAY,
            most_records=most_records,
            late_before=self.late_before,
        )

    def close(self) -> None:
        """Let go of the files."""
        self.counter.close()
        for writer in self.writers:
            writer.close()
