"""The one composition root: makes the application, the keeper and the stores from the settings."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import redis
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry

from adserver.catalog.compiled import COMPILED_NAME
from adserver.catalog.mirror import CatalogMirror
from adserver.catalog.names import load_names
from adserver.catalog.publish import Publisher
from adserver.catalog.redis_store import RedisRevisionStore
from adserver.catalog.served import ServedRevisions
from adserver.catalog.watch import CatalogWatch
from adserver.config import DATA_DIR, Settings
from adserver.counting.acceptance import Acceptance
from adserver.counting.delivered import DeliveredWatch
from adserver.counting.drops import spools_fail
from adserver.counting.issuer import Issuer
from adserver.counting.recorder import SpoolRecorder
from adserver.counting.shards import shard_of
from adserver.counting.tally import Tally
from adserver.counting.worker_sums import SumsFile
from adserver.domain.catalog import Catalog
from adserver.domain.ids import FlightId, IdHash, Kind, SlotId, id_hash
from adserver.domain.token import TokenCodec
from adserver.domain.variants import Variant
from adserver.keeping.counter import SpoolCounter
from adserver.keeping.eviction import refuse_eviction
from adserver.keeping.keeper import Keeper
from adserver.keeping.keeper_state import read_keeper_state, warn_of
from adserver.keeping.quarantine import QUARANTINE_NAME, Quarantine, holds_any
from adserver.keeping.redis_counts import RedisCountStore
from adserver.places.gazetteer import Gazetteer
from adserver.processes.backstage import BackstageWatch, show_presence, start_backstage
from adserver.processes.data_dir import DataDir
from adserver.processes.embedded_redis import EmbeddedRedis
from adserver.processes.interpreter import favour_requests
from adserver.processes.logs import configure_logging
from adserver.statistics.redis_cell_store import RedisCellStore
from adserver.statistics.service import StatisticsService
from adserver.web.app import AppParts, create_app
from adserver.web.auth import AdminTokenAuthenticator
from adserver.web.beginning import BeginningWithRequests
from adserver.web.calls import DeliveryCalls
from adserver.web.chance import WorkerRandom
from adserver.web.clicks import ClickRouter
from adserver.web.delivery import delivery_blueprint
from adserver.web.demo import demo_blueprint
from adserver.web.health import Readiness, health_blueprint
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit, GuardedAuthenticator
from adserver.web.management import Delivered, management_blueprint
from adserver.web.metrics import Standing
from adserver.web.scraping import look_at_host, scraping_blueprint
from adserver.web.serving import Deliverer
from adserver.web.statistics import statistics_blueprint
from adserver.web.upkeep import Upkeep

SHARDS: Final = 1
"""On a single server all counts live in one shard."""

SPOOLS_NAME: Final = "spools"
WORKER_SUMS_NAME: Final = "metrics"

_CONNECT_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 5.0


def create_wsgi_app() -> Flask:
    """Return the application for a worker of `adserver serve`, which keeps the keeper beside it.

    Raises:
        SettingRefused: a setting of the environment has a value that it cannot take.
    """
    app, upkeep = _make_worker(Settings.from_environ(os.environ))
    upkeep.start()
    return app


def create_standalone_app() -> Flask:
    """Return the application for any WSGI server; it starts, once on a host, what counts behind it.

    Its thread starts with a process's first request, so one that only loads the application, to fork workers from it,
    has none.

    Raises:
        SettingRefused: a setting of the environment has a value that it cannot take.
    """
    settings = Settings.from_environ(os.environ)
    data_dir = DataDir(settings.data_dir)
    environ = {**os.environ, DATA_DIR.name: str(data_dir.path)}
    backstage = BackstageWatch(data_dir, lambda: start_backstage(environ))
    app, upkeep = _make_worker(settings)
    show_presence(data_dir.path)
    backstage.poll()
    upkeep.watch(backstage)
    app.wsgi_app = BeginningWithRequests(app.wsgi_app, upkeep.start)  # type: ignore[method-assign]  # Flask's own way
    return app


def _make_worker(settings: Settings) -> tuple[Flask, Upkeep]:
    tally = Tally()
    configure_logging(settings.log_format, tally.log_line)
    # Not left to gunicorn, which refuses every path without the prefix, those of health checks too.
    script_name = os.environ.pop("SCRIPT_NAME", "")
    worker = make_app(settings, Gazetteer.load(), now_utc, tally, script_name=script_name)
    favour_requests()
    return worker


def now_utc() -> datetime:
    """Return the present, aware UTC."""
    return datetime.now(UTC)


def make_app(
    settings: Settings,
    gazetteer: Gazetteer,
    clock: Callable[[], datetime],
    tally: Tally | None = None,
    *,
    script_name: str = "",
) -> tuple[Flask, Upkeep]:
    """Return the application, and what keeps it fresh, not started.

    Args:
        settings: of this process.
        gazetteer: resolves places.
        clock: tells the present, aware UTC.
        tally: what `/metrics` is told by; None: one of its own.
        script_name: the path that all of it stands under, where the public address names none.
    """
    tally = tally or Tally()
    data_dir = DataDir(settings.data_dir, writable=False)
    catalog = CatalogWatch(data_dir.path / COMPILED_NAME)
    delivered = DeliveredWatch(data_dir.path)
    recorder = SpoolRecorder(data_dir.path / SPOOLS_NAME, SHARDS, lambda: clock().timestamp(), tally)
    sums = SumsFile(
        data_dir.path / WORKER_SUMS_NAME, tally, lambda slot: _slot_name(catalog, slot), lambda: _revision(catalog)
    )
    codec = TokenCodec(settings.secret_keys or data_dir.secret_keys())
    acceptance = Acceptance(
        codec,
        recorder,
        lambda creative, variant: _has(catalog, creative, variant, clock()),
        lambda: clock().timestamp(),
    )
    deliverer = Deliverer(
        catalog=catalog,
        delivered=delivered,
        codec=codec,
        issuer=Issuer(SHARDS),
        shards=SHARDS,
        recorder=recorder,
        clock=clock,
        rng=WorkerRandom(),
    )
    calls = DeliveryCalls(deliverer=deliverer, acceptance=acceptance, places=gazetteer, public_url=settings.public_url)
    clicks = ClickRouter(
        catalog=catalog,
        places=gazetteer,
        codec=codec,
        acceptance=acceptance,
        clock=clock,
        home_url=settings.home_url,
    )
    authenticator = GuardedAuthenticator(
        AdminTokenAuthenticator(settings.admin_token or data_dir.admin_token()), CallLimit(time.monotonic)
    )
    client = open_redis(settings)
    publisher = _make_publisher(client, gazetteer, data_dir.path, clock)
    blueprints = [
        delivery_blueprint(calls, clicks),
        management_blueprint(
            publisher, authenticator, CallLimit(time.monotonic), _delivered_of(RedisCountStore(client)), clock
        ),
        statistics_blueprint(
            _make_statistics(client, catalog, gazetteer, clock), authenticator, CallLimit(time.monotonic)
        ),
        health_blueprint(lambda: _readiness(catalog, data_dir.path, clock().timestamp(), recorder.fault)),
        scraping_blueprint(lambda: _standing(catalog, data_dir.path, clock().timestamp()), authenticator),
    ]
    if settings.demo:
        blueprints.append(demo_blueprint(deliverer, gazetteer))
    app = create_app(
        AppParts(
            blueprints=tuple(blueprints),
            hosts=HostRules(settings.public_url, settings.allowed_hosts),
            trusted_proxies=settings.trusted_proxies,
            on_untrusted_proxy=tally.untrusted_proxy,
            lane=calls,
            mounted_at=urlsplit(settings.public_url or "").path or script_name.rstrip("/"),
        )
    )
    return app, Upkeep((catalog, delivered), recorder, sums)


def make_keeper(settings: Settings, gazetteer: Gazetteer) -> Keeper:
    """Return this host's keeper; it must hold the data folder's keeper lock while it steps."""
    data_dir = DataDir(settings.data_dir)
    client = open_redis(settings)
    counts = RedisCountStore(client)
    return Keeper(
        data_dir=data_dir.path,
        counter=SpoolCounter(
            data_dir.path / SPOOLS_NAME, counts, SHARDS, quarantine=Quarantine(data_dir.path / QUARANTINE_NAME)
        ),
        counts=counts,
        shards=SHARDS,
        catalog=CatalogMirror(RedisRevisionStore(client), gazetteer, data_dir.path),
        snapshots=CatalogWatch(data_dir.path / COMPILED_NAME),
        load_names=lambda: load_names(client),
        check_store=lambda: refuse_eviction(client),
    )


def open_publisher(settings: Settings) -> Publisher:
    """Return what publishes revisions. Makes no data folder: a command that is given elsewhere leaves nothing."""
    return _make_publisher(open_redis(settings), Gazetteer.load(), settings.data_dir.absolute(), now_utc)


def open_statistics(settings: Settings) -> StatisticsService:
    """Return what answers queries; it makes no data folder."""
    catalog = CatalogWatch(settings.data_dir.absolute() / COMPILED_NAME)
    catalog.poll()
    return _make_statistics(open_redis(settings), catalog, Gazetteer.load(), now_utc)


def open_redis(settings: Settings) -> redis.Redis:
    """Return a client of the settings' Redis; it connects at first use, and never tries a command twice by itself."""
    return redis.Redis.from_url(
        settings.redis_url or EmbeddedRedis.of(settings.data_dir).url,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _make_publisher(
    client: redis.Redis, gazetteer: Gazetteer, data_dir: Path, clock: Callable[[], datetime]
) -> Publisher:
    return Publisher(RedisRevisionStore(client), gazetteer, clock, ServedRevisions(data_dir))


def _make_statistics(
    client: redis.Redis, catalog: CatalogWatch, gazetteer: Gazetteer, clock: Callable[[], datetime]
) -> StatisticsService:
    def live() -> Catalog:
        snapshot = catalog.current()
        return snapshot.catalog if snapshot else Catalog()

    return StatisticsService(RedisCellStore(client), lambda: load_names(client), live, gazetteer, clock)


def _delivered_of(counts: RedisCountStore) -> Delivered:
    def delivered(flights: Sequence[FlightId]) -> Mapping[FlightId, int]:
        hashes: dict[IdHash, FlightId] = {id_hash(Kind.FLIGHT, flight): flight for flight in flights}
        by_shard: dict[int, list[IdHash]] = {}
        for hash_ in hashes:
            by_shard.setdefault(shard_of(hash_, SHARDS), []).append(hash_)
        return {
            hashes[hash_]: count
            for shard, asked in by_shard.items()
            for hash_, count in counts.delivered(shard, asked).items()
        }

    return delivered


def _has(catalog: CatalogWatch, creative: IdHash, variant: Variant, now: datetime) -> bool:
    snapshot = catalog.current()
    target = snapshot.creative_by_hash(creative, now) if snapshot else None
    return target is not None and variant in target.lengths


def _slot_name(catalog: CatalogWatch, hash_: IdHash) -> SlotId | None:
    snapshot = catalog.current()
    slot = snapshot.slot_by_hash(hash_) if snapshot else None
    return slot.id if slot else None


def _revision(catalog: CatalogWatch) -> int:
    snapshot = catalog.current()
    return snapshot.revision if snapshot else 0


def _standing(catalog: CatalogWatch, data_dir: Path, now: float) -> Standing:
    snapshot = catalog.current()
    return look_at_host(
        data_dir,
        data_dir / WORKER_SUMS_NAME,
        data_dir / SPOOLS_NAME,
        slots=frozenset(slot.id for slot in snapshot.catalog.slots) if snapshot else frozenset(),
        catalog_readable=catalog.fault is None,
        now=now,
    )


def _readiness(catalog: CatalogWatch, data_dir: Path, now: float, spool_fault: str | None) -> Readiness:
    snapshot = catalog.current()
    faults = (catalog.fault,) if catalog.fault else ()
    warnings = (*faults, *warn_of(read_keeper_state(data_dir), now), *_warn_of_storage(data_dir, spool_fault))
    if snapshot is None:
        reason = "nothing is published, and there is no copy on this host's disk"
        return Readiness(0, reasons=(reason,), warnings=warnings)
    return Readiness(snapshot.revision, warnings=warnings)


def _warn_of_storage(data_dir: Path, spool_fault: str | None) -> tuple[str, ...]:
    """Return what someone should mend on the disk of this host."""
    warnings: list[str] = []
    if spool_fault is not None or spools_fail(data_dir / SPOOLS_NAME):
        warnings.append("events cannot be written and are dropped: the data folder is full, read-only or broken")
    if holds_any(data_dir):
        warnings.append(
            f"bytes of a spool were no records; see {QUARANTINE_NAME}/ in the data folder, and take it away"
        )
    return tuple(warnings)
