"""The keeper of reasons: what it judges of what was sampled, in which time, and what it keeps of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import msgspec
import pytest
from reason_scenes import FLIGHT, OPEN, REMER

from adserver.counting.held_file import HeldFile
from adserver.counting.paces import USES_NAME, UseFile
from adserver.counting.reason_cells import NO_LOOKS, NOWHERE, Looks, ReasonCell
from adserver.counting.samples import SAMPLES_NAME, SampledCall, SampledSlot, SampleFile, encode_samples
from adserver.decision.pacing import PaceRow, PaceTable
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Targeting, Tier
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import FlightId, IdHash, Kind, PlaceId, SlotId, Topic, id_hash
from adserver.domain.places import Place
from adserver.domain.reasons import NoFillReason as Reason
from adserver.domain.variants import Variant
from adserver.keeping.reasons import MOST_FLIGHTS, ReasonKeeper

SECOND = int(OPEN.now.timestamp())
DAY = SECOND // 86_400 - 1
"""At the site, in Chicago, it is still the evening before."""
PLACE, SLOT = id_hash(Kind.PLACE, REMER.id), id_hash(Kind.SLOT, "masthead")
HOUSE = replace(FLIGHT, id=FlightId("house"), goal=None, tier=Tier.HOUSE, targeting=Targeting())


def call(
    number: int = 1,
    *,
    flight: str | None = None,
    one_in: int = 1,
    place: str | None = REMER.id,
    second: int = SECOND,
    revision: int = 1,
) -> SampledCall:
    slot = SampledSlot(SlotId("masthead"), Variant.AUTO, None, None if flight is None else FlightId(flight), ())
    at = None if place is None else PlaceId(place)
    return SampledCall(number, one_in, second, revision, at, (Topic("sports"),), (), (slot,), ())


@dataclass
class Store:
    """Keeps in memory, unless it is told to be away."""

    cells: dict[tuple[int, int], dict[ReasonCell, Looks]] = field(default_factory=dict)
    is_away: bool = False

    def add(self, shard: int, shards: int, day: int, found: Mapping[ReasonCell, Looks]) -> None:
        if self.is_away:
            raise StoreUnavailable("away")
        cells = self.cells.setdefault((shard, day), {})
        for cell, looks in found.items():
            cells[cell] = cells.get(cell, NO_LOOKS).plus(looks)


class Host:
    """A keeper of reasons on a folder, with clocks that the test moves. For one thread."""

    def __init__(self, folder: Path, snapshot: Snapshot, *, judgement_seconds: float = 0.0) -> None:
        self.folder = folder
        self.snapshot: Snapshot | None = snapshot
        self.now = self.cpu = 0.0
        self.wall = float(SECOND)
        self.judgement_seconds = judgement_seconds
        self.delivered: dict[FlightId, int] = {FLIGHT.id: 99}
        self.table: PaceTable | None = None
        self.store = Store()
        self.keeper = self.begin()

    def begin(self) -> ReasonKeeper:
        return ReasonKeeper(
            self.folder,
            store=self.store,
            snapshots=self,
            delivered=Delivered(self.delivered),
            place=self._find,
            table=lambda: self.table,
            rng=Random(1),
            clock=lambda: self.now,
            cpu=lambda: self.cpu,
        )

    def _find(self, place: PlaceId) -> Place | None:
        self.cpu += self.judgement_seconds  # it is asked for once a judgement
        return REMER if place == REMER.id else None

    def current(self) -> Snapshot | None:
        return self.snapshot

    def write(self, *calls: SampledCall, process: str = "a") -> None:
        file = HeldFile.take(self.folder / SAMPLES_NAME)
        file.write(encode_samples(SampleFile(process=process, calls=calls)))
        file.release()

    def run(self, seconds: float = 10.0) -> "Host":
        """Step four times a second; the calls that are waiting do not grow old meanwhile."""
        for _ in range(int(seconds * 4)):
            self.now += 0.25
            self.keeper.step(self.wall)
        return self

    def found(self, flight: str = FLIGHT.id) -> dict[tuple[Reason | None, IdHash], Looks]:
        hash_ = id_hash(Kind.FLIGHT, flight)
        cells = self.store.cells.get((0, DAY), {})
        return {(cell.reason, cell.place): looks for cell, looks in cells.items() if cell.flight == hash_}

    def reasons(self, flight: str = FLIGHT.id) -> dict[Reason | None, int]:
        return {reason: looks.questions for (reason, _), looks in self.found(flight).items()}


@dataclass(frozen=True)
class Delivered:
    counts: dict[FlightId, int]

    def poll(self) -> bool:
        return False

    def current(self) -> dict[FlightId, int]:
        return self.counts


OTHER = "other"
"""Of the same draw."""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path, replace(OPEN, others=(HOUSE, replace(FLIGHT, id=FlightId(OTHER)))).snapshot)


def test_each_flight_gets_its_reason_in_the_day_of_the_site_and_at_the_place(host: Host) -> None:
    host.write(call(flight=FLIGHT.id, one_in=50))
    host.run()
    assert host.found() == {(None, PLACE): Looks(50, 1)}
    assert host.found("house") == {(Reason.LOWER_TIER, PLACE): Looks(50, 1)}


def test_an_unknown_place_has_a_cell_of_its_own_and_what_comes_before_the_place_has_none(host: Host) -> None:
    host.write(call(1, place=None), call(2, place="us-nowhere-else"))
    host.run()
    assert host.found() == {
        (Reason.PLACE_UNKNOWN, Kind.PLACE.unknown): Looks(1, 1),
        (Reason.PLACE_UNKNOWN, id_hash(Kind.PLACE, "us-nowhere-else")): Looks(1, 1),
    }
    host.snapshot = replace(OPEN, flight=replace(FLIGHT, starts=OPEN.campaign.ends)).snapshot
    host.write(call(3), process="b")
    host.run()
    assert host.found()[Reason.NOT_STARTED, NOWHERE] == Looks(1, 1)


def test_a_flight_that_does_not_run_in_the_slot_takes_no_room(tmp_path: Path) -> None:
    host = Host(tmp_path, replace(OPEN, others=(replace(HOUSE, slots=frozenset({SlotId("footer")})),)).snapshot)
    host.write(call(flight=FLIGHT.id))
    host.run()
    assert (len(host.found()), host.found("house")) == (1, {})


def test_what_was_delivered_and_granted_by_now_is_what_goal_and_pace_are_judged_by(host: Host) -> None:
    host.table = PaceTable(7, {FLIGHT.id: PaceRow(1_000_000, is_capped=False)}, {"a": {FLIGHT.id: 5}})
    uses = HeldFile.take(host.folder / USES_NAME)

    def say(used: int) -> None:
        uses.write(msgspec.json.encode(UseFile(process="a", used={7: {FLIGHT.id: used}}, asked={})))

    say(5)
    host.write(call(1, flight="house"))
    assert host.run().reasons() == {Reason.PACING: 1}
    say(4)
    host.write(call(1), call(2, flight=OTHER))
    assert host.run().reasons() == {Reason.PACING: 1, Reason.LOST_DRAW: 1}
    host.delivered[FLIGHT.id] = 100
    host.write(call(1), call(2), call(3))
    assert host.run().reasons()[Reason.GOAL_MET] == 1


def test_a_call_is_judged_once_however_often_its_file_is_read(host: Host) -> None:
    host.write(call(1, flight=FLIGHT.id))
    host.run()
    host.write(call(1, flight=FLIGHT.id), call(2, flight=FLIGHT.id))
    host.run()
    assert host.reasons() == {None: 2}


def test_a_keeper_that_begins_anew_does_not_judge_again_what_the_one_before_may_have(host: Host) -> None:
    host.write(call(1, flight=FLIGHT.id))
    host.run()
    host.keeper = host.begin()
    host.wall += 30
    host.write(call(1, flight=FLIGHT.id), call(2, flight=FLIGHT.id, second=SECOND + 30))
    host.run()
    assert host.reasons() == {None: 2}


def test_what_the_file_had_lost_before_it_was_read_is_stood_for_by_the_next(host: Host) -> None:
    host.write(call(1, flight=FLIGHT.id, one_in=10))
    host.run()
    host.write(call(41, flight=FLIGHT.id, one_in=10))
    host.run()
    assert host.found() == {(None, PLACE): Looks(410, 2)}


@pytest.mark.parametrize("changes", [{"second": SECOND - 100}, {"revision": 2}], ids=["too old", "of another catalog"])
def test_what_can_no_longer_be_judged_is_stood_for_by_the_next(host: Host, changes: dict[str, int]) -> None:
    host.keeper.step(SECOND - 1000)
    host.write(call(1, flight="house", one_in=7, **changes), call(2, flight=FLIGHT.id))  # type: ignore[arg-type]
    host.run()
    assert host.found() == {(None, PLACE): Looks(8, 1)}


def test_it_computes_for_a_hundredth_of_the_time_and_what_it_must_let_go_is_stood_for(tmp_path: Path) -> None:
    host = Host(tmp_path, OPEN.snapshot, judgement_seconds=0.02)
    number = 0
    for _ in range(100):  # twenty a second, for a hundred seconds, of which one in ten can be judged at most
        host.write(*(call(number + one + 1, flight=FLIGHT.id) for one in range(20)))
        number += 20
        host.run(1.0)
    assert 0.5 <= host.cpu / host.now / 0.01 <= 1.5
    ((key, looks),) = host.found().items()
    assert key == (None, PLACE)
    assert looks.looks < 150
    assert looks.questions > number - 256 - 140, "all but what still waits, and what is not stored yet"


def test_of_a_large_catalog_some_flights_are_judged_each_time_and_all_in_the_end(tmp_path: Path) -> None:
    flights = tuple(replace(HOUSE, id=FlightId(f"house-{at}")) for at in range(2 * MOST_FLIGHTS - 1))
    host = Host(tmp_path, replace(OPEN, others=flights).snapshot)
    host.write(*(call(number + 1, flight=FLIGHT.id) for number in range(60)))
    host.run()
    looks = Counter(
        {flight.id: sum(each.looks for each in host.found(flight.id).values()) for flight in (FLIGHT, *flights)}
    )
    assert sum(looks.values()) == 60 * MOST_FLIGHTS
    assert min(looks.values()) > 10
    assert max(looks.values()) < 50
    assert host.found()[None, PLACE].questions == 2 * looks[FLIGHT.id], "each look stands for two"


def test_what_a_store_that_is_away_did_not_take_is_let_go_and_the_next_is_kept(host: Host) -> None:
    host.store.is_away = True
    host.write(call(1, flight=FLIGHT.id))
    host.run()
    host.store.is_away = False
    host.write(call(1, flight=FLIGHT.id), call(2, flight=FLIGHT.id))
    host.run()
    assert host.reasons() == {None: 1}


def test_before_anything_is_published_nothing_is_judged(host: Host) -> None:
    host.snapshot = None
    host.write(call(1, flight=FLIGHT.id))
    host.run()
    assert host.store.cells == {}
