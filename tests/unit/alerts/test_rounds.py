"""The rounds: one look a minute, each alert sent once, also over a restart, a store that is away, and several hosts."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from delivery_stand import START, make_catalog

from adserver.alerts.book_file import read_book
from adserver.alerts.notice import Notice
from adserver.alerts.rounds import LEASE_SECONDS, LOOK_SECONDS, AlertRounds
from adserver.alerts.scene import OverSold
from adserver.alerts.sight import Sight
from adserver.alerts.store import MemoryBookStore
from adserver.alerts.way import Delivery
from adserver.catalog.compiled import Compiled, write_compiled
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.watch import CatalogWatch
from adserver.counting.losses import Losses
from adserver.decision.traffic import UNIFORM
from adserver.domain.errors import StoreUnavailable
from adserver.keeping.keeper import KeeperReport
from adserver.keeping.keeper_state import KeeperStateFile


class ListWay:
    """A `Way` into a list, that is down when told."""

    name = "webhook"
    most = 20

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.is_down = False
        self.tries = 0

    def send(self, notices: Sequence[Notice], now: float) -> Delivery:
        """Take them, or not."""
        self.tries += 1
        if self.is_down:
            return Delivery(dict.fromkeys((notice.id for notice in notices), False), "it is down")
        self.sent += [(notice.event, notice.alert.id) for notice in notices]
        self.ids += [notice.id for notice in notices]
        return Delivery(dict.fromkeys((notice.id for notice in notices), True))


class AwayStore(MemoryBookStore):
    """A store that can be away."""

    is_away = False

    def lead(self, host: str, seconds: float) -> bool:
        """Say so, unless it is away."""
        self._refuse()
        return super().lead(host, seconds)

    def write(self, book: object) -> None:
        """Take it, unless it is away."""
        self._refuse()
        super().write(book)  # type: ignore[arg-type]  # the port's own

    def _refuse(self) -> None:
        if self.is_away:
            raise StoreUnavailable("away")


class Host:
    """One host: its data folder, its keeper's word, and its rounds, stepped by hand."""

    def __init__(self, folder: Path, store: AwayStore | None = None, way: ListWay | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.store = store or AwayStore()
        self.way = way or ListWay()
        self.now = START.timestamp()
        self.losses = Losses()
        self.over_sold: Sequence[OverSold] = ()
        self.state = KeeperStateFile(folder)
        write_compiled(folder / COMPILED_NAME, Compiled(1, make_catalog()))
        self.begin()

    def begin(self) -> None:
        """Start the rounds anew, as a keeper that was started again does."""
        self.sight = Sight(
            self.folder,
            CatalogWatch(self.folder / COMPILED_NAME),
            lambda _: UNIFORM,
            lambda *_: self.over_sold,
        )
        self.rounds = AlertRounds(self.folder, self.store, self.sight, (self.way,), lambda: self.now)

    def step(self, seconds: float = LOOK_SECONDS, *, counts: bool = True, sends: bool = False) -> None:
        """Let time pass and step; where something is `sends`, until what became of it is known."""
        self.now += seconds
        self.store.clock[0] = self.now
        self.state.report(KeeperReport(counts, 0, 0, 1, losses=self.losses), self.now)
        self.rounds.woken.clear()
        self.rounds.step(self.now)
        if sends:
            assert self.rounds.woken.wait(10)
            self.now += 1
            self.rounds.step(self.now)


def test_an_alert_is_sent_once_when_it_begins_and_once_when_it_ends(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.step()
    host.losses = Losses(gaps=2)
    host.step(sends=True)
    for _ in range(30):
        host.step()
    assert host.way.sent == [("began", "gaps")]
    host.losses = Losses()
    host.step(sends=True)
    assert host.way.sent == [("began", "gaps"), ("ended", "gaps")]
    assert host.way.tries == 2


def test_it_looks_once_a_minute_whatever_the_number_of_steps(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.step()
    first = read_book(tmp_path).at
    for _ in range(59):
        host.step(1.0)
    assert read_book(tmp_path).at == first
    host.step(1.0)
    assert read_book(tmp_path).at == host.now


def test_a_restart_sends_nothing_again(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.losses = Losses(gaps=2)
    host.step(sends=True)
    for _ in range(3):
        host.begin()
        host.step(1.0)
    assert host.way.sent == [("began", "gaps")]


def test_what_could_not_be_sent_is_sent_after_a_restart_with_the_same_id(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.losses, host.way.is_down = Losses(gaps=2), True
    host.step(sends=True)
    [waiting] = read_book(tmp_path).to_send
    assert (waiting.tries, read_book(tmp_path).tallies["webhook"].failed) == (1, 1)
    host.begin()
    host.way.is_down = False
    host.step(1.0)
    assert host.way.tries == 1, "it is not time"
    host.step(5.0, sends=True)
    assert host.way.ids == [waiting.notice.id]
    assert read_book(tmp_path).to_send == ()
    assert read_book(tmp_path).tallies["webhook"].sent == 1


def test_a_store_that_lost_its_book_gets_it_back_from_the_folder(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.losses = Losses(gaps=2)
    host.step(sends=True)
    host.store.book = None
    host.begin()
    host.step()
    assert host.way.sent == [("began", "gaps")]
    assert host.store.book == read_book(tmp_path)


def test_a_folder_that_was_lost_gets_its_book_back_from_the_store(tmp_path: Path) -> None:
    host = Host(tmp_path / "old")
    host.losses = Losses(gaps=2)
    host.step(sends=True)
    other = Host(tmp_path / "new", host.store, host.way)
    other.now, other.losses = host.now, host.losses
    other.step(LEASE_SECONDS + 1)
    other.step()
    assert host.way.sent == [("began", "gaps")]
    assert read_book(other.folder).alerts == read_book(host.folder).alerts


def test_of_two_hosts_one_sends_and_both_show(tmp_path: Path) -> None:
    one = Host(tmp_path / "one")
    two = Host(tmp_path / "two", one.store, ListWay())
    one.losses = two.losses = Losses(gaps=2)
    one.step(sends=True)
    for _ in range(5):
        two.step()
        one.step()
    assert (one.way.sent, two.way.sent) == ([("began", "gaps")], [])
    assert [alert.id for alert in read_book(two.folder).alerts] == ["gaps"]


def test_when_the_one_that_sends_is_gone_the_other_goes_on(tmp_path: Path) -> None:
    one = Host(tmp_path / "one")
    two = Host(tmp_path / "two", one.store, ListWay())
    one.losses, one.way.is_down = Losses(gaps=2), True
    one.step(sends=True)
    two.now, two.losses = one.now, one.losses
    two.step()
    assert two.way.tries == 0
    two.step(LEASE_SECONDS, sends=True)
    assert two.way.sent == [("began", "gaps")]


@pytest.mark.parametrize("blind", ["store away", "keeper silent", "behind", "another keeper", "nothing published"])
def test_where_it_cannot_see_nothing_begins_and_nothing_ends(tmp_path: Path, blind: str) -> None:
    host = Host(tmp_path)
    host.losses = Losses(gaps=2)
    host.step(sends=True)
    host.losses = Losses()
    make_blind(host, blind)
    for _ in range(4):
        host.now += LOOK_SECONDS
        host.rounds.step(host.now)
    assert host.way.sent == [("began", "gaps")]
    assert [alert.id for alert in read_book(tmp_path).alerts] == ["gaps"]


def make_blind(host: Host, blind: str) -> None:
    """Take its sight away, one way."""
    match blind:
        case "store away":
            host.state.report(
                KeeperReport(redis=False, unapplied_bytes=0, applied_ranges=0, revision=1), host.now + 240
            )
        case "keeper silent":
            return  # nothing is reported any more
        case "behind":
            for seconds in (-30, 240):
                host.state.report(KeeperReport(True, 64, 0, 1, losses=host.losses), host.now + seconds)
        case "another keeper":
            host.state.report(KeeperReport(True, 0, 0, 1, losses=host.losses), host.now + 240)
            path = host.folder / "keeper.json"
            path.write_text(path.read_text().replace(f'"pid":{os.getpid()}', '"pid":1'))
        case "nothing published":
            (host.folder / COMPILED_NAME).unlink()
            host.begin()
            host.state.report(KeeperReport(True, 0, 0, 0, losses=host.losses), host.now + 240)


def test_while_the_store_is_away_nothing_new_is_sent_and_what_waits_is(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.losses, host.way.is_down = Losses(gaps=2), True
    host.step(sends=True)
    host.store.is_away, host.way.is_down = True, False
    host.losses = Losses()
    host.step(10.0, sends=True)
    assert host.way.sent == [("began", "gaps")]
    host.step()
    host.store.is_away = False
    host.step(sends=True)
    assert host.way.sent == [("began", "gaps"), ("ended", "gaps")]


def test_a_way_that_hangs_holds_up_neither_looks_nor_steps(tmp_path: Path) -> None:
    class HangingWay(ListWay):
        release = threading.Event()

        def send(self, notices: Sequence[Notice], now: float) -> Delivery:
            self.release.wait(20)
            return super().send(notices, now)

    way = HangingWay()
    host = Host(tmp_path, way=way)
    host.losses = Losses(gaps=2)
    began = time.monotonic()
    for number in range(5):
        host.losses = Losses(gaps=2) if number % 2 else Losses()
        host.step()
    assert time.monotonic() - began < 5
    assert read_book(tmp_path).at == host.now
    assert way.tries == 0
    way.release.set()
    await_that(lambda: way.tries == 1)


def test_a_disk_that_takes_nothing_is_told_once_and_alerts_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host(tmp_path)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("adserver.alerts.rounds.write_book", refuse)
    host.losses = Losses(gaps=2)
    host.step(sends=True)
    host.step()
    assert host.way.sent == [("began", "gaps")]
    assert [record.message for record in caplog.records].count("alerts.unwritable") == 1


def test_the_thread_goes_on_after_a_round_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(tmp_path)
    steps: list[float] = []

    def step(now: float) -> None:
        steps.append(now)
        raise RuntimeError

    monkeypatch.setattr("adserver.alerts.rounds.STEP_SECONDS", 0.01)
    monkeypatch.setattr(host.rounds, "step", step)
    host.rounds.begin()
    await_that(lambda: len(steps) > 2)
    host.rounds.stop()


def await_that(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_flight_is_watched_as_the_catalog_has_it(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.step()
    scene = host.sight.scene(host.now, read_book(tmp_path), {})
    [flight] = scene.flights
    assert (flight.id, flight.campaign_name, flight.timezone) == (
        "minnesota", "QWIKET fantasy season", "America/Chicago",
    )  # fmt: skip
    assert scene.now == START + timedelta(seconds=LOOK_SECONDS)
