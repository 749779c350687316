import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adserver.catalog.names import Names, SlotName, Whereabouts
from adserver.counting.cells import Family
from adserver.counting.delivered import DELIVERED_NAME
from adserver.counting.losses import Losses
from adserver.counting.records import encode, event_record
from adserver.counting.salts import read_salts
from adserver.counting.spool import SpoolWriter
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Advertiser, Campaign, Catalog, Creative, CreativeWeight, Flight, Goal, Site, Slot
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, Kind, SiteId, SlotId, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Text, Variant, Variants
from adserver.keeping.counter import SpoolCounter
from adserver.keeping.counts import MemoryCountStore
from adserver.keeping.eviction import RedisEvicts
from adserver.keeping.keeper import Keeper, KeeperReport
from adserver.keeping.salts import Agreed, SaltKeeper

MIDNIGHT_UTC = int(datetime(2026, 11, 24, 2, 0, tzinfo=UTC).timestamp())
"""Still the 23rd in Chicago."""
SLOT = id_hash(Kind.SLOT, "masthead")
FLIGHT = id_hash(Kind.FLIGHT, "minnesota")


def snapshot(revision: int, goal: int | None) -> Snapshot:
    creative = Creative(CreativeId("elevate"), "https://qwiket.com/", Variants(Text("QWIKET", 6, 6), None, None))
    flight = Flight(
        FlightId("minnesota"), (CreativeWeight(creative.id),), goal=Goal(goal) if goal is not None else None
    )
    campaign = Campaign(
        CampaignId("season"), AdvertiserId("qwiket"), "Season", "UTC", date(2026, 1, 1), None, (creative,), (flight,)
    )
    site = Site(SiteId("america-one"), "THE AMERICA ONE NEWS", "https://americaone.example/", "America/Chicago")
    slot = Slot(SlotId("masthead"), site.id, 140)
    catalog = Catalog((site,), (slot,), (Advertiser(AdvertiserId("qwiket"), "QWIKET"),), (campaign,))
    return Snapshot.build(catalog, revision)


@dataclass
class Host:
    """A keeper on a real folder and a store in memory, whose catalog and Redis the test moves."""

    folder: Path
    live: Snapshot | None = None
    fresh: bool = False
    loads: int = 0
    catalog_fault: str = ""
    folder_shards: int | None = 1
    counts: MemoryCountStore = field(default_factory=lambda: MemoryCountStore(7 * 86_400, lambda: MIDNIGHT_UTC))

    def __post_init__(self) -> None:
        self.writer = SpoolWriter.open_in(self.folder / "spools")
        self.keeper = Keeper(
            data_dir=self.folder,
            counter=SpoolCounter(self.folder / "spools", self.counts),
            counts=self.counts,
            new_shards=1,
            catalog=_Catalog(self),
            snapshots=_Snapshots(self),
            load_names=self.load_names,
        )
        self.now = 0.0

    def publish(self, revision: int, goal: int | None = None) -> None:
        self.live, self.fresh = snapshot(revision, goal), True

    def view(self, sequence: int) -> None:
        token = Token(
            issuer=b"issuer",
            shard=0,
            sequence=sequence,
            issued_second=MIDNIGHT_UTC,
            flight=FLIGHT,
            creative=id_hash(Kind.CREATIVE, "elevate"),
            slot=SLOT,
            place=Kind.PLACE.unknown,
            topic=Kind.TOPIC.none,
            variant=Variant.AUTO,
        )
        self.writer.append(encode(event_record(token, EventKind.SEEN, None, Variant.SHORT, MIDNIGHT_UTC)))

    def step(self, seconds: float = 0.25) -> KeeperReport:
        self.now += seconds
        return self.keeper.step(self.now, datetime.now(UTC))

    def net(self) -> int:
        return self.counts.delivered(0, [FLIGHT])[FLIGHT]

    def delivered_file(self) -> dict[str, int]:
        delivered: dict[str, int] = json.loads((self.folder / DELIVERED_NAME).read_text())["delivered"]
        return delivered

    def load_names(self) -> Names:
        self.loads += 1
        return Names(slots={SLOT: SlotName("masthead", (Whereabouts(0, "america-one", "America/Chicago"),))})


@dataclass
class _Snapshots:
    host: Host

    def poll(self) -> bool:
        fresh, self.host.fresh = self.host.fresh, False
        return fresh

    def current(self) -> Snapshot | None:
        return self.host.live


class _Catalog:
    def __init__(self, host: Host) -> None:
        self.fault = host.catalog_fault
        self.shards = host.folder_shards
        self._host = host

    def step(self, now: datetime) -> int:
        assert now.tzinfo is not None
        return self._host.live.revision if self._host.live else 0


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.writer.close()


def test_what_is_in_the_spools_is_counted_in_the_sites_day(host: Host) -> None:
    host.publish(1)
    host.view(1)

    report = host.step()

    assert (report.applied_ranges, report.unapplied_bytes, report.revision) == (1, 0, 1)
    assert host.net() == 1
    day = date(2026, 11, 23).toordinal() - date(1970, 1, 1).toordinal()
    (key,) = (key for key in host.counts.cells if key.split(":")[1] == Family.PLACES)
    (cell,) = host.counts.cells[key]
    assert int(key.rpartition(":")[2]) * Family.PLACES.block_size + (cell[0] >> 2) == day


