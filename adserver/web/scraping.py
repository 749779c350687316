"""`GET /metrics`, for Prometheus: from this machine without a token, from elsewhere with one."""

import os
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from flask import Blueprint, Request, Response, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from adserver.alerts.book_file import read_book
from adserver.counting.drops import dropped_events
from adserver.counting.worker_sums import WorkerSums, read_worker_sums
from adserver.keeping.cached_embeds_file import read_cached_embeds
from adserver.keeping.keeper_state import read_keeper_state
from adserver.web.auth import Authenticator, require_unbound
from adserver.web.hosts import names_loopback
from adserver.web.metrics import collect
from adserver.web.readings import Standing

_PROXY_HEADERS: Final = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-Ip",
)
"""What a proxy adds: behind one on this machine every reader would come from loopback."""


def scraping_blueprint(standing: Callable[[], Standing], authenticator: Authenticator) -> Blueprint:
    """Return `/metrics`.

    Args:
        standing: looks at this host; must answer at once, without Redis.
        authenticator: tells who shows a token; any role may read, unless it is bound to advertisers.
    """
    blueprint = Blueprint("scraping", __name__)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        if not _is_local(request):
            require_unbound(authenticator)
        body = generate_latest(_Collected(collect(standing())))
        response = Response(body, content_type=CONTENT_TYPE_PLAIN_0_0_4)
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint


def look_at_host(
    data_dir: Path, worker_sums: Path, spools: Path, *, slots: frozenset[str], catalog_readable: bool, now: float
) -> Standing:
    """Return how this host stands, from the files of its data folder; `now` is Unix time."""
    found = read_worker_sums(worker_sums)
    sums = WorkerSums()
    for worker in found:
        sums = sums.plus(worker.sums)
    return Standing(
        sums=sums,
        served_revisions=tuple(worker.sums.revision for worker in found if worker.alive),
        keeper=read_keeper_state(data_dir),
        dropped_events=dropped_events(spools),
        cached_embeds=read_cached_embeds(data_dir),
        free_bytes=_free_bytes(data_dir),
        slots=slots,
        catalog_readable=catalog_readable,
        now=now,
        alerts=read_book(data_dir),
    )


class _Collected(Collector):
    """Hands metrics to their writer. One call."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._metrics


def _is_local(asked: Request) -> bool:
    """Tell whether a request was made on this machine, for this machine: no proxy between, no foreign host's name."""
    try:
        loopback = ip_address(asked.remote_addr or "").is_loopback
    except ValueError:  # a unix socket: whoever speaks there is a proxy
        return False
    return loopback and names_loopback(asked.host) and not any(name in asked.headers for name in _PROXY_HEADERS)


def _free_bytes(folder: Path) -> int | None:
    try:
        status = os.statvfs(folder)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize
