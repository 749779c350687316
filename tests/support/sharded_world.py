"""Campaigns whose flights lie in many shards, and what their counts must come to by what the spools hold."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from counting_oracle import Hashes, differences
from load import Load
from service import Service, running_service

from adserver.counting.cells import Family
from adserver.counting.drops import dropped_events
from adserver.counting.records import Record, decode
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.keeping.batches import Goal

SLOTS = tuple(f"slot-{number}" for number in range(12))
"""Each has a flight of its own; the first has one with a goal, and one for when that is met."""
GOAL = 20
GOALS = {id_hash(Kind.FLIGHT, "flight-0"): Goal(1, GOAL)}


def write_campaigns(folder: Path) -> None:
    """Write the campaign files; days are UTC's, as the oracle's are."""
    folder.mkdir(parents=True)
    site = {"id": "paper", "name": "THE PAPER", "home": "https://paper.example/", "timezone": "Etc/UTC"}
    slots = [{"id": slot, "site": "paper", "max_chars": 140} for slot in SLOTS]
    (folder / "slots.yaml").write_text(json.dumps({"sites": [site], "slots": slots}))
    (folder / "bank.yaml").write_text(json.dumps(campaign_file()))


@contextmanager
def running_sharded(folder: Path, url: str) -> Iterator[Service]:
    """Run a service that serves these campaigns and counts into a store of several servers."""
    write_campaigns(folder / "campaigns")
    with running_service(folder, ADSERVER_REDIS_URL=url) as service:
        yield service


def campaign_file(**changes: object) -> dict[str, object]:
    """Return the campaign file, its campaign with changes."""
    flights: list[dict[str, object]] = [{"id": f"flight-{n}", "slots": [slot]} for n, slot in enumerate(SLOTS)]
    flights[0]["goal"] = {"impressions": GOAL, "pacing": "asap"}
    flights.append({"id": "fallback", "slots": [SLOTS[0]], "tier": "house"})
    creative = {"id": "line", "click_url": "https://bank.example/", "variants": {"name": "BANK"}}
    campaign = {
        "id": "season",
        "name": "Season",
        "timezone": "Etc/UTC",
        "starts": "2025-01-01",
        "creatives": [creative],
        "flights": flights,
    }
    return {"advertiser": {"id": "bank", "name": "BANK"}, "campaigns": [{**campaign, **changes}]}


def written(service: Service) -> Iterator[Record]:
    """Yield all that the workers have written to their spools."""
    for path in sorted((service.data_dir / "spools").glob("*/*.spool")):
        for record in decode(path.read_bytes()):
            assert isinstance(record, Record)
            yield record


def assert_exact(service: Service, load: Load, hashes: Hashes) -> None:
    """Every event answered is counted once or a declared drop, and every cell is the oracle's.

    Call it when the service has ended: then all that its workers have written was brought to the counts.
    """
    records = list(written(service))
    cells = {key: fields for key, fields in hashes.items() if key.split(":")[1] in set(Family)}
    drops = dropped_events(service.data_dir / "spools")
    events = [record for record in records if record.times == 1 and not record.reason and record.issuer != b"\0" * 6]
    print(f"answered {load.answered}, in the spools {len(events)}, declared drops {drops}, cells' hashes {len(cells)}")
    assert load.statuses == {200}
    assert load.failures == []
    assert load.answered == len(events) + drops
    assert differences(cells, records, GOALS) == []


def run_load(service: Service, during: Callable[[Load], str]) -> Load:
    """Read while something happens; say what it was, and how many events were answered before and after it began."""
    load = Load(service, slots=SLOTS)
    load.start()
    try:
        load.await_answers(80)
        before = load.answered
        what = during(load)
        load.await_answers(80)
    finally:
        load.stop()
    print(f"{what}; events answered before {before}, after {load.answered - before}")
    return load


def await_counted(service: Service, load: Load) -> None:
    """Wait until statistics have as many events as were answered, each a view of its own, over the goal or not."""

    def there() -> bool:
        try:
            totals = service.totals()
        except (OSError, AssertionError, http.client.HTTPException):
            return False
        return totals["impressions"] + totals["invalid"] == load.answered

    service.await_that(there)


def flight_hashes() -> tuple[IdHash, ...]:
    """Return the hashes of the flights that have a slot of their own."""
    return tuple(id_hash(Kind.FLIGHT, f"flight-{number}") for number in range(len(SLOTS)))
