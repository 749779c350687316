"""What may be wrong with the service: its keeper, its counts, what it serves. Pure."""

from collections.abc import Iterator
from typing import Final

from adserver.alerts.way_name import WayName
from adserver.processes.facts import Facts
from adserver.processes.findings import Finding, Severity

BEHIND_SECONDS: Final = 30.0

_DROP_CAUSES: Final = {
    "late": "events came too late to be told from those counted before",
    "corrupt": "records of the spools were damaged",
}


def check_keeper(facts: Facts) -> Iterator[Finding]:
    """Find whether events are counted, and whether what is published is served."""
    service, keeper = facts.service, facts.service.keeper
    if service.keepers is not None and len(service.keepers) > 1:
        pids = ", ".join(map(str, service.keepers))
        yield Finding(
            "two_keepers",
            Severity.ERROR,
            f"several processes are the keeper of this folder (pid {pids})",
            "end all services on this folder and start one; the folder must be on a local disk",
        )
    if not service.running:
        yield Finding(
            "service_stopped", Severity.INFO, "no service is at work on this data folder", "adserver serve starts it"
        )
        return
    if service.keepers == () or (service.keepers is None and keeper is None):
        yield Finding(
            "keeper_absent",
            Severity.ERROR,
            "no keeper is at work: events are kept on disk, and not counted",
            "look at what the service printed; adserver serve starts a keeper and keeps it alive",
        )
    elif keeper is None or keeper.is_stale(facts.now):
        silent = "never said anything" if keeper is None else f"has been silent for {facts.now - keeper.at:.0f} s"
        yield Finding(
            "keeper_silent",
            Severity.ERROR,
            f"the keeper {silent}: events are kept on disk, and not counted",
            "look at its log and at the disk; ended by its pid, it is started again",
        )
    elif not keeper.redis:
        yield Finding(
            "not_counting",
            Severity.ERROR,
            f"events are kept on disk, and not counted: {keeper.trouble}",
            "mend what it says; the keeper then goes on by itself, and nothing is lost",
        )
    elif keeper.catalog_fault:
        yield Finding(
            "catalog_stuck",
            Severity.ERROR,
            f"the live revision cannot be served on this host: {keeper.catalog_fault}",
            "mend what it says; the keeper then goes on by itself",
        )


def check_counts(facts: Facts) -> Iterator[Finding]:
    """Find what the counts lack, now or for ever."""
    keeper = facts.service.keeper
    if facts.service.running and keeper is not None and keeper.lag_seconds(facts.now) > BEHIND_SECONDS:
        yield Finding(
            "backlog",
            Severity.WARNING,
            f"the counts are {keeper.lag_seconds(facts.now):.0f} s behind ({keeper.backlog_bytes // 64} events)",
            "they catch up by themselves once Redis answers; if not, Redis or the disk is too slow",
        )
    if facts.service.dropped_events:
        yield Finding(
            "dropped",
            Severity.WARNING,
            f"{facts.service.dropped_events} events were answered and could not be written, ever",
            "they are lost; make sure that the data folder's disk has room and works",
        )
    if facts.redis is not None and facts.redis.gap_bytes:
        yield Finding(
            "gaps",
            Severity.WARNING,
            f"up to {facts.redis.gap_bytes // 64} events were gone from the spools before they were counted",
            "statistics lack them; keep the data folder's spools until the counts hold what is in them",
        )
    drops = {} if facts.redis is None else facts.redis.drops
    for cause, count in sorted(drops.items()):
        if count:
            yield Finding(
                f"dropped_{cause}",
                Severity.WARNING,
                f"{count} {_DROP_CAUSES.get(cause, f'events were not counted: {cause}')}",
                "statistics lack them; if it happens again, look at the disk and at how long counting was away",
            )


def check_embeds(facts: Facts) -> Iterator[Finding]:
    """Find pages that show one reader's markup to all of them."""
    embeds = facts.service.cached_embeds
    for embed in embeds.worst:
        at = f" at {embed.place}" if embed.place else ""
        yield Finding(
            "cached_embed",
            Severity.WARNING,
            f"a token for slot {embed.slot}{at}, issued in the hour of {embed.issued_at}, came {embed.beacons} times: "
            "a page, or something before it, keeps markup that is one reader's; it counts once",
            "keep what the slot answers out of every cache, or use the tag or the frame",
        )
    if embeds.tokens > len(embeds.worst):
        yield Finding(
            "cached_embed",
            Severity.WARNING,
            f"so did {embeds.tokens - len(embeds.worst)} more tokens",
            "mend those above first",
        )


def check_alerts(facts: Facts) -> Iterator[Finding]:
    """Find ways on which alerts do not get through."""
    for way in WayName:
        waiting = sum(each.way == way and each.tries > 0 for each in facts.service.alerts.to_send)
        if waiting:
            yield Finding(
                "alerts_unsent",
                Severity.WARNING,
                f"{waiting} notices of alerts do not get through by {way}; they are tried again for three days",
                "adserver doctor --send-test-alert says why",
            )


def check_snapshot(facts: Facts) -> Iterator[Finding]:
    """Find whether there is something to serve."""
    if facts.service.snapshot is not None:
        yield Finding(
            "snapshot_unreadable",
            Severity.ERROR,
            f"the compiled catalog cannot be read: {facts.service.snapshot}",
            "remove catalog.snapshot from the data folder; the keeper writes it anew at its next start",
        )
    elif facts.service.running and not facts.service.published:
        yield Finding(
            "nothing_published",
            Severity.ERROR,
            "nothing is published on this host: every slot stays empty",
            "adserver validate, then adserver push",
        )
