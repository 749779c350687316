"""Makes the pages of the console."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from adserver.alerts.book import Book
from adserver.catalog.desk import UploadDesk
from adserver.catalog.publish import Publisher
from adserver.domain.catalog import Site, Slot
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.console_changes import change_sections
from adserver.statistics.service import StatisticsService
from adserver.web.console.alerts import alerts_notice, alerts_section
from adserver.web.console.campaigns import CampaignParts, campaigns_section
from adserver.web.console.embedding import embedding_section
from adserver.web.console.explain import explain_section
from adserver.web.console.figures import FiguresReader
from adserver.web.console.holdings import HoldingsReader
from adserver.web.console.navigation import Section
from adserver.web.console.overview import make_overview
from adserver.web.console.schedule import schedule_section
from adserver.web.console.statistics import statistics_section
from adserver.web.explainer import Explainer
from adserver.web.limits import CallLimit
from adserver.web.management import Delivered
from adserver.web.serving import CatalogSource, Deliverer
from adserver.web.store_gate import StoreGate


@dataclass(frozen=True, slots=True)
class ConsoleSources:
    """What the pages of the console show and change; a worker has it anyway. Immutable."""

    catalog: CatalogSource
    publisher: Publisher
    desk: UploadDesk
    delivered: Delivered
    statistics: StatisticsService
    explainer: Explainer
    deliverer: Deliverer
    gazetteer: Gazetteer
    clock: Callable[[], datetime]
    gate: StoreGate
    uploads: CallLimit
    questions: CallLimit
    alerts: Callable[[], Book]
    alert_ways: Sequence[str]
    """By what alerts are sent."""
    public_url: str | None


def make_console(sources: ConsoleSources) -> tuple[Callable[[], str], tuple[Section, ...]]:
    """Return the console's first page, and its other pages in the order of the navigation."""
    catalog, gazetteer, gate = sources.catalog, sources.gazetteer, sources.gate
    holdings = HoldingsReader(sources.publisher, sources.delivered, sources.clock, gate)
    figures = FiguresReader(sources.statistics, gate)

    def slots() -> tuple[Slot, ...]:
        snapshot = catalog.current()
        return snapshot.slots if snapshot else ()

    def sites() -> tuple[Site, ...]:
        snapshot = catalog.current()
        return snapshot.sites if snapshot else ()

    sections = (
        campaigns_section(CampaignParts(holdings, figures, sources.desk, gazetteer.get, sources.uploads, gate)),
        *change_sections(sources.publisher, sources.desk, gazetteer, sources.uploads, gate),
        schedule_section(holdings, gazetteer),
        statistics_section(sources.statistics, gazetteer.get, sources.questions, gate),
        explain_section(sources.explainer, slots, sites, sources.questions, gate),
        alerts_section(sources.alerts, sources.clock, sources.alert_ways),
        embedding_section(sources.deliverer, gazetteer, slots, sources.public_url),
    )
    return make_overview(holdings, figures, (alerts_notice(sources.alerts),)), sections
