"""Answers as JSON and as CSV."""

from statistics_world import World

from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS
from adserver.statistics.parsing import parse_query
from adserver.statistics.rendering import to_csv, to_document


def counted() -> World:
    world = World()
    world.count(FILLS, 10)
    world.count(IMPRESSIONS, 8)
    world.count(CLICKS, 2)
    return world


def test_json_has_results_meta_and_the_query_as_understood() -> None:
    result = counted().ask(
        "impressions",
        "ctr",
        by=("flight",),
        date_range="7d",
        filters=[["is", "site", ["america-one"]], ["or", [["not", ["is", "slot", ["x"]]]]]],
    )
    assert to_document(result) == {
        "results": [{"dimensions": ["minnesota"], "metrics": [8, 0.25]}],
        "meta": {"total_rows": 1},
        "query": {
            "metrics": ["impressions", "ctr"],
            "dimensions": ["flight"],
            "date_range": ["2026-11-18", "2026-11-24"],
            "filters": [["is", "site", ["america-one"]], ["or", [["not", ["is", "slot", ["x"]]]]]],
            "order_by": [["impressions", "desc"]],
            "pagination": {"limit": 10_000, "offset": 0},
            "timezone": "America/Chicago",
        },
    }


def test_the_query_as_understood_asks_the_same_again() -> None:
    world = counted()
    asked: dict[str, object] = {"date_range": "day", "filters": [["is", "site", ["america-one"]]]}
    document = to_document(world.ask("fills", by=("time:hour",), **asked))
    again = to_document(world.service().run(parse_query(document["query"])))
    assert again == document


def test_ranges_are_left_as_words_where_each_site_has_its_own_today() -> None:
    document = to_document(counted().ask("fills", date_range="7d"))
    query = document["query"]
    assert isinstance(query, dict)
    assert query["date_range"] == "7d"
    assert query["timezone"] is None


def test_csv_has_a_header_and_numbers_as_they_are() -> None:
    text = to_csv(counted().ask("fills", "clicks", "ctr", by=("flight", "time:day")))
    assert text == "flight,time:day,fills,clicks,ctr\r\nminnesota,2026-11-24,10,2,0.25\r\n"


def test_csv_disarms_texts_that_a_spreadsheet_would_run_and_nothing_else() -> None:
    world = World()
    world.count(FILLS, 3, topic="=politics")
    world.count(FILLS, -1, topic="sports")
    assert to_csv(world.ask("fills", by=("topic",))) == "topic,fills\r\n'=politics,3\r\nsports,-1\r\n"
