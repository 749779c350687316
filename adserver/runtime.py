"""The one composition root: makes the application, the keeper and the stores from the settings."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Final

import redis
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry

from adserver.catalog.backup import RevisionBackup
from adserver.catalog.compiled import COMPILED_NAME
from adserver.catalog.mirror import CatalogMirror
from adserver.catalog.names import load_names
from adserver.catalog.publish import Publisher
from adserver.catalog.redis_store import RedisRevisionStore
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.counting.acceptance import Acceptance
from adserver.counting.delivered import DeliveredWatch
from adserver.counting.issuer import Issuer
from adserver.counting.recorder import SpoolRecorder
from adserver.counting.shards import shard_of
from adserver.domain.catalog import Catalog
from adserver.domain.ids import FlightId, IdHash, Kind, id_hash
from adserver.domain.token import TokenCodec
from adserver.domain.variants import Variant
from adserver.keeping.counter import SpoolCounter
from adserver.keeping.keeper import Keeper
from adserver.keeping.redis_counts import RedisCountStore
from adserver.places.gazetteer import Gazetteer
from adserver.processes.data_dir import DataDir
from adserver.processes.embedded_redis import EmbeddedRedis
from adserver.processes.logs import configure_logging
from adserver.statistics.redis_cell_store import RedisCellStore
from adserver.statistics.service import StatisticsService
from adserver.web.app import AppParts, create_app
from adserver.web.auth import AdminTokenAuthenticator
from adserver.web.clicks import ClickRouter
from adserver.web.delivery import delivery_blueprint
from adserver.web.demo import demo_blueprint
from adserver.web.health import Readiness, health_blueprint
from adserver.web.hosts import HostRules
from adserver.web.management import Delivered, management_blueprint
from adserver.web.serving import Deliverer
from adserver.web.statistics import statistics_blueprint
from adserver.web.upkeep import Upkeep

SHARDS: Final = 1
"""On a single server all counts live in one shard."""

SPOOLS_NAME: Final = "spools"

_CONNECT_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 5.0


def create_wsgi_app() -> Flask:
    """Return the application for a process of `adserver serve`, which keeps the keeper beside it.

    Raises:
        SettingRefused: a setting of the environment has a value that it cannot take.
    """
    settings = Settings.from_environ(os.environ)
    configure_logging(settings.log_format)
    app, upkeep = make_app(settings, Gazetteer.load(), now_utc)
    upkeep.start()
    return app


def now_utc() -> datetime:
    """Return the present, aware UTC."""
    return datetime.now(UTC)


def make_app(settings: Settings, gazetteer: Gazetteer, clock: Callable[[], datetime]) -> tuple[Flask, Upkeep]:
    """Return the application, and what keeps it fresh, not started; `clock` tells the present, aware UTC."""
    data_dir = DataDir(settings.data_dir)
    catalog = CatalogWatch(data_dir.path / COMPILED_NAME)
    delivered = DeliveredWatch(data_dir.path)
    recorder = SpoolRecorder(data_dir.path / SPOOLS_NAME, SHARDS, lambda: clock().timestamp())
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
        rng=SystemRandom(),
    )
    clicks = ClickRouter(
        catalog=catalog,
        places=gazetteer,
        codec=codec,
        acceptance=acceptance,
        clock=clock,
        home_url=settings.home_url,
    )
    authenticator = AdminTokenAuthenticator(settings.admin_token or data_dir.admin_token())
    client = open_redis(settings)
    publisher = _make_publisher(client, gazetteer, data_dir.path, clock)
    blueprints = [
        delivery_blueprint(deliverer, clicks, acceptance, gazetteer, settings.public_url),
        management_blueprint(publisher, authenticator, _delivered_of(RedisCountStore(client)), clock),
        statistics_blueprint(_make_statistics(client, catalog, gazetteer, clock), authenticator),
        health_blueprint(lambda: _readiness(catalog)),
    ]
    if settings.demo:
        blueprints.append(demo_blueprint(deliverer, gazetteer))
    app = create_app(
        AppParts(
            blueprints=tuple(blueprints),
            hosts=HostRules(settings.public_url, settings.allowed_hosts),
            trusted_proxies=settings.trusted_proxies,
        )
    )
    return app, Upkeep((catalog, delivered), recorder)


def make_keeper(settings: Settings, gazetteer: Gazetteer) -> Keeper:
    """Return this host's keeper; it must hold the data folder's keeper lock while it steps."""
    data_dir = DataDir(settings.data_dir)
    client = open_redis(settings)
    counts = RedisCountStore(client)
    return Keeper(
        data_dir=data_dir.path,
        counter=SpoolCounter(data_dir.path / SPOOLS_NAME, counts, SHARDS),
        counts=counts,
        shards=SHARDS,
        catalog=CatalogMirror(RedisRevisionStore(client), gazetteer, data_dir.path),
        snapshots=CatalogWatch(data_dir.path / COMPILED_NAME),
        load_names=lambda: load_names(client),
    )


def open_publisher(settings: Settings) -> Publisher:
    """Return what publishes revisions."""
    return _make_publisher(open_redis(settings), Gazetteer.load(), DataDir(settings.data_dir).path, now_utc)


def open_statistics(settings: Settings) -> StatisticsService:
    """Return what answers queries."""
    catalog = CatalogWatch(DataDir(settings.data_dir).path / COMPILED_NAME)
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
    return Publisher(RedisRevisionStore(client), gazetteer, clock, RevisionBackup(data_dir))


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


def _readiness(catalog: CatalogWatch) -> Readiness:
    snapshot = catalog.current()
    if snapshot is None:
        return Readiness(0, reasons=("nothing is published, and there is no copy on this host's disk",))
    return Readiness(snapshot.revision, warnings=(catalog.fault,) if catalog.fault else ())