def test_what_is_delivered_of_goals_is_written_for_the_workers(host: Host) -> None:
    host.publish(1, goal=2)
    for sequence in range(3):
        host.view(sequence)
    host.step()

    assert host.net() == 2
    assert host.delivered_file() == {"minnesota": 2}


def test_a_raised_goal_holds_from_the_step_that_follows_it(host: Host) -> None:
    host.publish(1, goal=1)
    host.view(1)
    host.view(2)
    host.step()
    host.publish(2, goal=2)
    host.view(3)
    host.step()

    assert host.net() == 2
    assert host.delivered_file() == {"minnesota": 2}


def test_redis_away_is_said_once_and_all_is_counted_when_it_is_back(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    host.publish(1)

    def away(_shard: int) -> dict[str, int]:
        raise StoreUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(host.counts, "applied", away)
        for sequence in range(3):
            host.view(sequence)
            assert host.step(10).redis is False
    assert host.step().redis is True

    assert host.net() == 3
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_store_that_fell_back_is_noticed_within_five_seconds_without_new_events(host: Host) -> None:
    host.publish(1)
    host.view(1)
    host.step()
    host.counts.offsets.clear()  # as after a restart from an older copy
    host.counts.states.clear()
    host.counts.cells.clear()
    host.counts.net.clear()

    host.step(5.0)

    assert host.net() == 1


def test_names_are_read_again_only_when_there_is_another_revision(host: Host) -> None:
    host.publish(1)
    for _ in range(3):
        host.step()
    assert host.loads == 1

    host.publish(2)
    host.step()
    assert host.loads == 2


def test_a_store_that_may_forget_is_not_counted_into_until_it_is_mended(host: Host) -> None:
    evicts = True

    def check() -> None:
        if evicts:
            raise RedisEvicts("allkeys-lru")

    host.keeper = Keeper(
        data_dir=host.folder,
        counter=SpoolCounter(host.folder / "spools", host.counts),
        counts=host.counts,
        new_shards=1,
        catalog=_Catalog(host),
        snapshots=_Snapshots(host),
        load_names=host.load_names,
        check_store=check,
    )
    host.publish(1)
    host.view(1)

    report = host.step()
    assert (report.redis, report.applied_ranges, host.net()) == (False, 0, 0)
    assert "allkeys-lru" in report.refusal

    evicts = False
    report = host.step()
    assert (report.redis, report.refusal, report.trouble, host.net()) == (True, "", "", 1)


def test_why_the_live_revision_is_not_here_is_reported(tmp_path: Path) -> None:
    host = Host(tmp_path, catalog_fault="it is damaged")
    report = host.step()
    host.writer.close()

    assert report.catalog_fault == "it is damaged"
    assert report.redis


def test_a_folder_that_is_cut_otherwise_than_the_store_is_not_counted(host: Host) -> None:
    host.counts.agree_on_shards(16, None)
    host.publish(1)
    host.view(1)

    report = host.step()

    assert (report.redis, report.applied_ranges) == (False, 0)
    assert "Redis counts in 16 shards, this data folder in 1" in report.refusal


def test_a_new_folder_counts_in_as_many_shards_as_the_store_has(tmp_path: Path) -> None:
    host = Host(tmp_path, folder_shards=None)
    host.counts.agree_on_shards(4, None)
    host.publish(1)
    host.view(1)
    host.step()
    host.writer.close()

    assert {shard for shard, _ in host.counts.offsets} == set(range(4))


def test_while_nobody_says_how_many_shards_there_are_all_go_on_in_those_agreed_on(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.publish(1)
    host.step()

    def away(_of_new: int, _of_folder: int | None) -> int:
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(host.counts, "agree_on_shards", away)
    host.view(1)
    host.step(5.0)
    assert host.net() == 1


def test_what_is_in_no_count_is_reported_and_holds_up_nothing_where_redis_does_not_say(host: Host) -> None:
    answers: list[Losses | StoreUnavailable] = [Losses(gaps=1), StoreUnavailable("one shard is away"), Losses(gaps=2)]

    def read_losses() -> Losses:
        answer = answers.pop(0)
        if isinstance(answer, StoreUnavailable):
            raise answer
        return answer

    host.keeper.tend(SaltKeeper(host.folder, NoSalts()), read_losses)
    host.publish(1)
    host.view(1)
    assert host.step().losses == Losses(gaps=1)

    report = host.step(5)
    assert (report.losses, report.redis) == (Losses(gaps=1), True)
    assert host.step(5).losses == Losses(gaps=2)


def test_salts_are_those_of_the_sites_days(host: Host) -> None:
    host.keeper.tend(SaltKeeper(host.folder, NoSalts()), Losses)
    host.publish(1)
    host.keeper.step(0.0, datetime.fromtimestamp(MIDNIGHT_UTC, UTC))

    days = [date.fromordinal(salt.day + date(1970, 1, 1).toordinal()) for salt in read_salts(host.folder)]
    assert days == [date(2026, 11, 23), date(2026, 11, 24)], "in Chicago it is still the 23rd"


class NoSalts:
    """A `SaltStore` that is away."""

    def agree(self, day: int, secret: str, life_seconds: int) -> Agreed:
        raise StoreUnavailable("away")

    def forget(self, day: int) -> None:
        raise StoreUnavailable("away")
