"""Every metric there is, and what each says of this host at a moment. docs/metrics.md lists them; a test compares."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from adserver.counting.tally import DECISION_SECONDS_BOUNDS
from adserver.web import readings
from adserver.web.readings import Reading, Standing


class MetricKind(StrEnum):
    """What Prometheus makes of the numbers."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


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


def _counter(read: Reading) -> Callable[[MetricSpec, Standing], Metric]:
    def family(spec: MetricSpec, standing: Standing) -> Metric:
        made = CounterMetricFamily(spec.name, spec.meaning, labels=spec.labels)
        for labels, value in read(standing):
            made.add_metric(labels, value)
        return made

    return family


def _gauge(read: Reading) -> Callable[[MetricSpec, Standing], Metric]:
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


METRICS: Final = (
    MetricSpec(
        "adserver_decisions_total",
        MetricKind.COUNTER,
        ("slot",),
        'Lines asked for, filled or not. Slots that the catalog does not name are "(unknown)".',
        _counter(readings.decisions),
    ),
    MetricSpec(
        "adserver_no_fills_total",
        MetricKind.COUNTER,
        ("slot", "reason"),
        "Decisions that filled nothing, by the reason of the flight that came furthest.",
        _counter(readings.no_fills),
    ),
    MetricSpec(
        "adserver_events_total",
        MetricKind.COUNTER,
        ("kind", "verdict"),
        'Views and clicks that were answered, as the worker judged them: "counted", or why not. What only the counts '
        "can tell (duplicate, no_view, over) is counted here.",
        _counter(readings.events),
    ),
    MetricSpec(
        "adserver_dropped_events_total",
        MetricKind.COUNTER,
        (),
        "Events that were answered and could not be written, ever: the disk was full or failed.",
        _counter(readings.dropped),
    ),
    MetricSpec(
        "adserver_lost_events_total",
        MetricKind.COUNTER,
        ("cause",),
        "Events of all hosts that were answered and are in no count, ever, by cause: unwritten, corrupt, late.",
        _counter(readings.lost),
    ),
    MetricSpec(
        "adserver_gaps",
        MetricKind.GAUGE,
        (),
        "Ranges of spools of all hosts that were gone before they were counted, and are not repaired.",
        _gauge(readings.gaps),
    ),
    MetricSpec(
        "adserver_cached_embed",
        MetricKind.GAUGE,
        ("slot", "place", "issued"),
        "Beacons of tokens that were shown to over 20 readers: a page keeps markup that holds a token. "
        "The 20 worst; gone two days after the last beacon.",
        _gauge(readings.cached_embeds),
    ),
    MetricSpec(
        "adserver_alerts",
        MetricKind.GAUGE,
        ("kind",),
        "Alerts that are on, of all hosts. Absent until somebody has looked.",
        _gauge(readings.alerts),
    ),
    MetricSpec(
        "adserver_alerts_age_seconds",
        MetricKind.GAUGE,
        (),
        "Since alerts were last looked for: once a minute, while the service counts.",
        _gauge(readings.alerts_age),
    ),
    MetricSpec(
        "adserver_alert_sendings_total",
        MetricKind.COUNTER,
        ("way", "outcome"),
        "Notices of alerts by webhook or mail, of all hosts: sent, failed (it is tried again), given_up.",
        _counter(readings.alert_sendings),
    ),
    MetricSpec(
        "adserver_alerts_waiting",
        MetricKind.GAUGE,
        ("way",),
        "Notices of alerts that are to be sent, and are not yet.",
        _gauge(readings.alerts_waiting),
    ),
    MetricSpec(
        "adserver_log_lines_total",
        MetricKind.COUNTER,
        ("level",),
        "Lines that the workers logged as warning or error; the log says what.",
        _counter(readings.log_lines),
    ),
    MetricSpec(
        "adserver_untrusted_proxy_requests_total",
        MetricKind.COUNTER,
        (),
        "Requests with X-Forwarded-For from loopback or a private address that ADSERVER_TRUSTED_PROXIES does not name.",
        _counter(readings.untrusted_proxies),
    ),
    MetricSpec("adserver_workers", MetricKind.GAUGE, (), "Processes that answer requests.", _gauge(readings.workers)),
    MetricSpec(
        "adserver_revision",
        MetricKind.GAUGE,
        (),
        "The catalog's revision that is served; the lowest, where workers differ. 0: none.",
        _gauge(readings.revision),
    ),
    MetricSpec(
        "adserver_host_revision",
        MetricKind.GAUGE,
        (),
        "The newest revision that the keeper brought to this host. 0: none.",
        _gauge(readings.host_revision),
    ),
    MetricSpec(
        "adserver_catalog_readable",
        MetricKind.GAUGE,
        (),
        "1: the snapshot on disk is the one that serves; 0: it cannot be read, and the one before it serves.",
        _gauge(readings.catalog_readable),
    ),
    MetricSpec(
        "adserver_keeper_up",
        MetricKind.GAUGE,
        (),
        "1: the keeper is at work; 0: it has been silent for 10 seconds, and nothing is counted.",
        _gauge(readings.keeper_up),
    ),
    MetricSpec(
        "adserver_keeper_age_seconds",
        MetricKind.GAUGE,
        (),
        "Since the keeper last said anything.",
        _gauge(readings.keeper_age),
    ),
    MetricSpec(
        "adserver_redis_up",
        MetricKind.GAUGE,
        (),
        "1: Redis took all that the keeper asked of it; 0: it is away or refused, and counting waits. "
        "Absent while the keeper is silent.",
        _gauge(readings.redis_up),
    ),
    MetricSpec(
        "adserver_archive_ok",
        MetricKind.GAUGE,
        (),
        "1: what is counted can be put into the archive; 0: the disk does not take it, and the spools grow. "
        "Absent while the keeper is silent.",
        _gauge(readings.archive_ok),
    ),
    MetricSpec(
        "adserver_spool_backlog_bytes",
        MetricKind.GAUGE,
        (),
        "What workers have written and the counts do not hold yet; 64 bytes an event.",
        _gauge(readings.backlog),
    ),
    MetricSpec(
        "adserver_spool_lag_seconds",
        MetricKind.GAUGE,
        (),
        "For how long the counts have been behind; 0: they are not.",
        _gauge(readings.lag),
    ),
    MetricSpec(
        "adserver_data_dir_free_bytes",
        MetricKind.GAUGE,
        (),
        "Room left on the data folder's disk.",
        _gauge(readings.free),
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
