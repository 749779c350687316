"""Makes what a worker judges events by."""

import time
from collections.abc import Callable
from datetime import datetime

from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.counting.acceptance import Edge
from adserver.counting.addresses import Address
from adserver.counting.bots import BotList
from adserver.counting.bursts import Bursts
from adserver.counting.salts import DailyCuts, SaltWatch
from adserver.domain.ids import IdHash
from adserver.domain.variants import Variant


def make_edge(settings: Settings, catalog: CatalogWatch, salts: SaltWatch, clock: Callable[[], datetime]) -> Edge:
    """Return it; the clock tells the present, aware UTC."""
    return Edge(
        is_internal=lambda slot, address: _is_internal(catalog, slot, address),
        is_bot=BotList().is_bot,
        sources=Bursts(settings.rate_events, settings.trusted_proxies, time.monotonic),
        readers=DailyCuts(salts.current, lambda slot, second: _day(catalog, slot, second)),
        has_variant=lambda creative, variant: _has(catalog, creative, variant, clock()),
    )


def _is_internal(catalog: CatalogWatch, slot: IdHash, address: Address) -> bool:
    snapshot = catalog.current()
    return snapshot is not None and snapshot.is_internal(slot, address)


def _day(catalog: CatalogWatch, slot: IdHash, second: int) -> int:
    snapshot = catalog.current()
    return snapshot.day_at(slot, second) if snapshot else second // 86_400


def _has(catalog: CatalogWatch, creative: IdHash, variant: Variant, now: datetime) -> bool:
    snapshot = catalog.current()
    target = snapshot.creative_by_hash(creative, now) if snapshot else None
    return target is not None and variant in target.lengths
