"""Redis under load is killed, emptied, put back from copies, and cut off: every cell ends as the spools have it."""

import time
from collections import Counter
from collections.abc import Callable

import pytest
from cells_oracle import cells_of
from faked_clock import FakedClock
from fault import Fault
from fault_world import ZONE
from stage import Stage
from store_faults import OF_REDIS

from adserver.domain.reasons import EventKind

KINDS = frozenset(kind.code for kind in EventKind)
_EIGHT_DAYS = 8 * 86_400


@pytest.mark.parametrize("fault", OF_REDIS, ids=lambda fault: fault.name)
def test_exact_through(fault: Fault, survive: Callable[[Fault], None]) -> None:
    survive(fault)


def test_a_copy_older_than_its_tokens_bits_counts_none_of_them_twice_and_declares_the_rest(stage: Stage) -> None:
    """Its tokens' bits ran out while the copy lay there; events that it had not yet seen of such tokens are late."""
    with stage.load():
        pass
    stage.assert_exact()
    copy, before = stage.redis.copy(), stage.spool_ends()
    counted = stage.spooled(before).records
    with stage.load():
        pass
    stage.assert_exact()

    stage.redis.environ = (clock := FakedClock(stage.folder / "redis-clock")).environ
    clock.set(_EIGHT_DAYS)
    pid = stage.redis.put_back(copy)
    print(f"killed redis {pid}, and started it from a copy {time.monotonic() - copy.at:.0f} s old, 8 days later")
    stage.settle()

    came_again = Counter(stage.spooled().records) - Counter(counted)
    late = [record for record in came_again.elements() if record.kind in KINDS and not record.reason]
    want, _ = cells_of((Counter(stage.spooled().records) - Counter(late)).elements(), ZONE)
    stored = stage.stored()
    print(f"{len(counted)} records were counted, {came_again.total()} come again, {len(late)} are declared as late")
    assert late
    assert stored.cells == want
    assert stored.drops["late"] == len(late)
    assert stored.faults == []
    with stage.redis.client() as client:
        assert not list(client.scan_iter(match="{s*}:tok:*"))
