"""What each metric says of this host, read from how it stands at one moment."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from adserver.alerts.alert import AlertKind
from adserver.alerts.book import NO_BOOK, Book
from adserver.counting.worker_sums import FILLED, UNKNOWN_SLOT, WorkerSums
from adserver.keeping.cached_embeds_file import CachedEmbeds
from adserver.keeping.keeper_state import KeeperState


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the metrics of a host are read from, at one moment. Immutable."""

    sums: WorkerSums
    """What all workers have counted, those that are gone included."""
    served_revisions: tuple[int, ...]
    """One for each worker that lives."""
    keeper: KeeperState | None
    """None: no keeper ever said anything."""
    dropped_events: int
    cached_embeds: CachedEmbeds
    """What the keeper found of cached markup."""
    free_bytes: int | None
    """Of the data folder's disk; None: the system does not tell."""
    slots: frozenset[str]
    """The slots of the catalog that the answering worker serves."""
    catalog_readable: bool
    """Whether the newest snapshot on disk is the one that serves."""
    now: float
    """Unix time."""
    alerts: Book = NO_BOOK
    """What is remembered of alerts."""


Labelled = Iterable[tuple[tuple[str, ...], float]]
"""Values with their labels; none where it is not known."""

Reading = Callable[[Standing], Labelled]
"""Says one thing of a host."""


def _shown_slots(standing: Standing) -> dict[str, dict[str, int]]:
    """Return decisions by slot, of slots that are in the catalog now: a label for each, and no more."""
    shown = standing.slots | {UNKNOWN_SLOT}
    return {slot: counts for slot, counts in standing.sums.decisions.items() if slot in shown}


def decisions(standing: Standing) -> Labelled:
    """Return the lines asked for, by slot."""
    for slot, counts in _shown_slots(standing).items():
        yield (slot,), sum(counts.values())


def no_fills(standing: Standing) -> Labelled:
    """Return the decisions that filled nothing, by slot and reason."""
    for slot, counts in _shown_slots(standing).items():
        for reason, count in counts.items():
            if reason != FILLED:
                yield (slot, reason), count


def events(standing: Standing) -> Labelled:
    """Return the events answered, by kind and verdict."""
    for kind, counts in standing.sums.events.items():
        for verdict, count in counts.items():
            yield (kind, verdict), count


def log_lines(standing: Standing) -> Labelled:
    """Return the lines logged, by level."""
    lines = standing.sums.log_lines
    for level in ("error", "warning"):
        yield (level,), lines.get(level, 0)


def untrusted_proxies(standing: Standing) -> Labelled:
    """Return the requests that a proxy that no setting names has forwarded."""
    yield (), standing.sums.untrusted_proxies


def workers(standing: Standing) -> Labelled:
    """Return how many processes answer."""
    yield (), len(standing.served_revisions)


def revision(standing: Standing) -> Labelled:
    """Return the lowest revision that a worker serves."""
    if standing.served_revisions:
        yield (), min(standing.served_revisions)


def dropped(standing: Standing) -> Labelled:
    """Return the events that could not be written."""
    yield (), standing.dropped_events


def gaps(standing: Standing) -> Labelled:
    """Return how many ranges of spools are missing."""
    if standing.keeper is not None:
        yield (), standing.keeper.losses.gaps


def lost(standing: Standing) -> Labelled:
    """Return the events that are in no count, by cause."""
    if standing.keeper is not None:
        yield from (((cause,), events) for cause, events in standing.keeper.losses.by_cause.items())


def cached_embeds(standing: Standing) -> Labelled:
    """Return the beacons of tokens that stood in cached markup, by slot, place and hour of issue."""
    beacons: Counter[tuple[str, ...]] = Counter()
    for embed in standing.cached_embeds.worst:
        beacons[embed.slot, embed.place, embed.issued_at] += embed.beacons
    yield from beacons.items()


def alerts(standing: Standing) -> Labelled:
    """Return how many alerts are on, by kind."""
    if standing.alerts.at is not None:
        kinds = Counter(alert.kind for alert in standing.alerts.alerts)
        yield from (((kind.value,), kinds[kind]) for kind in AlertKind)


def alerts_age(standing: Standing) -> Labelled:
    """Return for how long nobody has looked for alerts."""
    if standing.alerts.at is not None:
        yield (), max(0.0, standing.now - standing.alerts.at)


def alert_sendings(standing: Standing) -> Labelled:
    """Return what became of sending alerts, by way and outcome."""
    for way, tally in standing.alerts.tallies.items():
        for outcome, number in (("sent", tally.sent), ("failed", tally.failed), ("given_up", tally.given_up)):
            yield (way, outcome), number


def alerts_waiting(standing: Standing) -> Labelled:
    """Return how many notices are still to be sent, by way."""
    waiting = Counter(each.way for each in standing.alerts.to_send)
    for way in sorted({*waiting, *standing.alerts.tallies}):
        yield (way,), waiting[way]


def free(standing: Standing) -> Labelled:
    """Return the room left on the data folder's disk."""
    if standing.free_bytes is not None:
        yield (), standing.free_bytes


def catalog_readable(standing: Standing) -> Labelled:
    """Tell whether the newest snapshot serves."""
    yield (), standing.catalog_readable


def keeper_up(standing: Standing) -> Labelled:
    """Tell whether the keeper is at work."""
    yield (), _heard(standing) is not None


def keeper_age(standing: Standing) -> Labelled:
    """Return the seconds since the keeper said anything."""
    if standing.keeper is not None:
        yield (), max(0.0, standing.now - standing.keeper.at)


def redis_up(standing: Standing) -> Labelled:
    """Tell whether Redis takes what the keeper asks of it."""
    keeper = _heard(standing)
    if keeper is not None:
        yield (), keeper.redis


def archive_ok(standing: Standing) -> Labelled:
    """Tell whether the archive takes what is counted."""
    keeper = _heard(standing)
    if keeper is not None:
        yield (), not keeper.archive_fault


def backlog(standing: Standing) -> Labelled:
    """Return the bytes that wait to be counted."""
    if standing.keeper is not None:
        yield (), standing.keeper.backlog_bytes


def lag(standing: Standing) -> Labelled:
    """Return for how many seconds the counts have been behind."""
    if standing.keeper is not None:
        yield (), standing.keeper.lag_seconds(standing.now)


def host_revision(standing: Standing) -> Labelled:
    """Return the newest revision that is on this host."""
    if standing.keeper is not None:
        yield (), standing.keeper.revision


def _heard(standing: Standing) -> KeeperState | None:
    """Return the state of a keeper that is at work; None: there is none, or it has fallen silent."""
    keeper = standing.keeper
    return None if keeper is None or keeper.is_stale(standing.now) else keeper
