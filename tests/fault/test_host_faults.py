"""The host's disks and clocks go wrong under load, readers' events come in any order, and all of it at random."""

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cells_oracle import cells_of
from fault import Fault
from fault_schedule import run_schedule
from fault_world import CLOCK_SLOT, GOAL, ZONE, sponsors
from faults import FAULTS
from host_faults import OF_THE_HOST, dropped
from service import READER, kill
from stage import Stage

from adserver.counting.cells import CLICKS, Metric
from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason

SEEN, CLICK = EventKind.SEEN, EventKind.CLICK
BOUNDED = id_hash(Kind.FLIGHT, "bounded").hex()
NO_VIEW = Metric.invalid(CLICK, InvalidReason.NO_VIEW)


def test_beacons_that_come_minutes_after_the_goal_was_met_are_over_and_the_goal_is_met_exactly(stage: Stage) -> None:
    tokens = [bounded_token(stage) for _ in range(4)]
    with stage.load():
        began = time.monotonic()

        def is_met() -> bool:
            """A minute a second goes by: what nobody saw is held for its reader for two."""
            stage.clock.set(300 + 60 * (time.monotonic() - began))
            return stage.stored().delivered[BOUNDED] == GOAL

        stage.service.await_that(is_met)
    with stage.visit() as visit:
        for token in tokens:
            visit.send(token, SEEN, READER)
    balance = stage.assert_exact()
    views = cells_of(stage.spooled().records, ZONE)[1][BOUNDED]
    print(f"{views} views of a flight with a goal of {GOAL}, four of them five minutes after their decision; {balance}")
    assert views >= GOAL + len(tokens)
    stage.clock.set(0)
    stage.sound = True


def bounded_token(stage: Stage) -> str:
    """Return a token of the flight that has a goal, once it is granted some and is drawn."""
    drawn: list[str] = []

    def is_drawn() -> bool:
        with stage.visit() as visit:
            decision = visit.ask()
        drawn.extend([str(decision["token"])] if decision and decision["flight"] == "bounded" else [])
        return bool(drawn)

    stage.service.await_that(is_drawn)
    return drawn[0]


def test_clicks_counted_before_their_views_are_clicks_once_the_views_are_there(stage: Stage) -> None:
    """First by the reader's order; then by the keeper's, which reads one worker's spool before the other's."""
    tokens = [token_of(stage) for _ in range(6)]
    before = totals(stage)
    with stage.visit() as visit:
        for token in tokens:
            visit.send(token, CLICK, READER)
    stage.settle()  # on a busy machine for longer than a connection is kept
    assert totals(stage) == (before[0], before[1] + 6)
    with stage.visit() as visit:
        for token in tokens:
            visit.send(token, SEEN, READER)
    stage.settle()
    assert totals(stage) == (before[0] + 6, before[1])

    keeper = stage.service.pid_of("main keeper")
    kill(keeper, signal.SIGSTOP)
    print(f"stopped keeper {keeper}")
    for _ in range(40):
        token = token_of(stage)
        for kind in (SEEN, CLICK):
            with stage.visit() as visit:
                visit.send(token, kind, READER)
    kill(keeper, signal.SIGCONT)
    print(stage.assert_exact())
    stage.sound = True


def token_of(stage: Stage) -> str:
    with stage.visit() as visit:
        decision = visit.ask()
        assert decision is not None
        return str(decision["token"])


def totals(stage: Stage) -> tuple[int, int]:
    """Return how many clicks count, over ones too, and how many have no view."""
    cells = stage.stored().cells
    clicks, no_view = (
        sum(count for cell, count in cells.items() if cell.family == "hours" and cell.metric == metric)
        for metric in (CLICKS, NO_VIEW)
    )
    return clicks, no_view


@pytest.mark.parametrize("fault", OF_THE_HOST, ids=lambda fault: fault.name)
def test_exact_through(fault: Fault, stage: Stage, survive: Callable[[Fault], None]) -> None:
    before = dropped(stage)
    survive(fault)
    assert (dropped(stage) > before) == (fault.name == "disk full under the spools")


def test_exact_through_a_random_schedule(stage: Stage) -> None:
    """A dozen seconds of the quick faults; `make faults SEED=… MINUTES=…` runs all of them for as long as asked."""
    course = run_schedule(stage, [fault for fault in FAULTS if not fault.slow], seed=20_261_124, seconds=12)
    print(course.injected)
    assert course.injected.total() >= 3
    stage.sound = True


def test_hours_go_by_the_clock_as_it_is_an_hour_wrong_either_way_and_right_again(stage: Stage) -> None:
    """A flight that runs for forty minutes around now, on a clock that jumps: no worker goes on by the old one."""
    now = datetime.now(UTC)
    first, last = (f"{now + timedelta(minutes=minutes):%H:%M}" for minutes in (-20, 20))
    document = sponsors()
    document["advertiser"] = {"id": "baker", "name": "Baker"}
    (campaign,) = document["campaigns"]
    (creative, _) = campaign["creatives"]
    hours = {"hours": {"from": first, "to": last}}
    flight = {"id": "around-now", "slots": [CLOCK_SLOT], "targeting": hours}
    campaign |= {"id": "hourly", "creatives": [creative | {"id": "bread"}], "flights": [flight]}
    status, _, body = stage.service.call("/v1/campaigns", body=document, headers=stage.service.admin())
    assert status == 200, body

    def answers() -> set[str]:
        """Return what twenty readers, each on a connection of his own, are answered; HEAD leaves no trace."""
        asked = (stage.service.call(f"/v1/slots/{CLOCK_SLOT}", method="HEAD") for _ in range(20))
        return {headers.get("Sponsor-No-Fill", "fill") for _, headers, _ in asked}

    with stage.load():
        for seconds, expected in ((0, "fill"), (3600, "hours"), (0, "fill"), (-3600, "hours"), (0, "fill")):
            stage.clock.set(seconds)
            stage.service.await_that(lambda expected=expected: answers() == {expected})  # type: ignore[misc]
            assert answers() == {expected}
    print(stage.assert_exact())
    stage.sound = True
