"""The keeper of allowances: from the live catalog, what is counted and what workers say, to the file they read."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from reason_scenes import FLIGHT, OPEN

from adserver.counting.held_file import HeldFile
from adserver.counting.paces import PACE_NAME, USES_NAME, PaceFile, UseFile
from adserver.counting.records import encode, event_record
from adserver.decision.pacing import PERIOD_SECONDS
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Cap, CapPeriod, CapScope, Flight, Goal, Pacing, Status
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import FlightId, IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.allowances import AllowanceKeeper
from adserver.keeping.caps import CappedFlight, CapWatch
from adserver.keeping.past_traffic import PastTraffic
from adserver.keeping.record_table import RecordTable

NOW = float(int(OPEN.now.timestamp()) // PERIOD_SECONDS * PERIOD_SECONDS)
SOLD = replace(FLIGHT, goal=Goal(100, Pacing.ASAP))
CAPPED = replace(
    FLIGHT, id=FlightId("capped"), goal=None, caps=(Cap(5, CapPeriod.DAY, CapScope.FLIGHT),)
)  # fmt: skip
PLAIN = replace(FLIGHT, id=FlightId("plain"), goal=None)


class Bases:
    """A `CapStore` in memory, that may be away."""

    def __init__(self) -> None:
        self.bases: dict[tuple[FlightId, int], int] = {}
        self.is_away = False

    def base(self, flight: CappedFlight, window: int, delivered: int) -> int:
        if self.is_away:
            raise StoreUnavailable("away")
        return self.bases.setdefault((flight.id, window), delivered)


class Host:
    """A keeper of allowances, and one worker that asks for a flight without end. For one thread."""

    def __init__(self, folder: Path, *flights: Flight) -> None:
        self.folder = folder
        self.bases = Bases()
        self.now = NOW
        self.keeper = AllowanceKeeper(folder, CapWatch(self.bases), PastTraffic(lambda: ({}, range(0))))
        self.keeper.follow(catalog(*flights))
        self.file = HeldFile.take(folder / USES_NAME)
        self.used: dict[int, dict[FlightId, int]] = {}
        self.asked = 0

    def step(self, delivered: Mapping[FlightId, int] | None, times: int = 40) -> PaceFile:
        """Step a few times, a quarter of a second each; return what workers are told then."""
        for _ in range(times):
            self.asked += 100
            asked = dict.fromkeys((SOLD.id, CAPPED.id), self.asked)
            self.file.write(msgspec.json.encode(UseFile(process="a", used=self.used, asked=asked)))
            self.keeper.step(self.now, delivered)
            self.now += 0.25
        return msgspec.json.decode((self.folder / PACE_NAME).read_bytes(), type=PaceFile)

    def see(self, flight: FlightId) -> None:
        """Have a view of a fill of this period counted."""
        token = Token(
            issuer=bytes(6), shard=0, sequence=1, issued_second=int(NOW), flight=id_hash(Kind.FLIGHT, flight),
            creative=IdHash(b"creati"), slot=IdHash(b"slot5"), place=IdHash(b"place"), topic=IdHash(b"topi"),
            variant=Variant.AUTO,
        )  # fmt: skip
        record = event_record(token, EventKind.SEEN, None, Variant.LONG, int(NOW))
        self.keeper.views.note(RecordTable.read(encode(record)), 0)


def catalog(*flights: Flight) -> Snapshot:
    first, *others = flights
    return replace(OPEN, flight=first, others=tuple(others)).snapshot


def told(file: PaceFile) -> dict[str, int]:
    return dict(zip(file.flights, file.granted["a"], strict=True))


def test_flights_with_a_goal_or_a_cap_are_told_and_no_others(tmp_path: Path) -> None:
    host = Host(tmp_path, SOLD, CAPPED, PLAIN)
    assert set(host.keeper.hashes.values()) == {SOLD.id, CAPPED.id}
    file = host.step({SOLD.id: 97, CAPPED.id: 1000})
    assert told(file) == {SOLD.id: 3, CAPPED.id: 5}, "what is left of the goal, and of the day's cap"
    assert file.number == NOW // PERIOD_SECONDS


def test_of_a_cap_what_was_delivered_since_the_day_began_is_gone(tmp_path: Path) -> None:
    host = Host(tmp_path, CAPPED)
    host.step({CAPPED.id: 1000}, times=1)
    assert told(host.step({CAPPED.id: 1003}))[CAPPED.id] <= 5
    host.used = {int(NOW // PERIOD_SECONDS): {CAPPED.id: 5}}
    file = host.step({CAPPED.id: 1005})
    assert file.capped == [True]


def test_a_view_that_is_counted_is_pending_no_more(tmp_path: Path) -> None:
    host = Host(tmp_path, SOLD)
    number = int(NOW // PERIOD_SECONDS)
    host.step({SOLD.id: 97})
    host.used = {number: {SOLD.id: 3}}
    assert told(host.step({SOLD.id: 97})) == {SOLD.id: 3}
    host.see(SOLD.id)
    assert told(host.step({SOLD.id: 97})) == {SOLD.id: 4}, "it was seen, and 97 were counted all the same: one is left"


def test_while_redis_is_away_nothing_pending_is_given_up(tmp_path: Path) -> None:
    host = Host(tmp_path, SOLD)
    host.step({SOLD.id: 97})
    host.used = {int(NOW // PERIOD_SECONDS): {SOLD.id: 3}}
    host.step(None)
    host.now = NOW + 5 * PERIOD_SECONDS
    assert told(host.step(None)) == {SOLD.id: 0}
    assert told(host.step({SOLD.id: 97})) == {SOLD.id: 3}, "once it answers again, they are taken for never seen"


def test_a_flight_is_told_from_a_little_before_it_begins_until_it_ends(tmp_path: Path) -> None:
    host = Host(tmp_path, SOLD)
    (flight,) = catalog(SOLD).flights
    for moment, flights in (
        (flight.starts.timestamp() - 121, []),
        (flight.starts.timestamp() - 119, [SOLD.id]),
        (flight.ends.timestamp() - 1, [SOLD.id]),
        (flight.ends.timestamp(), []),
    ):
        host.now = moment
        assert host.step({SOLD.id: 0}, times=1).flights == flights


def test_another_catalog_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    host = Host(tmp_path, SOLD, CAPPED)
    host.step({SOLD.id: 97, CAPPED.id: 0})
    host.keeper.follow(catalog(replace(SOLD, goal=Goal(98, Pacing.ASAP)), replace(CAPPED, status=Status.PAUSED)))
    host.now += PERIOD_SECONDS * 5
    assert told(host.step({SOLD.id: 97})) == {SOLD.id: 1}


def test_what_a_cap_counts_from_is_said_by_the_store_or_the_step_fails(tmp_path: Path) -> None:
    host = Host(tmp_path, CAPPED)
    host.bases.is_away = True
    with pytest.raises(StoreUnavailable):
        host.step({CAPPED.id: 0})


def test_a_file_that_cannot_be_written_is_written_as_soon_as_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host(tmp_path, SOLD)
    (tmp_path / f"{PACE_NAME}.draft").mkdir()
    host.keeper.step(NOW, {SOLD.id: 0})
    assert "pacing.unwritable" in caplog.text
    assert not (tmp_path / PACE_NAME).exists()
    (tmp_path / f"{PACE_NAME}.draft").rmdir()
    assert told(host.step({SOLD.id: 97})) == {SOLD.id: 3}


def test_with_a_past_goals_follow_it(tmp_path: Path) -> None:
    hours = range(495_000, 495_000 + 28 * 24)
    past = PastTraffic(lambda: ({OPEN.slot.id: {hour: 1 + hour % 24 for hour in hours}}, hours))
    keeper = AllowanceKeeper(tmp_path, CapWatch(Bases()), past)
    keeper.follow(catalog(replace(FLIGHT, goal=Goal(100))))
    assert max(keeper._flights[0].curve.hours) == min(keeper._flights[0].curve.hours), "uniform until it is read"
    deadline = time.monotonic() + 10
    while not past.version:
        keeper.step(NOW, {})
        assert time.monotonic() < deadline
        time.sleep(0.01)  # another thread reads
    keeper.step(NOW, {})
    assert max(keeper._flights[0].curve.hours) > 10 * min(keeper._flights[0].curve.hours)
