"""What counts take in Redis, written as the keeper and its roll-up leave them: python -m bench.memory states a year."""

import argparse
import math
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import redis

from adserver.counting.cells import (
    CLICKS,
    FILLS,
    IMPRESSIONS,
    VIEWABLE,
    Family,
    Kept,
    Metric,
    Rolled,
    cell_field,
    cell_key,
    hours_member,
    index_key,
    places_member,
    reach_index_key,
    reach_key,
    reached_key,
    topics_member,
)
from adserver.counting.coarser import first_day_of, month_of
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.variants import Variant
from adserver.keeping.batches import TOKENS_PER_BLOCK
from adserver.processes.children import Progress
from adserver.processes.embedded_redis import EmbeddedRedis
from adserver.processes.redis_binary import find_redis_binary

HEAD: Final = ("", "cells", "MB", "bytes a cell")
KEPT_DAYS: Final = 35
"""After which cells move to coarser times, unless set otherwise."""
TOKEN_DAYS: Final = 7
LAST_DAY: Final = (date(2026, 12, 31) - date(1970, 1, 1)).days
"""Before the roll-up of November, so with two months of places by day: as much as there ever is."""
BLOCK_BYTES: Final = TOKENS_PER_BLOCK * 6 // 8

_MEMBERS: Final = 20_000
"""Drawn at once."""
_READERS: Final = 0.3
"""Of impressions, how many different readers saw them."""
_MIX: Final = (
    (Variant.AUTO, FILLS, 1.0),
    *(
        (variant, IMPRESSIONS, share)
        for variant, share in ((Variant.LONG, 0.46), (Variant.SHORT, 0.15), (Variant.NAME, 0.04))
    ),
    *(
        (variant, VIEWABLE, share)
        for variant, share in ((Variant.LONG, 0.28), (Variant.SHORT, 0.09), (Variant.NAME, 0.02))
    ),
    *((variant, CLICKS, share) for variant, share in ((Variant.LONG, 0.004), (Variant.SHORT, 0.001))),
    (Variant.LONG, Metric.invalid(EventKind.SEEN, InvalidReason.BOT), 0.04),
    (Variant.LONG, Metric.invalid(EventKind.SEEN, InvalidReason.DUPLICATE), 0.01),
)
"""What becomes of a decision, by length and metric."""

Rates = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Whose counts are kept. Immutable."""

    campaigns: int
    slots: int
    places: int
    topics: int
    decisions_a_day: int
    days: int

    def __str__(self) -> str:
        return (
            f"{self.campaigns} campaigns, {self.slots} slots, {self.places} places, {self.topics} topics, "
            f"{self.decisions_a_day:,} decisions a day for {self.days} days, the places' popularity by Zipf"
        )


SAMPLE: Final = Traffic(campaigns=10, slots=5, places=40, topics=8, decisions_a_day=60_000, days=100)
YEAR: Final = Traffic(campaigns=50, slots=20, places=500, topics=8, decisions_a_day=1_000_000, days=365)


@dataclass(frozen=True, slots=True)
class Part:
    """What one family takes. Immutable."""

    name: str
    cells: int
    """0 for what is no cell."""
    taken: int
    """Bytes of the server's memory."""


@dataclass(frozen=True, slots=True)
class Held:
    """What all of it takes. Immutable."""

    parts: tuple[Part, ...]

    @property
    def taken(self) -> int:
        """Bytes of the server's memory."""
        return sum(part.taken for part in self.parts)

    @property
    def bytes_a_cell(self) -> float:
        """Of all families of cells."""
        cells = [part for part in self.parts if part.cells]
        return sum(part.taken for part in cells) / sum(part.cells for part in cells)


