"""A data folder whose keeper can crash, or whose disk can refuse, at any step that puts segments away."""

import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from adserver.counting.records import RECORD_BYTES, encode, event_record
from adserver.counting.spool import SpoolWriter, segment_starts
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.archive import ARCHIVE_NAME, archives_in
from adserver.keeping.counter import SpoolCounter
from adserver.keeping.counts import MemoryCountStore
from adserver.keeping.disk import Disk
from adserver.keeping.retention import (
    Retention,
    RetentionRules,
)
from adserver.keeping.sources import find_records

NOW = 1_795_500_000
HOUR = 3600
SHARDS = 2
FLIGHTS = (id_hash(Kind.FLIGHT, "one"), id_hash(Kind.FLIGHT, "two"))


class Crash(BaseException):
    """The process ends here."""


class FailingDisk(Disk):
    """Fails at its n-th step: before it is done, as a kill or a refusing disk would."""

    def __init__(self, fail: Callable[[int, str], None]) -> None:
        self._fail = fail
        self.steps: list[str] = []

    def sync(self, file: BinaryIO) -> None:
        self._step("sync")
        super().sync(file)

    def rename(self, old: Path, new: Path) -> None:
        self._step("rename")
        super().rename(old, new)

    def make_empty(self, path: Path) -> None:
        self._step("make_empty")
        super().make_empty(path)

    def unlink(self, path: Path) -> None:
        self._step("unlink")
        super().unlink(path)

    def remove_folder(self, path: Path) -> None:
        self._step("remove_folder")
        super().remove_folder(path)

    def sync_folder(self, path: Path) -> None:
        self._step("sync_folder")
        super().sync_folder(path)

    def _step(self, name: str) -> None:
        self._fail(len(self.steps), name)
        self.steps.append(name)


class Ends:
    """The shards' memory of ended spools; checks that nothing of the spool is there any more."""

    def __init__(self, store: MemoryCountStore, spools: Path, disk: FailingDisk) -> None:
        self._store = store
        self._spools = spools
        self._disk = disk
        self.away = False
        self.ended: dict[str, int] = {}

    def end(self, spool_id: str, end: int) -> None:
        self._disk._step("end")
        if self.away:
            raise StoreUnavailable("away")
        assert not [path for path in self._spools.rglob("*") if path.is_file() and spool_id in str(path)]
        self.ended[spool_id] = end
        for key in [key for key in self._store.offsets if key[1] == spool_id]:
            del self._store.offsets[key]


class Host:
    """A data folder whose keeper may crash and start anew."""

    def __init__(
        self, folder: Path, fail: Callable[[int, str], None] = lambda _number, _name: None, archive_days: int = 0
    ) -> None:
        self.folder = folder
        self.archive_days = archive_days
        self.spools = folder / "spools"
        self.store = MemoryCountStore(7 * 86_400, lambda: NOW)
        self.disk = FailingDisk(fail)
        self.ends = Ends(self.store, self.spools, self.disk)
        self.now = float(NOW)
        self.written: Counter[bytes] = Counter()
        self.numbers = iter(range(1_000_000))
        self.start_keeper()

    def start_keeper(self) -> None:
        self.counter = SpoolCounter(self.spools, self.store, SHARDS)
        rules = RetentionRules(24 * HOUR, self.archive_days)
        self.retention = Retention(self.folder, self.spools, self.counter, self.ends, rules, self.disk)

    def crash(self) -> None:
        """End the keeper as the kernel does, its files closed and nothing tidied up, and start another."""
        job = self.retention._job
        if job is not None:
            with suppress(OSError):
                job.writer._file.close()
            if job.lock is not None:
                os.close(job.lock)
        self.counter.close()
        self.start_keeper()

    def write(self, writer: SpoolWriter, count: int) -> None:
        for number in (next(self.numbers) for _ in range(count)):
            token = Token(
                issuer=b"issuer",
                shard=number % SHARDS,
                sequence=number,
                issued_second=NOW,
                flight=FLIGHTS[number % SHARDS],
                creative=id_hash(Kind.CREATIVE, "elevate"),
                slot=id_hash(Kind.SLOT, "masthead"),
                place=Kind.PLACE.unknown,
                topic=Kind.TOPIC.none,
                variant=Variant.AUTO,
            )
            record = encode(event_record(token, EventKind.SEEN, None, Variant.SHORT, NOW))
            assert writer.append(record) == 1
            self.written[record] += 1

    def count(self) -> None:
        self.counter.sync()
        self.counter.recall()
        self.counter.apply(lambda _slot, second: second // 86_400, {}, lambda: False)

    def pass_by(self, hours: float, steps: int = 12) -> None:
        """Let the keeper do its rounds, then time go by, then again."""
        self.round(steps)
        self.now += hours * HOUR
        self.round(steps)

    def round(self, steps: int = 12) -> None:
        for _ in range(steps):
            self.count()
            self.retention.step(self.now)
            self.now += 11

    def recorded(self) -> Counter[bytes]:
        """All records that archive and spools hold, each byte of a spool once."""
        sources = find_records([self.folder]).sources
        data = b"".join(data for source in sources for _, data in source.chunks())
        return Counter(data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES))

    def net(self) -> int:
        return sum(self.store.net.values())


def archived(host: Host) -> int:
    return len(archives_in(host.folder / ARCHIVE_NAME))


def segments(host: Host) -> dict[str, int]:
    return {folder.name: len(segment_starts(folder)) for folder in sorted(host.spools.iterdir())}
