"""Views and clicks of made-up readers, written into a spool as a worker writes them, for the keeper to count."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

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

PIECE_BYTES: Final = 1024 * RECORD_BYTES
PATIENCE_SECONDS: Final = 120.0
_ISSUER_BYTES: Final = 6
_POLL_SECONDS: Final = 0.02
_KINDS: Final = (EventKind.SEEN,) * 3 + (EventKind.VIEWABLE,) * 2
_CLICKS: Final = 0.01


def question(path: str, gazetteer: Gazetteer) -> SlotRequest:
    """Return what one of `bench.world.paths` asks."""
    parts = urlsplit(path)
    query = parse_qs(parts.query)
    slot = parts.path.rpartition("/")[2].removesuffix(".html")
    place = gazetteer.resolve(query["location"][0])
    return SlotRequest(SlotId(slot), place, tuple(map(Topic, query.get("topic", []))))


class Readers:
    """Makes events of what a catalog would show. One thread."""

    def __init__(self, data_dir: Path, gazetteer: Gazetteer, asked: int = 2_000) -> None:
        """Take the data folder whose live catalog is shown, and how many page views are different."""
        compiled = read_compiled(data_dir / COMPILED_NAME)
        self._snapshot = Snapshot.build(compiled.catalog, compiled.revision)
        self._chance = Random(4)
        now = datetime.now(UTC)
        decisions = [
            decide(question(path, gazetteer), self._snapshot, {}, now, self._chance) for path in paths(asked, Random(2))
        ]
        self._tokens = [self._token(each) for each in decisions if isinstance(each, Fill)]
        self._popularity = [1 / (rank + 1) for rank in range(len(self._tokens))]

    def events(self, count: int) -> bytes:
        """Return so many records: three views to two of them seen for a second, one click in a hundred."""
        second, issuer = int(time.time()), os.urandom(_ISSUER_BYTES)
        records = []
        shown = self._chance.choices(self._tokens, self._popularity, k=count)
        for number in range(count):
            kind = EventKind.CLICK if self._chance.random() < _CLICKS else _KINDS[number % len(_KINDS)]
            # Some tokens have several events, as in real life: a view, then that it was viewable, perhaps a click.
            issued = shown[number * 3 // 5]
            token = issued._replace(issuer=issuer, sequence=number * 3 // 5, issued_second=second)
            records.append(encode(event_record(token, kind, None, Variant.LONG, second)))
        return b"".join(records)

    def _token(self, fill: Fill) -> Token:
        hashes, place, topics = self._snapshot.hashes, fill.request.place, fill.request.topics
        return Token(
            issuer=b"",
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

    def write(self, records: bytes) -> None:
        """Write records, in pieces.

        Raises:
            OSError: the disk is full.
        """
        for start in range(0, len(records), PIECE_BYTES):
            piece = records[start : start + PIECE_BYTES]
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
