"""What a hash stood for is never forgotten, and the past keeps its parents and its zone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import fakeredis
import pytest
from catalog_bench import Bench, campaign, campaign_file, creative, flight, slots, slots_file
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from adserver.catalog.merging import Extent
from adserver.catalog.names import NAMES_KEY, NameRecord, Names, NamesUnreadable, decode_record, load_names
from adserver.catalog.naming import add_names, unite_names
from adserver.domain.catalog import Catalog, Site, Slot
from adserver.domain.errors import InputRefused, StoreUnavailable
from adserver.domain.ids import IdHash, Kind, SiteId, SlotId, id_hash

CHICAGO, PARIS, UTC_ZONE = ZoneInfo("America/Chicago"), ZoneInfo("Europe/Paris"), ZoneInfo("UTC")
MASTHEAD = id_hash(Kind.SLOT, "masthead")


def layout(zone: str, site: str = "one", name: str = "One", slot: str = "masthead") -> Catalog:
    return Catalog(
        sites=(Site(SiteId(site), name, "https://one.example/", zone),),
        slots=(Slot(SlotId(slot), SiteId(site), 140),),
    )


def named(*steps: tuple[Catalog, int]) -> Names:
    """Return the names after each catalog was published at its second."""
    known: dict[str, str] = {}
    for catalog, second in steps:
        known.update(add_names(known, catalog, second))
    return Names.parse(known)


class TestAZone:
    def test_holds_for_all_time_before_its_slot_was_first_named(self) -> None:
        names = named((layout("America/Chicago"), 1_000))
        assert [names.zone_at(MASTHEAD, second) for second in (0, 999, 1_000, 2**32)] == [CHICAGO] * 4

    def test_that_changes_leaves_the_past_where_it_was(self) -> None:
        names = named((layout("America/Chicago"), 1_000), (layout("Europe/Paris"), 2_000))
        assert [names.zone_at(MASTHEAD, second) for second in (999, 1_999, 2_000, 3_000)] == [
            CHICAGO,
            CHICAGO,
            PARIS,
            PARIS,
        ]

    def test_that_changes_back_holds_from_then_on_again(self) -> None:
        zones = ("America/Chicago", "Europe/Paris", "America/Chicago")
        names = named(*((layout(zone), 1_000 * (number + 1)) for number, zone in enumerate(zones)))
        assert [names.zone_at(MASTHEAD, second) for second in (1_500, 2_500, 3_500)] == [CHICAGO, PARIS, CHICAGO]

    def test_changed_under_a_clock_that_was_set_back_still_holds_from_then_on(self) -> None:
        names = named((layout("America/Chicago"), 2_000), (layout("Europe/Paris"), 1_000))
        assert [names.zone_at(MASTHEAD, second) for second in (1_500, 2_000, 3_000)] == [CHICAGO, PARIS, PARIS]

    def test_of_an_unknown_slot_is_utc(self) -> None:
        assert named((layout("America/Chicago"), 0)).zone_at(id_hash(Kind.SLOT, "elsewhere"), 5) == UTC_ZONE
        assert Names().zone_at(Kind.SLOT.unknown, 5) == UTC_ZONE

    def test_that_this_machine_does_not_know_is_utc(self) -> None:
        record = '{"id":"masthead","held":[[0,"one","Mars/Olympus_Mons"]]}'
        assert Names.parse({f"slot:{MASTHEAD.hex()}": record}).zone_at(MASTHEAD, 5) == UTC_ZONE


class TestASlot:
    def test_that_moves_to_another_site_was_on_the_first_till_then(self) -> None:
        names = named((layout("America/Chicago"), 1_000), (layout("Europe/Paris", site="two"), 2_000))
        slot = names.slot(MASTHEAD)
        assert slot is not None
        assert (slot.id, slot.site) == ("masthead", "two")
        assert [slot.site_at(second) for second in (500, 1_999, 2_000)] == ["one", "one", "two"]

    def test_is_remembered_with_its_site_when_it_is_gone(self) -> None:
        names = named((layout("America/Chicago"), 1_000), (layout("Europe/Paris", site="two", slot="other"), 2_000))
        assert names.slot(MASTHEAD) is not None
        assert set(names.sites) == {"one", "two"}

    def test_site_is_called_what_it_was_called_last(self) -> None:
        names = named((layout("America/Chicago"), 1), (layout("Europe/Paris", name="The One"), 2))
        site = names.site(SiteId("one"))
        assert site is not None
        assert (site.name, site.zone) == ("The One", PARIS)


class TestAFlight:
    def test_that_is_given_to_another_advertisers_campaign_belonged_to_the_first_till_then(self) -> None:
        one = Bench()
        one.publish_slots()
        one.publish_files(campaign_file(campaign("spring", flights=[flight("f")], creatives=[creative("c")])))
        one.pass_time(hours=1)
        change = int(one.now.timestamp())
        one.push(campaign_file(campaign("loan", flights=[flight("f")], creatives=[creative("c")]), advertiser="bank"))
        names = Names.parse(one.store.name_fields())
        for name in (names.flight(id_hash(Kind.FLIGHT, "f")), names.creative(id_hash(Kind.CREATIVE, "c"))):
            assert name is not None
            assert (name.campaign, name.advertiser) == ("loan", "bank")
            assert [(name.at(at).campaign, name.at(at).advertiser) for at in (0, change - 1, change)] == [
                ("spring", "qwiket"),
                ("spring", "qwiket"),
                ("loan", "bank"),
            ]

    def test_that_leaves_and_returns_is_written_once(self) -> None:
        one = Bench()
        one.push(campaign_file(campaign("spring")))
        first = one.store.name_fields()
        one.pass_time(hours=1)
        one.publish(slots(slots_file("masthead", "other")))
        one.push(campaign_file(campaign("autumn")))
        one.push(campaign_file(campaign("spring")))
        fields = one.store.name_fields()
        assert {field: fields[field] for field in first} == first

    def test_topics_of_both_lists_are_named(self) -> None:
        one = Bench()
        targeting = {"topics": ["High Sports"], "exclude_topics": ["obituaries"]}
        one.push(campaign_file(campaign("spring", flights=[flight("f", targeting=targeting)])))
        names = Names.parse(one.store.name_fields())
        assert names.topic(id_hash(Kind.TOPIC, "high-sports")) == "high-sports"
        assert names.topic(id_hash(Kind.TOPIC, "obituaries")) == "obituaries"


class TestCollisions:
    def test_with_an_id_of_the_past_are_refused(self) -> None:
        known = {f"slot:{MASTHEAD.hex()}": '{"id":"mast-of-old","held":[[0,"one","UTC"]]}'}
        with pytest.raises(InputRefused) as caught:
            add_names(known, layout("UTC"), 1)
        [fault] = caught.value.faults
        assert fault.path == "slots.masthead"
        assert "'mast-of-old'" in fault.message

    def test_are_refused_before_anything_is_stored(self) -> None:
        one = Bench()
        known = {f"slot:{MASTHEAD.hex()}": '{"id":"mast-of-old","held":[[0,"one","UTC"]]}'}
        one.store.commit(one.store.head(), None, known)
        for dry_run in (True, False):
            with pytest.raises(InputRefused, match="mast-of-old"):
                one.publisher.publish(slots(slots_file()), extent=Extent.NAMED, author="kim", dry_run=dry_run)
        assert one.store.head().number == 0


def write(redis: Redis, fields: Mapping[str, str]) -> None:
    for field, value in fields.items():
        redis.hset(NAMES_KEY, field, value)


class TestRedis:
    def test_names_are_read_from_it(self) -> None:
        redis = fakeredis.FakeRedis()
        write(redis, add_names({}, layout("Europe/Paris"), 7))
        assert load_names(redis).zone_at(MASTHEAD, 9) == PARIS

    def test_that_decodes_by_itself_does_as_well(self) -> None:
        redis = fakeredis.FakeRedis(decode_responses=True)
        write(redis, add_names({}, layout("Europe/Paris"), 7))
        assert load_names(redis).zone_at(MASTHEAD, 9) == PARIS

    def test_that_is_away_is_said(self) -> None:
        server = fakeredis.FakeServer()
        server.connected = False
        with pytest.raises(StoreUnavailable):
            load_names(fakeredis.FakeRedis(server=server))

    def test_an_empty_one_names_nothing(self) -> None:
        assert load_names(fakeredis.FakeRedis()) == Names()


class TestLayout:
    def test_is_the_one_that_other_versions_read(self) -> None:
        fields = add_names({}, layout("America/Chicago"), 1_764_000_000)
        assert fields == {
            "site:one": '{"id":"one","held":[[1764000000,"One","America/Chicago"]]}',
            "slot:e4f98ac526": '{"id":"masthead","held":[[1764000000,"one","America/Chicago"]]}',
        }

    def test_kinds_of_a_later_version_are_passed_over(self) -> None:
        assert Names.parse({"planet:xyz": "whatever"}) == Names()

    @pytest.mark.parametrize("text", ["", "{", '{"id":1}', '{"id":"a","held":[["x"]]}'])
    def test_a_value_that_is_none_of_it_is_said(self, text: str) -> None:
        with pytest.raises(NamesUnreadable):
            Names.parse({f"slot:{MASTHEAD.hex()}": text})

    @pytest.mark.parametrize("field", ["slot:no-hex", "flight:", "topic:00"])
    def test_a_field_that_is_no_hash_of_its_kind_is_said(self, field: str) -> None:
        with pytest.raises(NamesUnreadable):
            Names.parse({field: '{"id":"a","held":[[0,"one","UTC"]]}'})

    @pytest.mark.parametrize("kind", ["slot", "flight", "creative"])
    def test_a_thing_without_a_parent_is_said(self, kind: str) -> None:
        hash_ = bytes(Kind(kind).size_bytes)
        with pytest.raises(NamesUnreadable):
            Names.parse({f"{kind}:{hash_.hex()}": '{"id":"a"}'})


HELD = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("ab"), st.sampled_from("xy")), min_size=1, max_size=4)
FIELDS = st.dictionaries(
    st.sampled_from(["flight:00", "flight:01", "slot:02"]), HELD.map(lambda held: encoded(sorted(set(held))))
)


def encoded(held: list[tuple[int, str, str]]) -> str:
    listed = ",".join(f'[{since},"{one}","{two}"]' for since, one, two in held)
    return f'{{"id":"x","held":[{listed}]}}'


def spans(text: str) -> set[tuple[int, str, str]]:
    return set(decode_record(text).held)


class TestUniting:
    @given(known=FIELDS, kept=FIELDS)
    def test_loses_nothing_of_either(self, known: dict[str, str], kept: dict[str, str]) -> None:
        united = {**known, **unite_names(known, kept)}
        assert set(united) == set(known) | set(kept)
        for field, text in united.items():
            both = [source[field] for source in (known, kept) if field in source]
            assert spans(text) == set().union(*(spans(one) for one in both))

    @given(known=FIELDS, kept=FIELDS)
    def test_writes_nothing_the_second_time(self, known: dict[str, str], kept: dict[str, str]) -> None:
        united = {**known, **unite_names(known, kept)}
        assert unite_names(united, kept) == {}
        assert unite_names(united, known) == {}


@given(
    st.lists(
        st.tuples(st.sampled_from(["America/Chicago", "Europe/Paris", "Asia/Tokyo"]), st.integers(1, 100)),
        min_size=1,
        max_size=6,
    )
)
def test_a_past_second_keeps_its_zone_whatever_is_published_later(steps: list[tuple[str, int]]) -> None:
    known: dict[str, str] = {}
    told: dict[int, ZoneInfo] = {}
    second = 0
    for zone, pause in steps:
        second += pause
        known.update(add_names(known, layout(zone), second))
        names = Names.parse(known)
        for past, past_zone in told.items():
            assert names.zone_at(MASTHEAD, past) == past_zone
        told.update({at: names.zone_at(MASTHEAD, at) for at in range(second)})


def test_a_day_of_the_past_does_not_move() -> None:
    evening = int(datetime(2026, 11, 24, 4, tzinfo=UTC).timestamp())
    names = named((layout("America/Chicago"), evening - 100), (layout("Europe/Paris"), evening + 100))
    at = datetime.fromtimestamp(evening, names.zone_at(MASTHEAD, evening))
    assert at.date().isoformat() == "2026-11-23"


def test_a_record_says_only_what_it_has() -> None:
    assert decode_record('{"id":"sports"}') == NameRecord("sports")
    assert IdHash(bytes(5)) == Kind.SLOT.none
