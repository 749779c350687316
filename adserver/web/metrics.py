"""Every metric there is, and what each says of this host at a moment. docs/metrics.md lists them; a test compares."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from adserver.counting.tally import DECISION_SECONDS_BOUNDS
from adserver.counting.worker_sums import FILLED, UNKNOWN_SLOT, WorkerSums
from adserver.keeping.keeper_state import KeeperState


class MetricKind(StrEnum):
    """What Prometheus makes of the numbers."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


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
    free_bytes: int | None
    """Of the data folder's disk; None: the system does not tell."""
    slots: frozenset[str]
    """The slots of the catalog that the answering worker serves."""
    catalog_readable: bool
    """Whether the newest snapshot on disk is the one that serves."""
    now: float
    """Unix time."""


Labelled = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric, as it is named, documented and read. Immutable."""

    name: str
    """As queries name it, a counter with its `_total`."""
    kind: MetricKind
    labels: tuple[str, ...]
    meaning: str
    family: Callable[["MetricSpec", Standing], Metric]
    """Makes the metric with its samples; without some where they are not known."""


def collect(standing: Standing) -> list[Metric]:
    """Return all metrics with their samples."""
    return [spec.family(spec, standing) for spec in METRICS]


Reader = Callable[[Standing], Labelled]


def _counter(read: Reader) -> Callable[[MetricSpec, Standing], Metric]:
    def family(spec: MetricSpec, standing: Standing) -> Metric:
        made = CounterMetricFamily(spec.name, spec.meaning, labels=spec.labels)
        for labels, value in read(standing):
            made.add_metric(labels, value)
        return made

    return family


def _gauge(read: Reader) -> Callable[[MetricSpec, Standing], Metric]:
    def family(spec: MetricSpec, standing: Standing) -> Metric:
        made = GaugeMetricFamily(spec.name, spec.meaning, labels=spec.labels)
        for labels, value in read(standing):
            made.add_metric(labels, value)
        return made

    return family


def _decision_seconds(spec: MetricSpec, standing: Standing) -> Metric:
    made = HistogramMetricFamily(spec.name, spec.meaning)
    bounds = [*(f"{bound:g}" for bound in DECISION_SECONDS_BOUNDS), "+Inf"]
    counts = accumulate(standing.sums.second_buckets)
    made.add_metric([], list(zip(bounds, counts, strict=True)), standing.sums.seconds)
    return made


def _shown_slots(standing: Standing) -> dict[str, dict[str, int]]:
    """Return decisions by slot, of slots that are in the catalog now: a label for each, and no more."""
    shown = standing.slots | {UNKNOWN_SLOT}
    return {slot: counts for slot, counts in standing.sums.decisions.items() if slot in shown}


def _read_decisions(standing: Standing) -> Labelled:
    for slot, counts in _shown_slots(standing).items():
        yield (slot,), sum(counts.values())


def _read_no_fills(standing: Standing) -> Labelled:
    for slot, counts in _shown_slots(standing).items():
        for reason, count in counts.items():
            if reason != FILLED:
                yield (slot, reason), count


def _read_events(standing: Standing) -> Labelled:
    for kind, counts in standing.sums.events.items():
        for verdict, count in counts.items():
            yield (kind, verdict), count


def _read_log_lines(standing: Standing) -> Labelled:
    lines = standing.sums.log_lines
    for level in ("error", "warning"):
        yield (level,), lines.get(level, 0)


def _read_untrusted_proxies(standing: Standing) -> Labelled:
    yield (), standing.sums.untrusted_proxies


def _read_workers(standing: Standing) -> Labelled:
    yield (), len(standing.served_revisions)


def _read_revision(standing: Standing) -> Labelled:
    if standing.served_revisions:
        yield (), min(standing.served_revisions)


def _read_dropped(standing: Standing) -> Labelled:
    yield (), standing.dropped_events


def _read_gaps(standing: Standing) -> Labelled:
    if standing.keeper is not None:
        yield (), standing.keeper.losses.gaps


def _read_lost(standing: Standing) -> Labelled:
    if standing.keeper is not None:
        yield from (((cause,), events) for cause, events in standing.keeper.losses.by_cause.items())


def _read_free(standing: Standing) -> Labelled:
    if standing.free_bytes is not None:
        yield (), standing.free_bytes


def _read_catalog_readable(standing: Standing) -> Labelled:
    yield (), standing.catalog_readable


def _read_keeper_up(standing: Standing) -> Labelled:
    yield (), _heard(standing) is not None


def _read_keeper_age(standing: Standing) -> Labelled:
    if standing.keeper is not None:
        yield (), max(0.0, standing.now - standing.keeper.at)


def _read_redis_up(standing: Standing) -> Labelled:
    keeper = _heard(standing)
    if keeper is not None:
        yield (), keeper.redis


def _read_archive_ok(standing: Standing) -> Labelled:
    keeper = _heard(standing)
    if keeper is not None:
        yield (), not keeper.archive_fault


def _read_backlog(standing: Standing) -> Labelled:
    if standing.keeper is not None:
        yield (), standing.keeper.backlog_bytes


def _read_lag(standing: Standing) -> Labelled:
    if standing.keeper is not None:
        yield (), standing.keeper.lag_seconds(standing.now)


def _read_host_revision(standing: Standing) -> Labelled:
    if standing.keeper is not None:
        yield (), standing.keeper.revision


def _heard(standing: Standing) -> KeeperState | None:
    """Return the state of a keeper that is at work; None: there is none, or it has fallen silent."""
    keeper = standing.keeper
    return None if keeper is None or keeper.is_stale(standing.now) else keeper


METRICS: Final = (
    MetricSpec(
        "adserver_decisions_total",
        MetricKind.COUNTER,
        ("slot",),
        'Lines asked for, filled or not. Slots that the catalog does not name are "(unknown)".',
        _counter(_read_decisions),
    ),
    MetricSpec(
        "adserver_no_fills_total",
        MetricKind.COUNTER,
        ("slot", "reason"),
        "Decisions that filled nothing, by the reason of the flight that came furthest.",
        _counter(_read_no_fills),
    ),
    MetricSpec(
        "adserver_events_total",
        MetricKind.COUNTER,
        ("kind", "verdict"),
        'Views and clicks that were answered, as the worker judged them: "counted", or why not. What only the counts '
        "can tell (duplicate, no_view, over) is counted here.",
        _counter(_read_events),
    ),
    MetricSpec(
        "adserver_dropped_events_total",
        MetricKind.COUNTER,
        (),
        "Events that were answered and could not be written, ever: the disk was full or failed.",
        _counter(_read_dropped),
    ),
    MetricSpec(
        "adserver_lost_events_total",
        MetricKind.COUNTER,
        ("cause",),
        "Events of all hosts that were answered and are in no count, ever, by cause: unwritten, corrupt, late.",
        _counter(_read_lost),
    ),
    MetricSpec(
        "adserver_gaps",
        MetricKind.GAUGE,
        (),
        "Ranges of spools of all hosts that were gone before they were counted, and are not repaired.",
        _gauge(_read_gaps),
    ),
    MetricSpec(
        "adserver_log_lines_total",
        MetricKind.COUNTER,
        ("level",),
        "Lines that the workers logged as warning or error; the log says what.",
        _counter(_read_log_lines),
    ),
    MetricSpec(
        "adserver_untrusted_proxy_requests_total",
        MetricKind.COUNTER,
        (),
        "Requests with X-Forwarded-For from loopback or a private address that ADSERVER_TRUSTED_PROXIES does not name.",
        _counter(_read_untrusted_proxies),
    ),
    MetricSpec("adserver_workers", MetricKind.GAUGE, (), "Processes that answer requests.", _gauge(_read_workers)),
    MetricSpec(
        "adserver_revision",
        MetricKind.GAUGE,
        (),
        "The catalog's revision that is served; the lowest, where workers differ. 0: none.",
        _gauge(_read_revision),
    ),
    MetricSpec(
        "adserver_host_revision",
        MetricKind.GAUGE,
        (),
        "The newest revision that the keeper brought to this host. 0: none.",
        _gauge(_read_host_revision),
    ),
    MetricSpec(
        "adserver_catalog_readable",
        MetricKind.GAUGE,
        (),
        "1: the snapshot on disk is the one that serves; 0: it cannot be read, and the one before it serves.",
        _gauge(_read_catalog_readable),
    ),
    MetricSpec(
        "adserver_keeper_up",
        MetricKind.GAUGE,
        (),
        "1: the keeper is at work; 0: it has been silent for 10 seconds, and nothing is counted.",
        _gauge(_read_keeper_up),
    ),
    MetricSpec(
        "adserver_keeper_age_seconds",
        MetricKind.GAUGE,
        (),
        "Since the keeper last said anything.",
        _gauge(_read_keeper_age),
    ),
    MetricSpec(
        "adserver_redis_up",
        MetricKind.GAUGE,
        (),
        "1: Redis took all that the keeper asked of it; 0: it is away or refused, and counting waits. "
        "Absent while the keeper is silent.",
        _gauge(_read_redis_up),
    ),
    MetricSpec(
        "adserver_archive_ok",
        MetricKind.GAUGE,
        (),
        "1: what is counted can be put into the archive; 0: the disk does not take it, and the spools grow. "
        "Absent while the keeper is silent.",
        _gauge(_read_archive_ok),
    ),
    MetricSpec(
        "adserver_spool_backlog_bytes",
        MetricKind.GAUGE,
        (),
        "What workers have written and the counts do not hold yet; 64 bytes an event.",
        _gauge(_read_backlog),
    ),
    MetricSpec(
        "adserver_spool_lag_seconds",
        MetricKind.GAUGE,
        (),
        "For how long the counts have been behind; 0: they are not.",
        _gauge(_read_lag),
    ),
    MetricSpec(
        "adserver_data_dir_free_bytes", MetricKind.GAUGE, (), "Room left on the data folder's disk.", _gauge(_read_free)
    ),
    MetricSpec(
        "adserver_decision_seconds",
        MetricKind.HISTOGRAM,
        (),
        "How long one delivery call took to decide, sign, render and count; the slots of a page are one call.",
        _decision_seconds,
    ),
)
"""Every metric there is."""
