"""What a query answers: metrics, labels, days, order, pages."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from statistics_world import NOW, World, hash_of, local, order_name, slot_name

from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS, VIEWABLE, Family, Field, Metric
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash, Kind
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant
from adserver.statistics.cell_store import Member, StoredCell
from adserver.statistics.errors import QueryRefused

SEEN, VIEW, CLICK = EventKind.SEEN, EventKind.VIEWABLE, EventKind.CLICK


def test_each_metric_is_made_of_its_counts() -> None:
    world = World()
    world.count(FILLS, 100)
    world.count(Metric.no_fill(NoFillReason.PLACE), 20, flight=None)
    world.count(Metric.no_fill(NoFillReason.GOAL_MET), 5, flight=None)
    world.count(IMPRESSIONS, 50)
    world.count(VIEWABLE, 30)
    world.count(CLICKS, 2)
    world.count(Metric.invalid(SEEN, InvalidReason.DUPLICATE), 7)
    world.count(Metric.invalid(SEEN, InvalidReason.PREFETCH), 4)
    world.count(Metric.invalid(VIEW, InvalidReason.BOT), 3)
    world.count(Metric.invalid(CLICK, InvalidReason.NO_VIEW), 1)
    assert world.rows(
        "decisions", "fills", "impressions", "gross", "viewable", "clicks", "invalid", "fill_rate", "ctr", "viewability"
    ) == {(): (125, 100, 50, 57, 30, 2, 15, 0.8, 0.04, 0.6)}


def test_nothing_counted_is_one_row_of_zeros_and_by_a_dimension_no_row() -> None:
    world = World()
    assert world.rows("decisions", "ctr") == {(): (0, 0.0)}
    assert world.rows("decisions", "ctr", by=("flight",)) == {}


def test_a_cell_that_no_metric_is_made_of_and_one_that_fell_to_zero_make_no_row() -> None:
    world = World()
    world.count(FILLS, 3, flight="iowa")
    world.count(Metric.invalid(CLICK, InvalidReason.NO_VIEW), 1)
    world.count(Metric.invalid(CLICK, InvalidReason.NO_VIEW), -1)
    assert world.rows("clicks", "invalid", by=("flight",)) == {}


@pytest.mark.parametrize(
    ("dimension", "label"),
    [
        ("advertiser", "qwiket"),
        ("campaign", "qwiket-season"),
        ("flight", "minnesota"),
        ("creative", "elevate"),
        ("variant", "auto"),
        ("slot", "masthead"),
        ("site", "america-one"),
        ("place", "us-mn-remer"),
        ("county", "us-mn-cass-county"),
        ("state", "us-mn"),
        ("country", "us"),
        ("topic", "sports"),
        ("time:hour", "2026-11-24 12:00:00"),
        ("time:day", "2026-11-24"),
        ("time:week", "2026-11-23"),
        ("time:month", "2026-11-01"),
    ],
)
def test_each_dimension_has_its_label(dimension: str, label: str) -> None:
    world = World()
    world.count(FILLS, 3)
    assert world.rows("decisions", by=(dimension,)) == {(label,): (3,)}


def test_what_a_no_fill_lacks_is_none_whatever_length_was_asked_for() -> None:
    world = World()
    world.count(Metric.no_fill(NoFillReason.VARIANT), flight=None, variant=Variant.LONG)
    dimensions = ("advertiser", "campaign", "flight", "creative", "variant", "slot")
    assert world.rows("decisions", by=dimensions) == {(*["(none)"] * 5, "masthead"): (1,)}


def test_what_catalog_and_gazetteer_do_not_know_is_unknown() -> None:
    world = World()
    world.count(flight="gone", creative="gone", slot=None, place="atlantis", topic="gone")
    dimensions = ("advertiser", "campaign", "flight", "creative", "slot", "site")
    assert world.rows("fills", by=dimensions) == {("(unknown)",) * 6: (1,)}
    assert world.rows("fills", by=("place", "county", "state", "country")) == {("(unknown)",) * 4: (1,)}
    assert world.rows("fills", by=("topic",)) == {("(unknown)",): (1,)}


def test_no_place_is_unknown_and_no_topic_is_none() -> None:
    world = World()
    world.count(place=None, topic=None)
    assert world.rows("fills", by=("place", "state")) == {("(unknown)", "(unknown)"): (1,)}
    assert world.rows("fills", by=("topic",)) == {("(none)",): (1,)}


def test_levels_finer_than_the_page_named_are_none() -> None:
    world = World()
    for place in ("us-mn-remer", "us-mn-cass-county", "us-mn", "us"):
        world.count(place=place)
    assert set(world.rows("fills", by=("place", "county", "state", "country"))) == {
        ("us-mn-remer", "us-mn-cass-county", "us-mn", "us"),
        ("us-mn-cass-county", "us-mn-cass-county", "us-mn", "us"),
        ("us-mn", "(none)", "us-mn", "us"),
        ("us", "(none)", "(none)", "us"),
    }


def test_an_event_with_a_bad_signature_belongs_to_nobody() -> None:
    world = World()
    member = Member(Kind.FLIGHT.none, Kind.SLOT.none, Kind.CREATIVE.none)
    block, offset = divmod(int(NOW.timestamp()) // 3600, 6)
    field = Field(offset, Variant.AUTO, Metric.invalid(SEEN, InvalidReason.SIGNATURE))
    world.memory.cells.append((Family.HOURS, StoredCell(member, block, field, 4)))
    by = ("flight", "slot", "site", "event", "reason")
    assert world.rows("invalid", by=by) == {("(none)", "(none)", "(none)", "seen", "signature"): (4,)}


def test_lengths_of_one_hour_are_told_apart() -> None:
    world = World()
    world.count(IMPRESSIONS, 1, variant=Variant.SHORT)
    world.count(IMPRESSIONS, 2, variant=Variant.LONG)
    assert world.rows("impressions", by=("variant",)) == {("short",): (1,), ("long",): (2,)}
    assert world.total("impressions", filters=[["is", "variant", ["long"]]]) == 2


def test_reasons_of_decisions_are_the_no_fill_codes_and_fill() -> None:
    world = World()
    world.count(FILLS, 8)
    world.count(Metric.no_fill(NoFillReason.ENDED), 2, flight=None)
    world.count(Metric.invalid(SEEN, InvalidReason.BOT), 5)
    assert world.rows("decisions", by=("reason",)) == {("(fill)",): (8,), ("ended",): (2,)}
    assert world.rows("decisions", by=("reason", "state")) == {("(fill)", "us-mn"): (8,), ("ended", "us-mn"): (2,)}
    assert world.rows("invalid", by=("reason", "event")) == {("bot", "seen"): (5,)}


def test_filters_keep_what_they_say() -> None:
    world = World()
    world.count(FILLS, 1, flight="minnesota", slot="masthead")
    world.count(FILLS, 2, flight="iowa", slot="masthead")
    world.count(FILLS, 4, flight="tools", slot="article-top", place="us-mn")
    world.count(Metric.no_fill(NoFillReason.PLACE), 8, flight=None)
    assert world.total("decisions", filters=[["is", "flight", ["minnesota", "iowa"]]]) == 3
    assert world.total("decisions", filters=[["is_not", "flight", ["minnesota"]]]) == 14
    assert world.total("decisions", filters=[["is", "advertiser", ["qwiket"]], ["is", "flight", ["iowa"]]]) == 2
    assert world.total("decisions", filters=[["or", [["is", "flight", ["tools"]], ["is", "flight", ["(none)"]]]]]) == 12
    assert world.total("fills", filters=[["is", "county", ["us-mn-cass-county"]]]) == 3
    assert world.total("fills", filters=[["contains", "slot", ["article"]]]) == 4
    assert world.total("fills", filters=[["is", "time:day", ["2026-11-24"]]]) == 7
    assert world.total("fills", filters=[["is", "time:hour", ["2026-11-24 11:00:00"]]]) == 0
    assert world.total("decisions", filters=[["not", ["is", "reason", ["(fill)"]]]]) == 8


@pytest.mark.parametrize(
    ("date_range", "days"),
    [
        ("day", {24}),
        ("7d", {18, 23, 24}),
        ("30d", {1, 17, 18, 23, 24}),
        ("month", {1, 17, 18, 23, 24}),
        ("all", {1, 17, 18, 23, 24}),
        (["2026-11-17", "2026-11-23"], {17, 18, 23}),
        (["2026-11-24", "2026-11-30"], {24, 25}),
        (["2026-11-23", "9999-12-31"], {23, 24, 25}),
        (["0001-01-01", "2026-11-01"], {1}),
        (["9000-01-01", "9999-12-31"], set()),
    ],
)
@pytest.mark.parametrize("dimension", ["flight", "place", "topic"])
def test_a_range_has_both_its_ends_in_every_family(date_range: object, days: set[int], dimension: str) -> None:
    world = World()
    for day in (1, 17, 18, 23, 24, 25):
        world.count(at=local(day, 0))
        world.count(at=local(day, 23))
    labels = {day for day, _ in world.rows("fills", by=("time:day", dimension), date_range=date_range)}
    assert labels == {f"2026-11-{day:02}" for day in days}


def test_all_begins_before_the_month_and_the_month_with_its_first_day() -> None:
    world = World()
    world.count(at=local(1, 0) - timedelta(hours=1))
    world.count(at=NOW.replace(year=2023), number=2)
    assert world.total("fills", date_range="month") == 0
    assert world.total("fills", date_range="30d") == 1
    assert world.total("fills", date_range="all") == 3


def test_hours_are_told_in_the_zone_asked_for() -> None:
    world = World()
    world.count(at=local(23, 20))
    assert world.rows("fills", by=("time:hour",)) == {("2026-11-23 20:00:00",): (1,)}
    assert world.rows("fills", by=("time:hour",), timezone="Asia/Tokyo") == {("2026-11-24 11:00:00",): (1,)}
    assert world.total("fills", date_range="day") == 0
    assert world.total("fills", date_range="day", timezone="UTC") == 1


def test_without_a_zone_each_site_has_its_own_days_and_its_own_today() -> None:
    world = World()
    world.now = local(23, 20)  # 03:00 on the 24th in Oslo
    for hours in range(0, 30, 3):
        world.count(at=world.now - timedelta(hours=hours), slot="masthead")
        world.count(at=world.now - timedelta(hours=hours), slot="forside")
    for rest in (("slot",), ("slot", "country"), ("slot", "topic")):
        rows = world.rows("fills", by=("time:day", *rest), date_range="day")
        assert {key[:2]: value for key, value in rows.items()} == {
            ("2026-11-23", "masthead"): (7,),
            ("2026-11-24", "forside"): (2,),
        }


def test_an_hour_that_the_clocks_repeat_is_one_row_and_the_day_has_25() -> None:
    world = World()
    for hours in range(25):
        world.count(at=local(1, 0).astimezone(UTC) + timedelta(hours=hours))
    rows = world.rows("fills", by=("time:hour",), date_range=["2026-11-01", "2026-11-01"])
    assert len(rows) == 24
    assert [value for (label,), (value,) in rows.items() if label == "2026-11-01 01:00:00"] == [2]
    assert world.rows("fills", by=("time:day",)) == {("2026-11-01",): (25,)}


def test_a_flight_and_a_slot_that_moved_stay_where_they_were() -> None:
    world = World()
    moved = int(local(20, 0).timestamp())
    flight = order_name("minnesota", (0, "old-season", "former"), (moved, "qwiket-season", "qwiket"))
    slot = slot_name("masthead", (0, "old-site", "America/Chicago"), (moved, "america-one", "America/Chicago"))
    world.names = replace(
        world.names,
        flights={hash_of(Kind.FLIGHT, "minnesota"): flight},
        slots={hash_of(Kind.SLOT, "masthead"): slot},
    )
    world.count(FILLS, 1, at=local(19, 12))
    world.count(FILLS, 2, at=local(21, 12))
    by = ("advertiser", "campaign", "site")
    assert world.rows("fills", by=by) == {
        ("former", "old-season", "old-site"): (1,),
        ("qwiket", "qwiket-season", "america-one"): (2,),
    }
    assert world.rows("fills", by=("country",), filters=[["is", "campaign", ["old-season"]]]) == {("us",): (1,)}
    assert world.total("fills", filters=[["is", "site", ["america-one"]]]) == 2


@pytest.mark.parametrize("dimension", ["place", "topic"])
def test_place_and_topic_take_the_sites_own_zone_only(dimension: str) -> None:
    world = World()
    world.count(FILLS, 3)
    one_site = [["is", "site", ["america-one"]]]
    rows = world.rows("fills", by=(dimension,), timezone="America/Chicago", filters=one_site)
    assert set(rows.values()) == {(3,)}
    with pytest.raises(QueryRefused, match=r"timezone: .*America/Chicago"):
        world.ask("fills", by=(dimension,), timezone="UTC", filters=one_site)
    with pytest.raises(QueryRefused, match=r"timezone: .*each site"):
        world.ask("fills", by=(dimension,), timezone="America/Chicago")
    assert world.total("fills", timezone="UTC") == 3


def test_rows_come_in_the_order_asked_for_ties_by_label() -> None:
    world = World()
    for flight, fills, clicks in (("minnesota", 5, 1), ("iowa", 5, 3), ("tools", 9, 2)):
        world.count(FILLS, fills, flight=flight)
        world.count(CLICKS, clicks, flight=flight)

    def order(**rest: object) -> list[str]:
        return [row.dimensions[0] for row in world.ask("fills", "clicks", by=("flight",), **rest).rows]

    assert order() == ["tools", "iowa", "minnesota"]
    assert order(order_by=[["clicks", "desc"]]) == ["iowa", "tools", "minnesota"]
    assert order(order_by=[["fills", "asc"], ["clicks", "desc"]]) == ["iowa", "minnesota", "tools"]
    assert order(order_by=[["fills", "desc"], ["clicks", "asc"]]) == ["tools", "minnesota", "iowa"]
    assert order(order_by=[["flight", "desc"]]) == ["tools", "minnesota", "iowa"]


def test_a_page_is_cut_from_the_ordered_rows() -> None:
    world = World()
    for hours in range(10):
        world.count(at=local(24, hours))
    result = world.ask("fills", by=("time:hour",), pagination={"limit": 3, "offset": 8})
    assert [row.dimensions for row in result.rows] == [("2026-11-24 08:00:00",), ("2026-11-24 09:00:00",)]
    assert result.total_rows == 10


def test_cells_of_several_shards_are_added_up() -> None:
    world = World()
    world.count(FILLS, 1)
    world.count(FILLS, 2)
    assert world.rows("fills", by=("flight",)) == {("minnesota",): (3,)}


def test_a_metric_of_a_later_version_is_passed_over() -> None:
    world = World()
    world.count(Metric(250), 9)
    assert world.rows("decisions", "invalid", "gross", by=("flight",)) == {}


def test_a_store_that_does_not_answer_is_no_zero() -> None:
    class Silent:
        def read(self, family: Family, blocks: range, wanted: Callable[[Member], bool]) -> list[StoredCell]:
            raise StoreUnavailable("no answer")

        def oldest(self, family: Family) -> int | None:
            raise StoreUnavailable("no answer")

    world = World()
    world.store = Silent()
    with pytest.raises(StoreUnavailable):
        world.ask("fills")


def test_only_members_that_can_pass_are_read() -> None:
    world = World()
    world.count(FILLS, 1, flight="iowa")
    world.count(FILLS, 1, flight="minnesota")
    asked: set[IdHash] = set()

    class Watched:
        def read(self, family: Family, blocks: range, wanted: Callable[[Member], bool]) -> list[StoredCell]:
            cells = list(world.memory.read(family, blocks, wanted))
            asked.update(cell.member.flight for cell in cells)
            return cells

        def oldest(self, family: Family) -> int | None:
            return world.memory.oldest(family)

    world.store = Watched()
    world.ask("fills", filters=[["is", "flight", ["iowa"]], ["is_not", "time:day", ["2026-11-01"]]])
    assert asked == {hash_of(Kind.FLIGHT, "iowa")}
