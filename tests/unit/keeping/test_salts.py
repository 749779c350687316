from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adserver.counting.salts import SALT_LIFE_SECONDS, read_salts
from adserver.domain.errors import StoreUnavailable
from adserver.keeping.salts import AGREE_SECONDS, RETRY_SECONDS, Agreed, SaltKeeper

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = NOON.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
CHICAGO = ZoneInfo("America/Chicago")


class MemorySaltStore:
    """A `SaltStore` in memory, that several hosts may share."""

    def __init__(self) -> None:
        self.salts: dict[int, str] = {}
        self.forgotten: list[int] = []
        self.away = False
        self.calls = 0

    def agree(self, day: int, secret: str, life_seconds: int) -> Agreed:
        self._answer()
        return Agreed(self.salts.setdefault(day, secret), life_seconds)

    def forget(self, day: int) -> None:
        self._answer()
        self.salts.pop(day, None)
        self.forgotten.append(day)

    def _answer(self) -> None:
        self.calls += 1
        if self.away:
            raise StoreUnavailable("away")


class Host:
    """A keeper of salts and its clock."""

    def __init__(self, folder: Path, store: MemorySaltStore, name: str = "a") -> None:
        folder.mkdir(exist_ok=True)
        numbers = count(1)
        self.folder = folder
        self.keeper = SaltKeeper(folder, store, lambda: f"{name * 2}{next(numbers):02x}")
        self.now = NOON

    def step(self, *zones: ZoneInfo, **passed: float) -> dict[int, str]:
        """Let time pass, do one step, and return what workers then use."""
        self.now += timedelta(**passed)
        self.keeper.step(zones, self.now, (self.now - NOON).total_seconds() + 1_000)
        return {salt.day: salt.secret for salt in read_salts(self.folder) if salt.secret}


@pytest.fixture
def store() -> MemorySaltStore:
    return MemorySaltStore()


def test_each_day_that_views_may_be_of_has_a_salt_before_it_begins(tmp_path: Path, store: MemorySaltStore) -> None:
    host = Host(tmp_path, store)

    assert host.step() == {DAY: "aa01"}
    assert host.step(hours=11, minutes=51) == {DAY: "aa01", DAY + 1: "aa02"}
    assert host.step(hours=2) == {DAY: "aa01", DAY + 1: "aa02"}
    assert store.salts == {DAY: "aa01", DAY + 1: "aa02"}


def test_days_are_those_of_the_sites(tmp_path: Path, store: MemorySaltStore) -> None:
    host = Host(tmp_path, store)
    host.now = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)  # half past eight in the evening of the 24th in Chicago

    assert host.step(CHICAGO).keys() == {DAY, DAY + 1}
    assert host.step(ZoneInfo("Pacific/Kiritimati")).keys() == {DAY, DAY + 1}
    assert host.step(ZoneInfo("Pacific/Kiritimati"), hours=9).keys() == {DAY, DAY + 1, DAY + 2}


def test_hosts_agree(tmp_path: Path, store: MemorySaltStore) -> None:
    one, other = Host(tmp_path / "one", store, "a"), Host(tmp_path / "other", store, "b")

    assert one.step() == other.step() == {DAY: "aa01"}


def test_a_host_without_redis_uses_its_own_and_agrees_later(tmp_path: Path, store: MemorySaltStore) -> None:
    one, other = Host(tmp_path / "one", store, "a"), Host(tmp_path / "other", store, "b")
    store.away = True
    assert one.step() == {DAY: "aa01"}
    assert other.step() == {DAY: "bb01"}

    store.away = False
    assert other.step(seconds=RETRY_SECONDS) == {DAY: "bb01"}
    assert one.step(seconds=RETRY_SECONDS + 1) == {DAY: "bb01"}, "another was first"


def test_redis_is_asked_seldom(tmp_path: Path, store: MemorySaltStore) -> None:
    host = Host(tmp_path, store)
    host.step()
    asked = store.calls
    for _ in range(100):
        host.step(seconds=0.25)
    assert store.calls == asked

    store.salts.clear()  # it fell back to a time when it had none
    host.step(seconds=AGREE_SECONDS)
    assert store.salts == {DAY: "aa01"}


def test_a_redis_that_is_away_is_not_asked_at_every_step(tmp_path: Path, store: MemorySaltStore) -> None:
    host = Host(tmp_path, store)
    store.away = True
    for _ in range(100):
        host.step(seconds=0.01)
    assert store.calls == 1


def test_a_salt_ends_after_48_hours_wherever_it_is(tmp_path: Path, store: MemorySaltStore) -> None:
    host = Host(tmp_path, store)
    host.step()
    assert DAY in host.step(seconds=SALT_LIFE_SECONDS - 1)
    assert DAY not in host.step(seconds=1)

    assert store.forgotten == [DAY]
    assert "aa01" not in store.salts.values()
    assert b"aa01" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_it_ends_on_this_host_without_redis_and_there_once_redis_is_back(
    tmp_path: Path, store: MemorySaltStore
) -> None:
    Host(tmp_path, store).step()
    store.away = True
    host = Host(tmp_path, store, "b")  # started anew: the file tells
    host.now = NOON + timedelta(seconds=SALT_LIFE_SECONDS)
    assert DAY not in host.step()
    assert b"aa01" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert store.forgotten == []

    store.away = False
    again = Host(tmp_path, store, "c")
    again.now = host.now + timedelta(hours=1)
    again.step()
    assert store.forgotten == [DAY]
    again.step(hours=1)
    assert store.forgotten == [DAY], "once is enough"


def test_a_salt_that_another_host_made_earlier_ends_when_that_one_does(tmp_path: Path, store: MemorySaltStore) -> None:
    store.salts[DAY] = "cc01"
    host = Host(tmp_path, store)
    host.keeper._store = store
    store.agree = lambda day, secret, life_seconds: Agreed(  # type: ignore[method-assign]
        store.salts.setdefault(day, secret), 3_600
    )
    assert host.step() == {DAY: "cc01"}

    assert DAY in host.step(seconds=3_599)
    assert DAY not in host.step(seconds=1)


def test_a_start_goes_on_with_what_the_file_has(tmp_path: Path, store: MemorySaltStore) -> None:
    Host(tmp_path, store).step()
    store.away = True

    assert Host(tmp_path, store, "b").step() == {DAY: "aa01"}


def test_a_disk_that_takes_nothing_is_said_once(
    tmp_path: Path, store: MemorySaltStore, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host(tmp_path / "gone", store)
    host.folder.rmdir()
    for _ in range(10):
        host.step(seconds=1)

    assert [record.message for record in caplog.records] == ["salts.unwritable"]
    host.folder.mkdir()
    assert host.step(seconds=1) == {DAY: "aa01"}
