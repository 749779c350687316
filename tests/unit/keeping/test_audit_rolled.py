"""The audit where old cells were moved to coarser times."""

from types import MappingProxyType

import pytest
import redis
from audit_stand import DAY, FLIGHTS, AuditStand
from statistics_world import order_name, slot_name

from adserver.catalog.names import Names
from adserver.counting.cells import Family, Rolled
from adserver.domain.ids import Kind, id_hash
from adserver.keeping.audit import StoreMoved
from adserver.keeping.redis_roll_up import RedisRollUp
from adserver.keeping.roll_up import RollUp

NAMES = Names(
    flights=MappingProxyType({hash_: order_name(hash_.hex(), (0, "campaign", "advertiser")) for hash_ in FLIGHTS}),
    slots=MappingProxyType({id_hash(Kind.SLOT, "slot"): slot_name("slot", (0, "site", "Etc/GMT+6"))}),
)


@pytest.fixture
def stand(stand: AuditStand) -> AuditStand:
    """The host with something counted."""
    stand.write_some(300)
    stand.count()
    return stand


def roll_up(stand: AuditStand, now: int) -> int:
    return RollUp(RedisRollUp(stand.client), lambda: NAMES, 35).run(now)


def keys(client: redis.Redis, kept: Family | Rolled) -> list[bytes]:
    return sorted(key for key in client.scan_iter(match=f"*:{kept}:*", count=1000) if b"index" not in key)


@pytest.mark.parametrize("days", [35, 36, 37, 60, 90])
def test_what_was_moved_agrees_whole_or_in_part(stand: AuditStand, days: int) -> None:
    before = stand.audit()
    assert before.agrees
    roll_up(stand, stand.now + days * DAY)

    audit = stand.audit()

    assert audit.agrees, (audit.differences, audit.flights)
    assert audit.records == before.records
    assert bool(keys(stand.client, Family.HOURS)) is (days < 37)


@pytest.mark.parametrize("kept", Rolled)
def test_a_moved_count_that_is_one_off_is_found(stand: AuditStand, kept: Rolled) -> None:
    assert roll_up(stand, stand.now + 120 * DAY) > 0
    key = keys(stand.client, kept)[0]
    field = min(stand.client.hkeys(key))
    stand.client.hincrby(key, field, 1)

    (difference,) = stand.audit().differences

    assert difference.found == difference.expected + 1
    assert difference.spot.family is kept
    assert key.endswith(f"{difference.spot.member}:{difference.spot.block}".encode())


def test_counts_that_come_back_after_the_move_are_added_to_what_was_moved(stand: AuditStand) -> None:
    """A repair may still count decisions of long ago; until they are moved too, both places hold a part."""
    assert roll_up(stand, stand.now + 120 * DAY) > 0
    stand.write_some(100)
    stand.count()
    assert keys(stand.client, Family.HOURS)

    assert stand.audit().agrees
    assert roll_up(stand, stand.now + 120 * DAY) > 0
    assert not keys(stand.client, Family.HOURS)
    assert stand.audit().agrees


def test_cells_that_are_moved_meanwhile_are_not_judged(stand: AuditStand, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = stand.auditor()
    monkeypatch.setattr(auditor, "_compare", lambda _day: roll_up(stand, stand.now + 120 * DAY))

    with pytest.raises(StoreMoved, match="moved while it was compared"):
        auditor.run()
