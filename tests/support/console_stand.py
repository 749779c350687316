"""The console in one process: the sample publisher with goals and dates, counts of four weeks, a clock that is set."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from catalog_bench import campaign, campaign_file, campaigns, creative, flight
from delivery_stand import MemoryRecorder
from flask import Blueprint, Response, g
from flask.testing import FlaskClient
from sample import copy_sample
from werkzeug.test import TestResponse

from adserver.access.office import TokenOffice
from adserver.access.token_store import MemoryTokenStore
from adserver.access.tokens import Role
from adserver.alerts.book import NO_BOOK, Book
from adserver.catalog.desk import LocalDesk
from adserver.catalog.documents import JsonObject
from adserver.catalog.merging import Extent
from adserver.catalog.moments import Moments
from adserver.catalog.names import Names
from adserver.catalog.publish import Live, Publisher
from adserver.catalog.store import MemoryRevisionStore
from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS, VIEWABLE, Family, Field, Metric
from adserver.counting.issuer import Issuer
from adserver.decision.snapshot import Snapshot
from adserver.delivery.assets import make_stylesheet
from adserver.domain.catalog import Catalog
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import FlightId, Kind, id_hash
from adserver.domain.reasons import NoFillReason
from adserver.domain.token import TokenCodec
from adserver.domain.variants import Variant
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.console import ConsoleSources, make_console
from adserver.statistics.cell_store import Member, MemoryCellStore, StoredCell
from adserver.statistics.reach_store import MemoryReachStore
from adserver.statistics.service import StatisticsService
from adserver.statistics.standing import MemoryStanding
from adserver.web.app import AppParts, create_app
from adserver.web.auth import AdminTokenAuthenticator, Principal, TokenAuthenticator
from adserver.web.console.figures import FiguresReader
from adserver.web.console.holdings import HoldingsReader
from adserver.web.console.shell import ConsoleParts
from adserver.web.explainer import Explainer
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit
from adserver.web.serving import Deliverer
from adserver.web.store_gate import StoreGate

ADMIN: Final = "adsv_admin-token-of-these-tests"
HTML: Final = {"Accept": "text/html,*/*;q=0.8"}
NOON: Final = datetime(2026, 11, 24, 18, tzinfo=UTC)
"""A Tuesday, noon in Chicago."""
HOSTILE: Final = '"><script>alert(1)</script>{{7*7}}'
_DAYS: Final = 28


@cache
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def booked_files() -> list[dict[str, object]]:
    """Return campaigns of invented shops with goals and dates: one behind plan, one met, some near their ends."""
    lines = {"name": "Big Fork Outfitters", "short": "Big Fork Outfitters: canoes by the day, stories for free."}
    outfitters = campaign(
        "big-fork-winter",
        name="Winter on the Big Fork",
        starts="2026-11-01",
        ends="2026-12-20",
        creatives=[creative("big-fork-canoes", variants=lines)],
        flights=[
            flight(
                "big-fork-north",
                slots=["masthead", "article-top"],
                goal={"impressions": 40000},
                price={"cpm": "14.00", "currency": "USD"},
                targeting={"places": ["MN", {"near": "Fargo,ND", "miles": 60}], "topics": ["outdoors", "sports"]},
            ),
            flight(
                "big-fork-weekdays",
                slots=["sidebar"],
                goal={"impressions": 12000, "pacing": "frontloaded"},
                caps=[{"impressions": 3, "per": "visit", "scope": "reader"}],
                targeting={"hours": {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "06:00", "to": "22:00"}},
            ),
        ],
    )
    bakery = campaign(
        "corner-bakery-pies",
        name="Pies for Thanksgiving",
        starts="2026-11-10",
        ends="2026-11-26",
        creatives=[
            creative(
                "corner-bakery-pie", variants={"name": "Corner Bakery", "short": "Corner Bakery: order pies by noon."}
            )
        ],
        flights=[
            flight(
                "corner-bakery-iowa",
                slots=["masthead", "footer"],
                tier="sponsorship",
                share=60,
                targeting={"places": ["IA"]},
            ),
            flight("corner-bakery-all", slots=["article-bottom"], goal={"impressions": 9000, "pacing": "asap"}),
        ],
    )
    trees = campaign(
        "tall-pines-trees",
        name="Christmas trees, cut today",
        starts="2026-12-01",
        ends="2026-12-23",
        creatives=[
            creative(
                "tall-pines-tree",
                variants={"name": "Tall Pines Farm", "short": "Tall Pines Farm: trees cut the day you fetch them."},
            )
        ],
        flights=[flight("tall-pines-north", slots=["article-middle", "weekly-masthead"], goal={"impressions": 20000})],
    )
    skates = campaign(
        "tall-pines-skates",
        name="Skates sharpened",
        starts="2026-10-01",
        ends="2027-03-31",
        status="paused",
        creatives=[creative("tall-pines-skate", variants={"name": "Tall Pines Farm"})],
        flights=[flight("tall-pines-rink", slots=["footer"])],
    )
    return [
        campaign_file(outfitters, advertiser="big-fork", name="Big Fork Outfitters"),
        campaign_file(bakery, advertiser="corner-bakery", name="Corner Bakery"),
        campaign_file(trees, skates, advertiser="tall-pines", name="Tall Pines Farm"),
    ]


DELIVERED: Final = {
    "big-fork-north": 14_210,
    "big-fork-weekdays": 6_480,
    "corner-bakery-all": 9_000,
    "corner-bakery-iowa": 3_912,
}
"""The others' follows from the counts."""


