"""Views and clicks of made-up readers, written into a spool as a worker writes them, for the keeper to count."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

import numpy as np
import numpy.typing as npt
import redis

from adserver.catalog.compiled import read_compiled
from adserver.catalog.file_names import COMPILED_NAME
from adserver.counting.records import RECORD_BYTES, encode, event_record
from adserver.counting.spool import SpoolWriter
from adserver.decision.decide import decide
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.ids import Kind, SlotId, Topic, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.redis_counts import RedisCountStore
from adserver.places.gazetteer import Gazetteer
from adserver.processes.embedded_redis import EmbeddedRedis
from bench.world import paths

PIECE_RECORDS: Final = 65_536
PATIENCE_SECONDS: Final = 300.0
_ISSUER_BYTES: Final = 6
_POLL_SECONDS: Final = 0.02
_KINDS: Final = (EventKind.SEEN,) * 3 + (EventKind.VIEWABLE,) * 2
_CLICKS: Final = 0.01
_SPREAD_SECONDS: Final = 3600
"""The tokens of a backlog were issued within so long: their cells are of two hours."""

Rows = npt.NDArray[np.uint8]
"""Records as (records, 64) bytes."""
Numbers = npt.NDArray[np.int64]


def question(path: str, gazetteer: Gazetteer) -> SlotRequest:
    """Return what one of `bench.world.paths` asks."""
    parts = urlsplit(path)
    query = parse_qs(parts.query)
    slot = parts.path.rpartition("/")[2].removesuffix(".html")
    place = gazetteer.resolve(query["location"][0])
    return SlotRequest(SlotId(slot), place, tuple(map(Topic, query.get("topic", []))))


class Readers:
    """Makes events of what a catalog would show. One thread."""

    def __init__(self, shown: Sequence[Token]) -> None:
        """Take tokens of what is shown, the most popular first; who, when and how often is made up."""
        records = [encode(event_record(token, kind, None, Variant.LONG, 0)) for token in shown for kind in EventKind]
        self._records = np.frombuffer(b"".join(records), np.uint8).reshape(len(shown), len(EventKind), RECORD_BYTES)
        popularity = 1 / np.arange(1, len(shown) + 1)
        self._popularity = popularity / popularity.sum()
        self._chance = np.random.default_rng(4)

    @classmethod
    def of(cls, data_dir: Path, gazetteer: Gazetteer, asked: int = 2_000) -> Self:
        """Take the data folder whose live catalog is shown, and how many page views are different."""
        compiled = read_compiled(data_dir / COMPILED_NAME)
        snapshot = Snapshot.build(compiled.catalog, compiled.revision)
        now, chance = datetime.now(UTC), Random(4)
        decisions = [decide(question(path, gazetteer), snapshot, {}, now, chance) for path in paths(asked, Random(2))]
        return cls([token_of(each, snapshot) for each in decisions if isinstance(each, Fill)])

    def events(self, count: int) -> list[bytes]:
        """Return so many records, in pieces: three views to two of them seen for a second, one click in a hundred.

        Some tokens have several events, as in real life: a view, then that it was viewable, perhaps a click. Each view
        is of another reader, and says so.
        """
        now, issuer = int(time.time()), np.frombuffer(os.urandom(_ISSUER_BYTES), np.uint8)
        tokens = count * 3 // 5 + 1
        shown = self._chance.choice(len(self._records), tokens, p=self._popularity)
        readers = self._chance.integers(1, 2**32, tokens)
        return [
            self._piece(np.arange(first, min(first + PIECE_RECORDS, count)), shown, readers, now, issuer).tobytes()
            for first in range(0, count, PIECE_RECORDS)
        ]

    def _piece(self, numbers: Numbers, shown: Numbers, readers: Numbers, now: int, issuer: Rows) -> Rows:
        kinds = np.array([kind.code for kind in _KINDS])[numbers % len(_KINDS)]
        kinds[self._chance.random(len(numbers)) < _CLICKS] = EventKind.CLICK.code
        tokens = numbers * 3 // 5
        rows: Rows = self._records[shown[tokens], kinds]
        rows[:, 4:10] = issuer
        _write(rows, 11, tokens)
        _write(rows, 15, now - _SPREAD_SECONDS + tokens * _SPREAD_SECONDS // len(shown))
        _write(rows, 46, np.full(len(rows), now))
        _write(rows, 54, readers[tokens])
        _write(rows, 60, _checksums(rows[:, :60]))
        return rows


def token_of(fill: Fill, snapshot: Snapshot) -> Token:
    """Return the token of a fill but for its issuer, number and second."""
    hashes, place, topics = snapshot.hashes, fill.request.place, fill.request.topics
    return Token(
        issuer=bytes(_ISSUER_BYTES),
        shard=0,
        sequence=0,
        issued_second=0,
        flight=hashes.flights[fill.flight.id],
        creative=hashes.creatives[fill.creative.id],
        slot=hashes.slots[fill.slot.id],
        place=id_hash(Kind.PLACE, place.id) if place is not None else Kind.PLACE.unknown,
        topic=hashes.topics.get(topics[0], Kind.TOPIC.unknown) if topics else Kind.TOPIC.none,
        variant=Variant.AUTO,
    )


class Backlog:
    """A spool beside those of the workers, and how far it is counted. One thread."""

    def __init__(self, writer: SpoolWriter, client: redis.Redis) -> None:
        self._writer = writer
        self._counts = RedisCountStore(client)

    @classmethod
    @contextmanager
    def of(cls, data_dir: Path) -> Iterator[Self]:
        """Take a spool of a running service."""
        writer = SpoolWriter.open_in(data_dir / "spools")
        client = redis.Redis.from_url(EmbeddedRedis.of(data_dir).url)
        try:
            yield cls(writer, client)
        finally:
            client.close()
            writer.close()

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write pieces of records.

        Raises:
            OSError: the disk is full.
        """
        for piece in pieces:
            if self._writer.append(piece) * RECORD_BYTES != len(piece):
                raise OSError("the spool did not take all events")

    @property
    def is_counted(self) -> bool:
        """Whether all that was written is in the counts."""
        return self._counts.applied(0).get(self._writer.spool_id, 0) >= self._writer.offset

    def await_counted(self) -> None:
        """Return once all is counted.

        Raises:
            TimeoutError: it takes far too long.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.is_counted:
            if time.monotonic() > deadline:
                raise TimeoutError("the keeper does not get on with the backlog")
            time.sleep(_POLL_SECONDS)  # the keeper tells nobody when it is done


def _write(rows: Rows, at: int, numbers: Numbers | npt.NDArray[np.uint32]) -> None:
    """Write a number of four bytes into each row."""
    rows[:, at : at + 4] = numbers.astype(">u4").view(np.uint8).reshape(-1, 4)


def _checksums(bodies: Rows) -> npt.NDArray[np.uint32]:
    """Return the CRC-32 of each row."""
    sums = np.full(len(bodies), 0xFFFFFFFF, np.uint32)
    for column in bodies.T:
        sums = _CRC_TABLE[(sums ^ column) & 255] ^ sums >> 8
    return ~sums


def _crc_table() -> npt.NDArray[np.uint32]:
    sums = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        sums = np.where(sums & 1, np.uint32(0xEDB88320), np.uint32(0)) ^ sums >> 1
    return sums


_CRC_TABLE: Final = _crc_table()
