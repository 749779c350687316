"""One service under readers' load, its Redis behind a proxy, at the hand of a test that breaks parts of it."""

import json
import random
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import redis
from cells_oracle import Stored
from cutting_proxy import CuttingProxy, Harm
from exactness import Balance, SpoolRecords, check, declared_drops, keys_of, read_archive, read_spools
from faked_clock import FakedClock
from fault_world import GOAL, ZONE, sponsors, write_world
from own_redis import Copy, OwnRedis
from readers import Readers, Visit
from service import Service
from small_disk import own_disk

from adserver.counting.cells import FILLS, Family

_QUIET_SECONDS: Final = 0.8
"""Workers write what they decided each half second."""
_MOST_COPIES: Final = 6
_DISK: Final = "192m"
_WORKER_SECONDS: Final = 12
"""After how long gunicorn takes a worker for hung; in use it is 30."""


@dataclass
class Stage:
    """What one module's tests share. One thread; a test that fails leaves it unsound, and the next gets another."""

    folder: Path
    seed: int
    service: Service
    redis: OwnRedis
    proxy: CuttingProxy
    clock: FakedClock
    on_disk: bool
    hang_seconds: float = 7.0
    """How long a process is stopped: longer than the keeper's time-out of 5 s."""
    sound: bool = True
    changes: int = 0
    copies: list[Copy] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.readers = Readers(self.service, self.seed)

    # --- a test's course ---

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        """Be a reader on a new connection, whose events stand in the ledger too."""
        visit = Visit(self.service, self.readers, self.rng)
        try:
            yield visit
        finally:
            visit.leave()

    @contextmanager
    def load(self, answers: int = 60) -> Iterator[None]:
        """Have readers come; the body runs once `answers` events were answered, and as many must be again after it."""
        self.readers.start()
        try:
            self.readers.await_answers(answers)
            yield
            self.readers.await_answers(answers)
        finally:
            self.readers.stop()

    def take_copy(self) -> None:
        """Copy what Redis has on its disk; of many copies the newest few are kept."""
        self.copies.append(self.redis.copy())
        for old in self.copies[:-_MOST_COPIES]:
            shutil.rmtree(old.folder)
        del self.copies[:-_MOST_COPIES]

    def spooled(self, until: Mapping[str, int] | None = None) -> SpoolRecords:
        """Return what the spools hold, or held when they ended at `until`."""
        return read_spools(self.service.data_dir / "spools", until)

    def recorded(self) -> SpoolRecords:
        """Return what spools and archive hold."""
        spooled = self.spooled()
        return replace(spooled, records=(*read_archive(self.service.data_dir), *spooled.records))

    def stored(self) -> Stored:
        """Return what is counted."""
        with self.redis.client() as client:
            return Stored(client)

    def assert_exact(self) -> Balance:
        """Return the balance once all is counted that stands in the spools.

        Raises:
            AssertionError: it is not, or anything is inexact.
        """
        self.settle()
        stored = self.stored()
        keys = keys_of(self.service)
        balance = check(stored, self.recorded(), self.readers.ledger, keys, ZONE, {"bounded": GOAL})
        self._assert_statistics(stored)
        return balance

    def settle(self, seconds: float = 60) -> None:
        """Wait until the counts have all that the spools hold, drops too, and go on having it.

        Raises:
            AssertionError: they never did.
        """
        self.proxy.harm = Harm.NONE
        before: dict[str, int] = {}
        since = time.monotonic()

        def settled() -> bool:
            nonlocal before, since
            ends = self.spool_ends()
            if ends != before or not self._has_applied(ends):
                before, since = ends, time.monotonic()
            return time.monotonic() - since > _QUIET_SECONDS

        try:
            Service.await_that(settled, seconds)
        except TimeoutError:
            raise AssertionError(
                f"spools end at {before}; Redis does not follow\n{self.service.said()[-2000:]}"
            ) from None

    def publish(self) -> int:
        """Publish a revision that changes weights and words; return its number."""
        self.changes += 1
        document = sponsors(self.changes)
        status, _, body = self.service.call("/v1/campaigns", body=document, headers=self.service.admin())
        assert status == 200, body
        revision: int = json.loads(body)["revision"]
        return revision

    def spool_ends(self) -> dict[str, int]:
        """Return where each spool ends, in bytes, by its id."""
        ends: dict[str, int] = {}
        for header in (self.service.data_dir / "spools").glob("*/header"):
            last = max(header.parent.glob("*.spool"), default=None)
            if last is not None:
                size = last.stat().st_size
                ends[header.read_bytes()[8:16].hex()] = int(last.stem) + size - size % 64
        return ends

    def _has_applied(self, ends: Mapping[str, int]) -> bool:
        try:
            with self.redis.client() as client:
                shards = int(client.get("{meta}:shards") or 1)
                for shard in range(shards):
                    applied = {spool.decode(): int(at) for spool, at in client.hgetall(f"{{s{shard}}}:applied").items()}
                    applied |= {spool.decode(): int(at) for spool, at in client.hgetall(f"{{s{shard}}}:ended").items()}
                    if any(applied.get(spool, 0) < end for spool, end in ends.items()):
                        return False
                told = sum(
                    int(count) for name, count in client.hgetall("{s0}:drops").items() if name.startswith(b"spool:")
                )
                if told < declared_drops(self.service.data_dir / "spools"):
                    return False  # a Redis that fell back is told again within some seconds
        except redis.RedisError:
            return False
        return bool(ends)

    def _assert_statistics(self, stored: Stored) -> None:
        """What people are shown adds up to the cells."""
        totals = self.service.totals()
        assert totals["impressions"] == stored.net[Family.HOURS].total()
        assert totals["fills"] == sum(
            count for cell, count in stored.cells.items() if cell.family is Family.HOURS and cell.metric == FILLS
        )


@contextmanager
def running_stage(
    folder: Path,
    *arguments: str,
    seed: int = 0,
    shards: int = 0,
    faked_clock: bool = False,
    kind: type[Service] = Service,
) -> Iterator[Stage]:
    """Start Redis, the proxy before it, and the service; leave nothing of it running."""
    write_world(folder / "campaigns")
    with ExitStack() as stack:
        on_disk = stack.enter_context(own_disk(folder / "data", _DISK))
        on_disk = stack.enter_context(own_disk(folder / "redis", _DISK)) and on_disk
        own = OwnRedis(folder / "redis")
        stack.callback(own.end)
        own.start()
        if shards:
            with own.client() as client:
                client.set("{meta}:shards", shards)
        proxy = stack.enter_context(CuttingProxy(own.port))
        clock = FakedClock(folder / "clock")
        url = f"redis://127.0.0.1:{proxy.port}/0"
        gunicorn = {"GUNICORN_CMD_ARGS": f"--timeout {_WORKER_SECONDS}"}
        service = kind(folder, ADSERVER_REDIS_URL=url, **gunicorn, **(clock.environ if faked_clock else {}))
        stack.callback(service.end)
        service.start(*arguments)
        stage = Stage(folder, seed, service, own, proxy, clock, on_disk)
        stack.callback(stage.readers.stop)
        yield stage
