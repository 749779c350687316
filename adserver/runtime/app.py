"""Makes the application of a worker."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from flask import Flask

from adserver.access.office import TokenOffice
from adserver.access.token_file import TokenWatch
from adserver.access.token_store import RedisTokenStore
from adserver.alerts.book_file import BookWatch
from adserver.catalog.desk import LocalDesk, UploadDesk
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.moments import Moments
from adserver.catalog.redis_store import RedisRevisionStore
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.counting.acceptance import Acceptance
from adserver.counting.delivered import DeliveredWatch
from adserver.counting.issuer import Issuer
from adserver.counting.paces import WorkerPaces
from adserver.counting.recorder import SpoolRecorder
from adserver.counting.salts import SaltWatch
from adserver.counting.sampler import Sampler
from adserver.counting.shards import shard_of
from adserver.counting.tally import Tally
from adserver.counting.worker_sums import SumsFile
from adserver.domain.ids import FlightId, IdHash, Kind, SlotId, id_hash
from adserver.domain.ledger import LedgerCodec
from adserver.domain.token import TokenCodec
from adserver.keeping.redis_counts import RedisCountStore
from adserver.places.gazetteer import Gazetteer
from adserver.processes.data_dir import DataDir
from adserver.runtime.analysis import make_statistics
from adserver.runtime.condition import readiness_of, standing_of
from adserver.runtime.console import ConsoleSources, make_console
from adserver.runtime.edge import make_edge
from adserver.runtime.forecasting import make_forecaster
from adserver.runtime.layout import SPOOLS_NAME, WORKER_SUMS_NAME
from adserver.runtime.publishing import make_publisher
from adserver.runtime.reader_places import open_reader_places
from adserver.runtime.redis_client import WEB_ANSWER_SECONDS, open_redis
from adserver.statistics.redis_reason_store import RedisReasons
from adserver.web.alerts import alerts_blueprint
from adserver.web.api_docs import api_docs_blueprint
from adserver.web.app import AppParts, create_app
from adserver.web.audit_log import audit_log_blueprint
from adserver.web.auth import AdminTokenAuthenticator, TokenAuthenticator
from adserver.web.calls import DeliveryCalls
from adserver.web.chance import WorkerRandom
from adserver.web.clicks import ClickRouter
from adserver.web.console.shell import REFUSED_A_SECOND, REFUSED_AT_ONCE, ConsoleParts
from adserver.web.delivery import delivery_blueprint
from adserver.web.demo import demo_blueprint
from adserver.web.explain import explain_blueprint
from adserver.web.explainer import Explainer
from adserver.web.forecast import forecast_blueprint
from adserver.web.health import health_blueprint
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit, GuardedAuthenticator
from adserver.web.management import Delivered, management_blueprint
from adserver.web.reason_teller import ReasonTeller
from adserver.web.reasons import reasons_blueprint
from adserver.web.revisions import edits_blueprint, revisions_blueprint
from adserver.web.scraping import scraping_blueprint
from adserver.web.serving import Deliverer
from adserver.web.statistics import statistics_blueprint
from adserver.web.store_gate import StoreGate
from adserver.web.upkeep import Upkeep


def make_app(
    settings: Settings,
    gazetteer: Gazetteer,
    clock: Callable[[], datetime],
    tally: Tally | None = None,
    *,
    script_name: str = "",
    desk: UploadDesk | None = None,
) -> tuple[Flask, Upkeep]:
    """Return the application, and what keeps it fresh, not started.

    Args:
        settings: of this process.
        gazetteer: resolves places.
        clock: tells the present, aware UTC.
        tally: what `/metrics` is told by; None: one of its own.
        script_name: the path that all of it stands under, where the public address names none.
        desk: takes uploads; None: this process does.
    """
    tally = tally or Tally()
    data_dir = DataDir(settings.data_dir, writable=False)
    catalog = CatalogWatch(data_dir.path / COMPILED_NAME)
    delivered = DeliveredWatch(data_dir.path)
    salts = SaltWatch(data_dir.path)
    recorder = SpoolRecorder(data_dir.path / SPOOLS_NAME, lambda: clock().timestamp(), tally)
    sums = SumsFile(
        data_dir.path / WORKER_SUMS_NAME, tally, lambda slot: _slot_name(catalog, slot), lambda: _revision(catalog)
    )
    secret_keys = settings.secret_keys or data_dir.secret_keys()
    codec = TokenCodec(secret_keys)
    edge = make_edge(settings, catalog, salts, clock)
    acceptance = Acceptance(codec, recorder, edge, lambda: clock().timestamp())
    issuer = Issuer()
    paces = WorkerPaces(data_dir.path, lambda: issuer.name, time.monotonic)
    sampler = Sampler(data_dir.path, lambda: issuer.name, time.monotonic, WorkerRandom())
    deliverer = Deliverer(
        catalog=catalog,
        delivered=delivered,
        codec=codec,
        issuer=issuer,
        recorder=recorder,
        clock=clock,
        rng=WorkerRandom(),
        paces=paces,
        sampler=sampler,
    )
    calls = DeliveryCalls(
        deliverer=deliverer,
        acceptance=acceptance,
        places=gazetteer,
        public_url=settings.public_url,
        ledgers=LedgerCodec(secret_keys),
        readers=open_reader_places(settings, gazetteer),
    )
    clicks = ClickRouter(
        catalog=catalog,
        places=gazetteer,
        codec=codec,
        acceptance=acceptance,
        clock=clock,
        home_url=settings.home_url,
    )
    tokens = TokenWatch(data_dir.path)
    identities = TokenAuthenticator(
        AdminTokenAuthenticator(settings.admin_token or data_dir.admin_token()), tokens.current, clock
    )
    authenticator = GuardedAuthenticator(identities, CallLimit(time.monotonic))
    client = open_redis(settings, WEB_ANSWER_SECONDS).client
    gate = StoreGate(time.monotonic)
    publisher = make_publisher(client, gazetteer, data_dir.path, clock, catalog.catalog_of)
    desk = desk or LocalDesk(publisher)
    uploads = CallLimit(time.monotonic)
    tokens_made = TokenOffice(RedisTokenStore(client), clock)
    alerts = BookWatch(data_dir.path)
    statistics = make_statistics(client, catalog, gazetteer, clock, data_dir.path)
    delivered_of = _delivered_of(RedisCountStore(client), catalog)
    explainer = Explainer(
        moments=Moments(catalog, RedisRevisionStore(client), gazetteer),
        delivered=delivered,
        places=gazetteer,
        codec=codec,
        clock=clock,
        rng=WorkerRandom(),
        paces=paces,
    )
    blueprints = [
        delivery_blueprint(calls, clicks),
        management_blueprint(
            publisher,
            desk,
            authenticator,
            uploads,
            delivered_of,
            clock,
            gate,
        ),
        edits_blueprint(desk, authenticator, uploads, gate),
        revisions_blueprint(publisher, authenticator, gate),
        api_docs_blueprint(),
        alerts_blueprint(alerts.current, authenticator),
        audit_log_blueprint(publisher.history, tokens_made.list, authenticator, gate),
        forecast_blueprint(
            make_forecaster(publisher, statistics, catalog, delivered, gazetteer, clock),
            authenticator,
            CallLimit(time.monotonic),
            gate,
        ),
        statistics_blueprint(
            statistics,
            authenticator,
            CallLimit(time.monotonic),
            gate,
        ),
        explain_blueprint(
            explainer,
            authenticator,
            CallLimit(time.monotonic),
            gate,
        ),
        reasons_blueprint(
            ReasonTeller(catalog, RedisReasons(client), gazetteer, clock),
            authenticator,
            CallLimit(time.monotonic),
            gate,
        ),
        health_blueprint(lambda: readiness_of(catalog, paces, data_dir.path, clock().timestamp(), recorder.fault)),
        scraping_blueprint(lambda: standing_of(catalog, data_dir.path, clock().timestamp()), authenticator),
    ]
    if settings.demo:
        blueprints.append(demo_blueprint(deliverer, gazetteer))
    overview, sections = make_console(
        ConsoleSources(
            catalog=catalog,
            publisher=publisher,
            desk=desk,
            delivered=delivered_of,
            statistics=statistics,
            explainer=explainer,
            deliverer=deliverer,
            gazetteer=gazetteer,
            clock=clock,
            gate=gate,
            uploads=uploads,
            questions=CallLimit(time.monotonic),
            alerts=alerts.current,
            alert_ways=settings.alerts.names,
            public_url=settings.public_url,
        )
    )
    app = create_app(
        AppParts(
            blueprints=tuple(blueprints),
            hosts=HostRules(settings.public_url, settings.allowed_hosts),
            trusted_proxies=settings.trusted_proxies,
            on_untrusted_proxy=tally.untrusted_proxy,
            lane=calls,
            console=ConsoleParts(
                identities=identities,
                keys=secret_keys,
                clock=clock,
                refusals=CallLimit(time.monotonic, calls_a_second=REFUSED_A_SECOND, burst=REFUSED_AT_ONCE),
                sections=sections,
                overview=overview,
            ),
            mounted_at=urlsplit(settings.public_url or "").path or script_name.rstrip("/"),
        )
    )
    return app, Upkeep((catalog, delivered, paces, salts, tokens), recorder, sums, paces, sampler)


def _delivered_of(counts: RedisCountStore, catalog: CatalogWatch) -> Delivered:
    def delivered(flights: Sequence[FlightId]) -> Mapping[FlightId, int]:
        hashes: dict[IdHash, FlightId] = {id_hash(Kind.FLIGHT, flight): flight for flight in flights}
        snapshot = catalog.current()
        shards = snapshot.shards if snapshot else 1  # before there is one, nothing was ever delivered
        by_shard: dict[int, list[IdHash]] = {}
        for hash_ in hashes:
            by_shard.setdefault(shard_of(hash_, shards), []).append(hash_)
        return {
            hashes[hash_]: count
            for shard, asked in by_shard.items()
            for hash_, count in counts.delivered(shard, asked).items()
        }

    return delivered


def _slot_name(catalog: CatalogWatch, hash_: IdHash) -> SlotId | None:
    snapshot = catalog.current()
    slot = snapshot.slot_by_hash(hash_) if snapshot else None
    return slot.id if slot else None


def _revision(catalog: CatalogWatch) -> int:
    snapshot = catalog.current()
    return snapshot.revision if snapshot else 0
