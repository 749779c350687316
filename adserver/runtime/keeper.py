"""Makes the keeper of a host."""

from random import Random

from adserver.access.token_mirror import TokenMirror
from adserver.access.token_store import RedisTokenStore
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.mirror import CatalogMirror
from adserver.catalog.names import load_names
from adserver.catalog.redis_store import RedisRevisionStore
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.counting.delivered import DeliveredWatch
from adserver.counting.spool_run import SpoolRun
from adserver.keeping.cached_embeds import CachedEmbedWatch
from adserver.keeping.counter import SpoolCounter
from adserver.keeping.disk import Disk
from adserver.keeping.eviction import refuse_eviction
from adserver.keeping.keeper import Keeper
from adserver.keeping.quarantine import QUARANTINE_NAME, Quarantine
from adserver.keeping.reasons import ReasonKeeper
from adserver.keeping.redis_cells import RedisSpoolEnds
from adserver.keeping.redis_counts import RedisCountStore
from adserver.keeping.redis_reasons import RedisReasonStore
from adserver.keeping.redis_roll_up import RedisRollUp
from adserver.keeping.redis_salts import RedisSaltStore
from adserver.keeping.retention import Retention, RetentionRules
from adserver.keeping.roll_up import RollUp
from adserver.keeping.salts import SaltKeeper
from adserver.places.gazetteer import Gazetteer
from adserver.processes.data_dir import DataDir
from adserver.runtime.alerts import make_alert_rounds
from adserver.runtime.layout import SPOOLS_NAME
from adserver.runtime.pacing import make_allowances
from adserver.runtime.redis_client import open_redis
from adserver.statistics.redis_standing import read_losses


def make_keeper(settings: Settings, gazetteer: Gazetteer) -> Keeper:
    """Return this host's keeper; it must hold the data folder's keeper lock while it steps."""
    data_dir = DataDir(settings.data_dir)
    link = open_redis(settings)
    counts = RedisCountStore(link.client)
    spools = data_dir.path / SPOOLS_NAME
    quarantine = Quarantine(data_dir.path / QUARANTINE_NAME)
    allowances = make_allowances(settings, link.client, gazetteer)
    counter = SpoolCounter(
        spools, counts, quarantine=quarantine, run=SpoolRun(spools), on_applied=allowances.views.note
    )
    rules = RetentionRules(settings.spool_retention_hours * 3600, settings.archive_days)
    retention = Retention(data_dir.path, spools, counter, RedisSpoolEnds(link.client), rules, Disk())
    roll_up = RollUp(RedisRollUp(link.client), lambda: load_names(link.client), settings.roll_up_days)

    embeds = CachedEmbedWatch(
        link.client,
        data_dir.path,
        lambda slot: found.id if (found := load_names(link.client).slots.get(slot)) else slot.hex(),
        lambda place: found.name if (found := gazetteer.by_hash(place)) else "",
    )

    snapshots = CatalogWatch(data_dir.path / COMPILED_NAME)
    reasons = ReasonKeeper(
        data_dir.path,
        store=RedisReasonStore(link.client),
        snapshots=snapshots,
        delivered=DeliveredWatch(data_dir.path),
        place=gazetteer.get,
        table=lambda: allowances.table,
        rng=Random(),  # noqa: S311 - chooses what is looked at, no secret
    )

    def upkeep(now: float) -> str:
        fault = retention.upkeep(now)
        roll_up.step(now)
        embeds.step(now)
        reasons.step(now)
        return fault

    keeper = Keeper(
        data_dir=data_dir.path,
        counter=counter,
        counts=counts,
        new_shards=link.new_shards,
        catalog=CatalogMirror(
            RedisRevisionStore(link.client),
            gazetteer,
            data_dir.path,
            lambda of_folder: counts.agree_on_shards(link.new_shards, of_folder),
        ),
        snapshots=snapshots,
        load_names=lambda: load_names(link.client),
        check_store=lambda: refuse_eviction(link.writers),
        upkeep=upkeep,
    )
    salts = SaltKeeper(data_dir.path, RedisSaltStore(link.client, is_ours=settings.redis_url is None))
    keeper.pace(allowances)
    keeper.accompany(make_alert_rounds(settings, data_dir.path, gazetteer, allowances.curve).begin)
    keeper.tend(salts, lambda: read_losses(link.client))
    keeper.follow_tokens(TokenMirror(RedisTokenStore(link.client), data_dir.path).step)
    return keeper