@dataclass
class ConsoleStand:
    """An application with a console, and all that it stands on. For one thread at a time."""

    now: datetime = NOON
    extra: Sequence[dict[str, object]] = ()
    """Further campaign files."""
    store: MemoryRevisionStore = field(default_factory=MemoryRevisionStore)
    is_away: bool = False
    """Whether the store does not answer at all."""
    burst: int = 1000
    """How many changes, and how many questions, each who is signed in may send."""
    counts_are_away: bool = False
    """Whether it does not when counts are asked for."""
    book: Book = NO_BOOK
    """What the keeper last found."""

    def __post_init__(self) -> None:
        self.publisher = Publisher(self.store, gazetteer(), lambda: self.now, None, self._built)
        self._snapshot: Snapshot | None = None
        with TemporaryDirectory() as folder:
            self.publisher.publish(
                self.publisher.read_folder(copy_sample(Path(folder))), extent=Extent.FOLDER, author="kim"
            )
        upload = campaigns({"files": [*booked_files(), *self.extra]})
        self.publisher.publish(upload, extent=Extent.NAMED, author="kim", message="Autumn orders")
        self.delivered: dict[str, int] = dict(DELIVERED)
        self.cells = MemoryCellStore()
        self.tokens = MemoryTokenStore()
        self.uploads = CallLimit(lambda: 0.0, burst=self.burst)
        self.questions = CallLimit(lambda: 0.0, burst=self.burst)
        self.app = self._make_app()

    def _built(self, _head: object) -> Catalog | None:
        return None

    def current(self) -> Snapshot | None:
        """Return what is served: what was published last."""
        live = self.publisher.live()
        if self._snapshot is None or self._snapshot.revision != live.revision:
            self._snapshot = Snapshot.build(self.publisher.catalog(live), live.revision)
        return self._snapshot

    def _make_app(self) -> Any:  # noqa: ANN401 - Flask's, with its test client
        places, codec = gazetteer(), TokenCodec((b"k" * 32,))
        none_delivered = _Delivered(self)
        deliverer = Deliverer(
            catalog=self,
            delivered=none_delivered,
            codec=codec,
            issuer=Issuer(),
            recorder=MemoryRecorder(),
            clock=lambda: self.now,
            rng=Random(1),
        )
        explainer = Explainer(
            moments=Moments(self, self.store, places),
            delivered=none_delivered,
            places=places,
            codec=codec,
            clock=lambda: self.now,
            rng=Random(2),
        )
        overview, sections = make_console(
            ConsoleSources(
                catalog=self,
                publisher=self.publisher,
                desk=LocalDesk(self.publisher),
                delivered=self._count,
                statistics=self._statistics(),
                explainer=explainer,
                deliverer=deliverer,
                gazetteer=places,
                clock=lambda: self.now,
                gate=StoreGate(lambda: 0.0, calls_at_once=8),
                uploads=self.uploads,
                questions=self.questions,
                alerts=lambda: self.book,
                alert_ways=(),
                public_url=None,
            )
        )
        identities = TokenAuthenticator(AdminTokenAuthenticator(ADMIN), self.tokens.read, lambda: self.now)
        parts = ConsoleParts(
            identities, (b"k" * 32,), lambda: self.now, CallLimit(lambda: 0.0), sections, overview=overview
        )
        return create_app(AppParts((_stylesheet(),), HostRules(), console=parts))

    def _statistics(self) -> StatisticsService:
        return StatisticsService(
            self.cells,
            self._names,
            lambda: self.publisher.catalog(self.publisher.live()),
            gazetteer(),
            lambda: self.now,
            MemoryReachStore(),
            MemoryStanding(),
        )

    def holdings(self) -> HoldingsReader:
        """Return what reads what is live."""
        return HoldingsReader(self.publisher, self._count, lambda: self.now, StoreGate(lambda: 0.0))

    def figures(self) -> FiguresReader:
        """Return what reads the few numbers of pages."""
        return FiguresReader(self._statistics(), StoreGate(lambda: 0.0))

    @contextmanager
    def signed_in(self, *advertisers: str) -> Iterator[None]:
        """Be in a request of somebody who has signed in, bound to advertisers or not."""
        with self.app.test_request_context("/console/"):
            g.console_caller = Principal("kim", Role.ADMIN, frozenset(advertisers) or None)
            yield

    def _names(self) -> Names:
        if self.is_away or self.counts_are_away:
            raise StoreUnavailable("the store was taken away")
        return Names.parse(self.store.name_fields())

    def _count(self, flights: Sequence[FlightId]) -> Mapping[FlightId, int]:
        if self.is_away:
            raise StoreUnavailable("the store was taken away")
        return {id_: self.delivered[id_] for id_ in flights if id_ in self.delivered}

    def browser(self, token: str = ADMIN) -> "ConsoleBrowser":
        """Return the browser of somebody who has signed in."""
        browser = ConsoleBrowser(self.app.test_client())
        assert browser.send("/console/sign-in", token=token).status_code == 303
        return browser

    def token(self, role: Role, *advertisers: str) -> str:
        """Return a token that was made for somebody."""
        office, number = TokenOffice(self.tokens, lambda: self.now), len(self.tokens.read().tokens)
        return office.make(f"Kim {number}" if number else "Kim", role, advertisers, None, by="ops").token

    def live(self) -> Live:
        """Return what is live."""
        return self.publisher.live()

    def status_of(self, campaign: str) -> object:
        """Return a live campaign's status as its file has it; `gone` where it is not live."""
        found: list[JsonObject] = [one for _, _, one in self.live().documents.campaigns() if one["id"] == campaign]
        return found[0].get("status", "active") if found else "gone"

    # --- counts ---

    def count(
        self, metric: Metric, number: int, at: datetime, flight: str | None, slot: str, creative: str = ""
    ) -> None:
        """Count in the hours."""
        member = Member(
            id_hash(Kind.FLIGHT, flight) if flight else Kind.FLIGHT.none,
            id_hash(Kind.SLOT, slot),
            id_hash(Kind.CREATIVE, creative) if creative else Kind.CREATIVE.none,
        )
        block, offset = divmod(int(at.timestamp()) // 3600, Family.HOURS.block_size)
        self.cells.cells.append((Family.HOURS, StoredCell(member, block, Field(offset, Variant.SHORT, metric), number)))

    def count_weeks(self, seed: int = 1) -> None:
        """Count four weeks of readers, more of them on weekdays, and sum up what flights without a goal delivered."""
        chance = Random(seed)
        catalog = self.publisher.catalog(self.publisher.live())
        for one in catalog.campaigns:
            for each in one.flights:
                if each.id.startswith("tall-pines"):
                    continue
                for slot in sorted(each.slots or ("masthead",)):
                    for back in range(_DAYS):
                        at = self.now - timedelta(days=back)
                        self._count_day(chance, each.id, each.creatives[0].creative, slot, at)
        for back in range(_DAYS):
            at = self.now - timedelta(days=back)
            self.count(Metric.no_fill(NoFillReason.PLACE), chance.randint(300, 500), at, None, "masthead")

    def _count_day(self, chance: Random, flight: str, creative: str, slot: str, at: datetime) -> None:
        fills = int(chance.randint(60, 220) * (0.55 if at.weekday() > 4 else 1.0) * (1 + (at - self.now).days / 90))
        seen = int(fills * 0.8)
        counts = ((FILLS, fills), (IMPRESSIONS, seen), (VIEWABLE, int(seen * 0.7)), (CLICKS, chance.randint(0, 3)))
        for metric, number in counts:
            if number:
                self.count(metric, number, at, flight, slot, creative)
        if flight not in DELIVERED:
            self.delivered[flight] = self.delivered.get(flight, 0) + seen


@dataclass(frozen=True)
class _Delivered:
    """What flights with a goal have delivered, as decisions see it."""

    stand: ConsoleStand

    def current(self) -> Mapping[FlightId, int]:
        return {FlightId(id_): number for id_, number in self.stand.delivered.items()}


@dataclass
class ConsoleBrowser:
    """A browser with its cookies. For one thread."""

    client: FlaskClient

    def get(self, path: str, **query: object) -> TestResponse:
        return self.client.get(path, headers=HTML, query_string=query or None, buffered=True)

    def page(self, path: str, **query: object) -> str:
        """Return a page that must be there."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.text

    def send(self, path: str, **form: str) -> TestResponse:
        """Send a form with the token of the page that it stands on, or of the sign-in."""
        page = self.get(path if path != "/console/sign-in" else "/console/sign-in").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found is not None, page
        return self.client.post(path, data={"csrf_token": found[1], **form}, headers=HTML)


def said(page: str) -> str:
    """Return what a page says: its text without markup, blanks run together."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("&nbsp;", " ").replace("&amp;", "&").split())


def hostile_file() -> dict[str, object]:
    """Return a campaign whose every text is markup."""
    line = {"name": HOSTILE, "short": f"{HOSTILE} and more"}
    hostile = campaign("hostile", name=HOSTILE, creatives=[creative("hostile-creative", variants=line)])
    return campaign_file(hostile, advertiser="hostile", name=HOSTILE)


def _stylesheet() -> Blueprint:
    blueprint = Blueprint("delivery", __name__)
    asset = make_stylesheet()
    blueprint.add_url_rule("/slot.css", "style", lambda: Response(asset.body, content_type="text/css"))
    return blueprint
