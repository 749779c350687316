"""What a snapshot knows beside who wins: links, hashes, sites, and the instants of local days."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address

import pytest

from adserver.decision.compiled_flight import ALWAYS, NEVER, FlightCompiler
from adserver.decision.snapshot import LinkTarget, Snapshot
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    RetiredCreative,
    Site,
    Slot,
    Targeting,
)
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, Kind, SiteId, SlotId, Topic, id_hash
from adserver.domain.variants import Text, Variant, Variants

NOW = datetime(2026, 6, 15, tzinfo=UTC)
BANK = Advertiser(AdvertiserId("bank"), "Bank", frozenset({"finance"}), frozenset({"banks"}))
SITES = (Site(SiteId("one"), "One", "https://one.example/", "UTC"), Site(SiteId("two"), "Two", "https://two/", "UTC"))
SLOTS = (Slot(SlotId("masthead"), SiteId("one"), 140), Slot(SlotId("footer"), SiteId("two"), 140))
CREATIVE = Creative(
    CreativeId("elevate"), "https://bank.example/", Variants(Text("Bank", 4, 4), None, None), (("source", "one"),)
)
NAME_ONLY = frozenset({Variant.NAME})
FLIGHT = Flight(
    FlightId("elevate"),
    (CreativeWeight(CREATIVE.id),),
    targeting=Targeting(topics=frozenset({Topic("sports")}), exclude_topics=frozenset({Topic("obituaries")})),
)
CAMPAIGN = Campaign(
    CampaignId("season"),
    BANK.id,
    "Season",
    "America/Chicago",
    date(2026, 6, 1),
    date(2026, 6, 30),
    (CREATIVE,),
    (FLIGHT,),
)
CATALOG = Catalog(SITES, SLOTS, (BANK,), (CAMPAIGN,))


def retired(name: str, until: datetime, url: str = "https://old.example/") -> RetiredCreative:
    return RetiredCreative(replace(CREATIVE, id=CreativeId(name), click_url=url, utm=()), CampaignId("past"), until)


def test_things_are_found_by_id_and_by_nothing_else() -> None:
    snapshot = Snapshot.build(CATALOG, 7)
    assert (snapshot.revision, snapshot.catalog) == (7, CATALOG)
    assert snapshot.site(SiteId("two")) == SITES[1]
    assert snapshot.slot(SlotId("footer")) == SLOTS[1]
    assert snapshot.site_of(SLOTS[1]) == SITES[1]
    found = snapshot.flight(FlightId("elevate"))
    assert found is not None
    assert (found.flight, found.campaign, found.advertiser) == (
        FLIGHT,
        replace(CAMPAIGN, creatives=(), flights=()),
        BANK,
    )
    assert snapshot.site(SiteId("footer")) is None
    assert snapshot.slot(SlotId("one")) is None
    assert snapshot.flight(FlightId("season")) is None


def test_topics_are_all_that_the_catalog_names() -> None:
    assert Snapshot.build(CATALOG, 7).topics == {"sports", "obituaries"}


def test_hashes_are_those_of_each_kind() -> None:
    hashes = Snapshot.build(CATALOG, 7).hashes
    assert hashes.flights[FlightId("elevate")] == id_hash(Kind.FLIGHT, "elevate")
    assert hashes.creatives[CreativeId("elevate")] == id_hash(Kind.CREATIVE, "elevate")
    assert hashes.slots == {slot.id: id_hash(Kind.SLOT, slot.id) for slot in SLOTS}
    assert hashes.topics == {topic: id_hash(Kind.TOPIC, topic) for topic in ("sports", "obituaries")}


def test_a_slot_is_found_by_its_hash() -> None:
    snapshot = Snapshot.build(CATALOG, 7)
    assert snapshot.slot_by_hash(id_hash(Kind.SLOT, "footer")) == SLOTS[1]
    assert snapshot.slot_by_hash(id_hash(Kind.SLOT, "gone")) is None


def test_days_are_those_of_a_slots_site_and_utc_where_the_slot_is_unknown() -> None:
    chicago = replace(SITES[0], timezone="America/Chicago")
    snapshot = Snapshot.build(replace(CATALOG, sites=(chicago, SITES[1])), 7)
    evening = datetime(2026, 6, 16, 2, 30, tzinfo=UTC)  # half past nine of the 15th in Chicago
    day = (date(2026, 6, 15) - date(1970, 1, 1)).days

    def day_at(slot: str) -> int:
        return snapshot.day_at(id_hash(Kind.SLOT, slot), int(evening.timestamp()))

    assert (day_at("masthead"), day_at("footer"), day_at("gone")) == (day, day + 1, day + 1)


def test_staff_is_that_of_a_slots_own_site() -> None:
    one = replace(SITES[0], internal_networks=("192.0.2.0/24", "2001:db8::/48"))
    snapshot = Snapshot.build(replace(CATALOG, sites=(one, SITES[1])), 7)

    def is_internal(slot: str, address: str) -> bool:
        return snapshot.is_internal(id_hash(Kind.SLOT, slot), ip_address(address))

    assert is_internal("masthead", "192.0.2.77")
    assert is_internal("masthead", "2001:db8::9")
    assert not is_internal("masthead", "192.0.3.77")
    assert not is_internal("footer", "192.0.2.77")
    assert not is_internal("gone", "192.0.2.77")


def test_a_link_is_found_by_its_creatives_hash() -> None:
    snapshot = Snapshot.build(CATALOG, 7)
    link = snapshot.creative_by_hash(id_hash(Kind.CREATIVE, "elevate"), NOW)
    assert link == LinkTarget(CREATIVE.id, CAMPAIGN.id, "https://bank.example/", (("source", "one"),), NAME_ONLY)
    assert snapshot.creative_by_hash(id_hash(Kind.CREATIVE, "gone"), NOW) is None
    assert snapshot.creative_by_hash(id_hash(Kind.FLIGHT, "elevate"), NOW) is None


def test_a_retired_creatives_link_works_until_its_time() -> None:
    snapshot = Snapshot.build(CATALOG, 7, (retired("gone", NOW),))
    hash_ = id_hash(Kind.CREATIVE, "gone")
    link = LinkTarget(CreativeId("gone"), CampaignId("past"), "https://old.example/", (), NAME_ONLY)
    assert snapshot.creative_by_hash(hash_, NOW - timedelta(microseconds=1)) == link
    assert snapshot.creative_by_hash(hash_, NOW) is None


def test_a_creative_that_came_back_has_its_live_link() -> None:
    snapshot = Snapshot.build(CATALOG, 7, (retired("elevate", NOW + timedelta(hours=1)),))
    link = snapshot.creative_by_hash(id_hash(Kind.CREATIVE, "elevate"), NOW)
    assert link is not None
    assert link.click_url == "https://bank.example/"


def test_of_a_creative_retired_twice_the_link_that_lasts_longest_stays() -> None:
    later, sooner = NOW + timedelta(hours=2), NOW + timedelta(hours=1)
    both = (retired("gone", later, "https://later.example/"), retired("gone", sooner))
    for order in (both, both[::-1]):
        link = Snapshot.build(CATALOG, 7, order).creative_by_hash(id_hash(Kind.CREATIVE, "gone"), NOW)
        assert link is not None
        assert link.click_url == "https://later.example/"


@pytest.mark.parametrize(
    ("zone", "starts", "ends", "first", "after_last"),
    [
        # daylight saving begins on 2026-03-08 and ends on 2026-11-01 in Chicago
        ("America/Chicago", date(2026, 3, 8), date(2026, 3, 8), "2026-03-08T06:00Z", "2026-03-09T05:00Z"),
        ("America/Chicago", date(2026, 11, 1), date(2026, 11, 1), "2026-11-01T05:00Z", "2026-11-02T06:00Z"),
        ("Asia/Kolkata", date(2028, 2, 29), date(2028, 2, 29), "2028-02-28T18:30Z", "2028-02-29T18:30Z"),
        ("UTC", date(2026, 12, 31), date(2026, 12, 31), "2026-12-31T00:00Z", "2027-01-01T00:00Z"),
        # clocks skip midnight in Cairo on 2026-04-24: the day begins at 01:00, which is the instant of the skip
        ("Africa/Cairo", date(2026, 4, 24), date(2026, 4, 24), "2026-04-23T22:00Z", "2026-04-24T21:00Z"),
        # clocks show midnight twice in Havana on 2026-11-01: the day begins with the first
        ("America/Havana", date(2026, 11, 1), date(2026, 11, 1), "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
    ],
)
def test_a_flight_runs_from_local_midnight_to_local_midnight(
    zone: str, starts: date, ends: date, first: str, after_last: str
) -> None:
    compiled = FlightCompiler().compile(FLIGHT, replace(CAMPAIGN, timezone=zone, starts=starts, ends=ends), BANK)
    assert compiled.starts == datetime.fromisoformat(first)
    assert compiled.ends == datetime.fromisoformat(after_last)
    assert (compiled.starts.tzinfo, compiled.ends.tzinfo) == (UTC, UTC)


def test_a_flights_own_days_go_before_the_campaigns() -> None:
    flight = replace(FLIGHT, starts=date(2026, 6, 10), ends=date(2026, 6, 20))
    compiled = FlightCompiler().compile(flight, replace(CAMPAIGN, timezone="UTC"), BANK)
    assert compiled.starts == datetime(2026, 6, 10, tzinfo=UTC)
    assert compiled.ends == datetime(2026, 6, 21, tzinfo=UTC)


def test_an_open_flight_never_ends_and_the_calendars_edges_are_no_limit() -> None:
    assert FlightCompiler().compile(FLIGHT, replace(CAMPAIGN, ends=None), BANK).ends == NEVER
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        edges = replace(CAMPAIGN, timezone=zone, starts=date.min, ends=date.max)
        assert (
            FlightCompiler().compile(FLIGHT, edges, BANK).starts,
            FlightCompiler().compile(FLIGHT, edges, BANK).ends,
        ) == (ALWAYS, NEVER)


@pytest.mark.parametrize(
    "flight",
    [
        replace(FLIGHT, creatives=()),
        replace(FLIGHT, weight=0),
        replace(FLIGHT, creatives=(CreativeWeight(CREATIVE.id, 0),)),
        replace(FLIGHT, share=0),
        replace(FLIGHT, share=101),
    ],
)
def test_a_flight_that_no_draw_could_hold_is_not_compiled(flight: Flight) -> None:
    with pytest.raises(ValueError, match="flight elevate"):
        Snapshot.build(replace(CATALOG, campaigns=(replace(CAMPAIGN, flights=(flight,)),)), 7)


@pytest.mark.parametrize(
    "catalog",
    [
        replace(CATALOG, sites=()),
        replace(CATALOG, advertisers=()),
        replace(CATALOG, campaigns=(replace(CAMPAIGN, creatives=()),)),
    ],
)
def test_a_catalog_that_is_not_whole_is_not_compiled(catalog: Catalog) -> None:
    with pytest.raises(KeyError):
        Snapshot.build(catalog, 7)
