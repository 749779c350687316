from ipaddress import ip_network

import pytest

from adserver.counting import bursts
from adserver.counting.bursts import Bursts

READER = "203.0.113.7"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(source: Bursts, address: str, times: int) -> int:
    """Return how many of that many events were within the limit."""
    return sum(not source.take(address) for _ in range(times))


def test_a_source_may_send_as_many_events_as_the_limit_says(clock: Clock) -> None:
    limit = Bursts(2_000, (), clock)

    assert taken(limit, READER, 2_000) == 2_000
    assert limit.take(READER)
    assert limit.take("203.0.113.200"), "the same /24"
    assert not limit.take("203.0.114.7"), "another"


def test_a_source_is_a_48_where_addresses_are_long(clock: Clock) -> None:
    limit = Bursts(10, (), clock)

    assert sum(not limit.take(f"2001:db8:1:{number:x}::1") for number in range(20)) == 10
    assert not limit.take("2001:db8:2::1")


def test_the_window_slides(clock: Clock) -> None:
    limit = Bursts(100, (), clock)
    for _ in range(10):
        assert taken(limit, READER, 10) == 10
        clock.now += 1
    assert taken(limit, READER, 20) == 10, "what was sent ten seconds ago has gone"
    clock.now += 10
    assert taken(limit, READER, 200) == 100
    clock.now += 3_600
    assert taken(limit, READER, 200) == 100


@pytest.mark.parametrize("start", [1000.0, 1000.5, 1000.999])
def test_nobody_within_the_limit_of_any_ten_seconds_is_refused(clock: Clock, start: float) -> None:
    limit = Bursts(100, (), clock)
    clock.now = start
    for _ in range(300):
        assert not limit.take(READER)
        clock.now += 0.101


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "172.31.255.1", "192.168.1.1", "169.254.1.1", "fd00::1", "fe80::1"],
)
def test_loopback_and_private_addresses_are_never_a_burst(clock: Clock, address: str) -> None:
    assert taken(Bursts(1, (), clock), address, 50) == 50


def test_nor_are_trusted_proxies_nor_what_has_no_address(clock: Clock) -> None:
    limit = Bursts(1, (ip_network("203.0.113.7/32"), ip_network("2001:db8::/32")), clock)

    assert taken(limit, READER, 50) == 50
    assert taken(limit, "2001:db8:9::1", 50) == 50
    assert taken(limit, "", 50) == 50
    assert taken(limit, "198.51.100.1", 50) == 1


def test_no_limit_is_none(clock: Clock) -> None:
    assert taken(Bursts(0, (), clock), READER, 5_000) == 5_000


def test_memory_is_bounded_and_forgets_who_was_silent_longest(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bursts, "MOST_SOURCES", 3)
    limit = Bursts(1, (), clock)
    for number in (1, 2, 3, 1, 4):
        limit.take(f"198.51.{number}.1")

    assert limit.take("198.51.1.1"), "remembered: it was heard of after 2"
    assert not limit.take("198.51.2.1"), "forgotten"


def test_nothing_but_the_network_is_remembered(clock: Clock) -> None:
    limit = Bursts(1, (), clock)
    limit.take(READER)

    assert list(limit._sources) == ["203.0.113"]


def test_a_school_behind_one_address_reads_on(clock: Clock) -> None:
    """Two thousand pupils who open a page with five slots, seen and viewable, within two minutes of the bell."""
    limit = Bursts(2_000, (), clock)
    refused = 0
    events = 2_000 * 5 * 2
    for _ in range(events):
        refused += limit.take(READER)
        clock.now += 120 / events

    assert refused <= events / 100
