from datetime import date
from zoneinfo import ZoneInfo

import pytest

from adserver.domain.errors import Fault
from adserver.statistics.dimensions import Dimension
from adserver.statistics.errors import QueryRefused
from adserver.statistics.filters import And, Match, Not, Operator, Or
from adserver.statistics.metrics import MetricName
from adserver.statistics.parsing import parse_query
from adserver.statistics.query import Days, Direction, Order, Pagination, Period, Query


def document(**changes: object) -> dict[str, object]:
    return {"metrics": ["clicks"], "date_range": "day", **changes}


def faults_of(body: object) -> tuple[Fault, ...]:
    with pytest.raises(QueryRefused) as caught:
        parse_query(body)
    return caught.value.faults


def test_the_least_query_has_defaults_for_all_else() -> None:
    assert parse_query(document()) == Query((MetricName.CLICKS,), Period.DAY)
    assert parse_query(document()).pagination == Pagination(limit=10_000, offset=0)


def test_every_field_is_read() -> None:
    read = parse_query(
        {
            "metrics": ["impressions", "ctr"],
            "dimensions": ["flight", "time:day"],
            "date_range": ["2026-11-01", "2026-11-24"],
            "filters": [
                ["is", "slot", ["masthead", "article-top"]],
                ["or", [["not", ["is", "flight", ["iowa"]]], ["and", [["contains_not", "creative", ["x"]]]]]],
            ],
            "order_by": [["ctr", "desc"], ["time:day", "asc"]],
            "pagination": {"limit": 5, "offset": 10},
            "timezone": "Europe/Oslo",
        }
    )
    assert read == Query(
        metrics=(MetricName.IMPRESSIONS, MetricName.CTR),
        dimensions=(Dimension.FLIGHT, Dimension.DAY),
        date_range=Days(date(2026, 11, 1), date(2026, 11, 24)),
        filters=(
            Match(Operator.IS, Dimension.SLOT, ("masthead", "article-top")),
            Or(
                (
                    Not(Match(Operator.IS, Dimension.FLIGHT, ("iowa",))),
                    And((Match(Operator.CONTAINS_NOT, Dimension.CREATIVE, ("x",)),)),
                )
            ),
        ),
        order_by=(Order(MetricName.CTR, Direction.DESCENDING), Order(Dimension.DAY, Direction.ASCENDING)),
        pagination=Pagination(5, 10),
        timezone=ZoneInfo("Europe/Oslo"),
    )


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], ""),
        ("day", ""),
        (None, ""),
        ({"date_range": "day"}, "metrics"),
        ({"metrics": ["clicks"]}, "date_range"),
        (document(metrics=[]), "metrics"),
        (document(metrics="clicks"), "metrics"),
        (document(metrics=None), "metrics"),
        (document(metrics=["visitors"]), "metrics[0]"),
        (document(metrics=["clicks", 3]), "metrics[1]"),
        (document(metrics=["clicks", "clicks"]), "metrics[1]"),
        (document(dimensions=["flight", "time"]), "dimensions[1]"),
        (document(dimensions=[["flight"]]), "dimensions[0]"),
        (document(dimensions=["flight"] * 65), "dimensions"),
        (document(date_range="year"), "date_range"),
        (document(date_range=7), "date_range"),
        (document(date_range=[]), "date_range"),
        (document(date_range=["2026-11-24"]), "date_range"),
        (document(date_range=["2026-11-24", "2026-11-23"]), "date_range[1]"),
        (document(date_range=["2026-02-29", "2026-11-23"]), "date_range[0]"),
        (document(date_range=["2026-11-01", "20261124"]), "date_range[1]"),
        (document(date_range=["2026-11-01", "2026-11-24T00:00:00Z"]), "date_range[1]"),
        (document(timezone="Mars/Phobos"), "timezone"),
        (document(timezone="America"), "timezone"),
        (document(timezone="../../etc/passwd"), "timezone"),
        (document(timezone=1), "timezone"),
        (document(filters={"flight": "x"}), "filters"),
        (document(filters=["is", "flight", ["x"]]), "filters"),
        (document(filters=[["is", "flight"]]), "filters[0]"),
        (document(filters=[[]]), "filters[0]"),
        (document(filters=[["matches", "flight", ["x"]]]), "filters[0][0]"),
        (document(filters=[[["is"], "flight", ["x"]]]), "filters[0][0]"),
        (document(filters=[["is", "visit:source", ["x"]]]), "filters[0][1]"),
        (document(filters=[["is", "flight", "x"]]), "filters[0][2]"),
        (document(filters=[["is", "flight", []]]), "filters[0][2]"),
        (document(filters=[["is", "flight", ["x", 5]]]), "filters[0][2][1]"),
        (document(filters=[["is", "flight", ["x" * 257]]]), "filters[0][2][0]"),
        (document(filters=[["is", "flight", ["x"] * 1_001]]), "filters[0][2]"),
        (document(filters=[["not", [["is", "flight", ["x"]]]]]), "filters[0][1]"),
        (document(filters=[["and", []]]), "filters[0][1]"),
        (document(filters=[["or", [["is", "flight", ["x"]], ["is", "nothing", ["x"]]]]]), "filters[0][1][1][1]"),
        (document(order_by=["clicks"]), "order_by[0]"),
        (document(order_by=[["clicks", "down"]]), "order_by[0][1]"),
        (document(order_by=[["hour", "asc"]]), "order_by[0][0]"),
        (document(order_by=[["impressions", "asc"]]), "order_by[0][0]"),
        (document(order_by=[["flight", "asc"]]), "order_by[0][0]"),
        (document(pagination={"limit": 0}), "pagination.limit"),
        (document(pagination={"limit": 10_001}), "pagination.limit"),
        (document(pagination={"limit": "5"}), "pagination.limit"),
        (document(pagination={"limit": True}), "pagination.limit"),
        (document(pagination={"limit": float("inf")}), "pagination.limit"),
        (document(pagination={"offset": -1}), "pagination.offset"),
        (document(pagination={"page": 1}), "pagination.page"),
        (document(pagination=[5]), "pagination"),
        (document(site_id="america-one"), "site_id"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_path(body: object, path: str) -> None:
    (fault,) = faults_of(body)
    assert fault.path == path
    assert fault.message


def test_every_fault_is_told_at_once() -> None:
    body = {"metrics": ["x", "y"], "filters": [["is", "flight", []]], "unknown": 1}
    assert {fault.path for fault in faults_of(body)} == {
        "metrics[0]", "metrics[1]", "filters[0][2]", "unknown", "date_range",
    }  # fmt: skip


def test_filters_may_not_stand_too_deep() -> None:
    filter_: list[object] = ["is", "flight", ["x"]]
    for _ in range(7):
        filter_ = ["not", filter_]
    assert len(parse_query(document(filters=[filter_])).used) == 1
    assert "deep" in faults_of(document(filters=[["not", filter_]]))[0].message


def test_times_come_first_and_the_first_metric_orders_the_rest() -> None:
    query = parse_query(document(metrics=["clicks", "fills"], dimensions=["flight", "time:day"]))
    assert query.order == (Order(Dimension.DAY, Direction.ASCENDING), Order(MetricName.CLICKS, Direction.DESCENDING))