def rows(held: Held) -> list[tuple[str, ...]]:
    """Return a table's rows: `HEAD` says of what."""
    found = [
        (
            part.name,
            f"{part.cells:,}" if part.cells else "",
            f"{part.taken / 1e6:,.1f}",
            f"{part.taken / part.cells:.1f}" if part.cells else "",
        )
        for part in held.parts
    ]
    cells = sum(part.cells for part in held.parts)
    return [*found, ("all", f"{cells:,}", f"{held.taken / 1e6:,.1f}", f"{held.bytes_a_cell:.1f}")]


def measure(traffic: Traffic) -> Held:
    """Write what is kept of such traffic into a server of its own, and return what that takes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _server(Path(folder)) as client:
        return _Writer(client, traffic).write()


class _Writer:
    """Writes one family after the other. One thread, one use."""

    def __init__(self, client: redis.Redis, traffic: Traffic) -> None:
        self._client = client
        self._traffic = traffic
        self._chance = np.random.default_rng(6)
        self._flights = [id_hash(Kind.FLIGHT, f"flight-{number}") for number in range(traffic.campaigns)]
        self._creatives = [id_hash(Kind.CREATIVE, f"creative-{number}") for number in range(traffic.campaigns)]
        self._slots = _hashes(Kind.SLOT, traffic.slots)
        self._places = _hashes(Kind.PLACE, traffic.places)
        self._topics = _hashes(Kind.TOPIC, traffic.topics)
        self._orders = np.full(traffic.campaigns, traffic.decisions_a_day / traffic.campaigns)
        """Decisions a day of each campaign."""
        self._slot_shares = _shares(traffic.slots, 0.5)

    def write(self) -> Held:
        """Write all of it."""
        end, begin = LAST_DAY + 1, LAST_DAY + 1 - self._traffic.days
        old = max(begin, end - KEPT_DAYS)
        old_places = max(begin, first_day_of(month_of(old)))
        orders = list(zip(self._flights, self._creatives, strict=True))
        hours = [hours_member(flight, creative, slot) for flight, creative in orders for slot in self._slots]
        places = [
            places_member(flight, creative, slot, place)
            for flight, creative in orders
            for slot in self._slots
            for place in self._places
        ]
        topics = [
            topics_member(flight, slot, topic)
            for flight in self._flights
            for slot in self._slots
            for topic in self._topics
        ]
        by_slot = _product(self._orders, self._slot_shares)
        by_place = _product(by_slot, _shares(self._traffic.places, 1.0))
        by_topic = _product(by_slot, _shares(self._traffic.topics, 0.5))
        month_days = 365 / 12
        return Held(
            (
                self._part(Family.HOURS, hours, by_slot / 24, range(old * 24, end * 24)),
                self._part(Rolled.DAYS, hours, by_slot, range(begin, old)),
                self._part(Family.PLACES, places, by_place, range(old_places, end)),
                self._part(Rolled.MONTHS, places, by_place * month_days, range(month_of(begin), month_of(old_places))),
                self._part(Family.TOPICS, topics, by_topic, range(begin, end)),
                self._tokens(),
                self._reach(range(begin, end), old),
            )
        )

    def _part(self, kept: Kept, members: Sequence[str], rates: Rates, times: range) -> Part:
        """Write a family's cells of some times; `rates` are decisions of each member in one of them."""
        before, cells = self._used(), 0
        size = kept.block_size
        for block in range(times.start // size, (times.stop - 1) // size + 1) if times else ():
            offsets = [at for at in range(size) if block * size + at in times]
            fields = [cell_field(at, variant, metric) for at in offsets for variant, metric, _ in _MIX]
            for first in range(0, len(members), _MEMBERS):
                some = members[first : first + _MEMBERS]
                means = rates[first : first + _MEMBERS, None, None] * np.array([share for *_, share in _MIX])
                drawn = self._chance.poisson(np.repeat(means, len(offsets), axis=1)).reshape(len(some), len(fields))
                cells += self._block(kept, block, some, fields, drawn)
        return Part(kept.value, cells, self._used() - before)

    def _block(
        self, kept: Kept, block: int, members: Sequence[str], fields: Sequence[bytes], drawn: npt.NDArray[np.int64]
    ) -> int:
        written = 0
        for first in range(0, len(members), 500):
            listed = []
            with self._client.pipeline(transaction=False) as pipeline:
                for member, counts in zip(members[first : first + 500], drawn[first : first + 500], strict=True):
                    there = np.flatnonzero(counts)
                    if not len(there):
                        continue
                    pairs = [part for at in there.tolist() for part in (fields[at], int(counts[at]))]
                    pipeline.hset(cell_key(0, kept, member, block), items=pairs)
                    listed.append(member)
                    written += len(there)
                if listed:
                    pipeline.sadd(index_key(0, kept, block), *listed)
                pipeline.execute()
        return written

    def _tokens(self) -> Part:
        before = self._used()
        for number in range(math.ceil(self._traffic.decisions_a_day * TOKEN_DAYS / TOKENS_PER_BLOCK)):
            self._client.setrange(f"{{s0}}:tok:{0:012x}:{number}", 0, self._chance.bytes(BLOCK_BYTES))
        return Part("bits of tokens, 7 days", 0, self._used() - before)

    def _reach(self, days: range, old: int) -> Part:
        """Write sketches of the days that are kept, and what is left of the others."""
        before = self._used()
        readers = max(1, int(self._traffic.decisions_a_day * 0.65 * _READERS / self._traffic.campaigns))
        for day in days:
            if day < old:
                left = [part for each in self._flights for part in (each.hex(), readers + self._chance.integers(100))]
                self._client.hset(reached_key(0, day), items=[str(part) for part in left])
                continue
            for flight in self._flights:
                for part in range(0, readers, 1_000):
                    self._client.pfadd(
                        reach_key(0, day, flight), *(self._chance.bytes(4) for _ in range(min(1_000, readers - part)))
                    )
                self._client.sadd(reach_index_key(0, day), flight.hex())
        return Part("readers of each day", 0, self._used() - before)

    def _used(self) -> int:
        return int(cast("dict[str, int]", self._client.info("memory"))["used_memory"])


def _hashes(kind: Kind, count: int) -> list[IdHash]:
    return [id_hash(kind, f"{kind.name}-{number}") for number in range(count)]


def _shares(count: int, steepness: float) -> Rates:
    """Return parts of 1, by rank."""
    weights = np.arange(1, count + 1, dtype=np.float64) ** -steepness
    shares: Rates = weights / weights.sum()
    return shares


def _product(rates: Rates, shares: Rates) -> Rates:
    return np.outer(rates, shares).reshape(-1)


@contextmanager
def _server(folder: Path) -> Iterator[redis.Redis]:
    """Run a server as the service does, without its append-only file: it would be written for long."""
    server = EmbeddedRedis.of(folder)
    server.prepare()
    spec = server.spec(find_redis_binary())
    process = subprocess.Popen(spec.argv, env=spec.env)
    try:
        while server.progress() is not Progress.READY:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}")
            time.sleep(0.02)  # another process starts, and tells nobody when it listens
        with redis.Redis.from_url(server.url) as client:
            client.config_set("appendonly", "no")
            yield client
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """State a year, or as the command line says."""
    parser = argparse.ArgumentParser(prog="make bench-year", description=__doc__)
    for name in ("campaigns", "slots", "places", "topics", "decisions_a_day", "days"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(YEAR, name))
    traffic = Traffic(**vars(parser.parse_args()))
    print(f"{traffic}, until {date(1970, 1, 1) + timedelta(days=LAST_DAY)}", flush=True)
    began = time.monotonic()
    held = measure(traffic)
    table = [HEAD, *rows(held)]
    for row in table:
        print(f"{row[0]:24}" + "".join(cell.rjust(16) for cell in row[1:]))
    print(f"{held.taken / 1e9:.2f} GB in all; took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
