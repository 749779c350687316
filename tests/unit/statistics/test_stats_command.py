"""`adserver stats`: its table, its options, its refusals."""

import json
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result
from statistics_world import World, local

from adserver.catalog.names import Names
from adserver.cli.stats import stats_command
from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS, Metric
from adserver.domain.errors import StoreUnavailable
from adserver.domain.reasons import NoFillReason
from adserver.statistics.service import StatisticsService


@pytest.fixture
def world() -> World:
    world = World()
    world.count(FILLS, 1_234_567)
    world.count(IMPRESSIONS, 800)
    world.count(CLICKS, 2)
    world.count(FILLS, 3, flight="iowa", at=local(23, 8), slot="article-top")
    world.count(Metric.no_fill(NoFillReason.PLACE), 5, flight=None)
    return world


def run(service: StatisticsService, *arguments: str) -> Result:
    with patch("adserver.cli.stats.open_statistics", lambda _settings: service):
        return CliRunner(env={"COLUMNS": "40"}).invoke(stats_command, arguments)


def cells(result: Result, first: str) -> list[str]:
    line = next(line for line in result.stdout.splitlines() if first in line)
    return [cell.strip() for cell in line.strip(" │┃").replace("┃", "│").split("│")]


def test_todays_flights_with_their_totals_are_the_default_whole_on_a_narrow_terminal(world: World) -> None:
    result = run(world.service())
    assert result.exit_code == 0
    assert cells(result, "decisions") == [
        "flight", "decisions", "fills", "impressions", "viewable", "clicks", "invalid", "ctr",
    ]  # fmt: skip
    assert cells(result, "minnesota") == ["minnesota", "1,234,567", "1,234,567", "800", "0", "2", "0", "0.25%"]
    assert cells(result, "(none)") == ["(none)", "5", "0", "0", "0", "0", "0", "0.00%"]
    assert cells(result, "total") == ["total", "1,234,572", "1,234,567", "800", "0", "2", "0", "0.25%"]
    assert "iowa" not in result.stdout
    assert "Today" in result.stdout


def test_options_choose_groups_numbers_days_and_filters(world: World) -> None:
    arguments = [
        "--by",
        "flight,day",
        "--by",
        "slot",
        "--metrics",
        "fills",
        "--range",
        "7d",
        "--filter",
        "flight=iowa,x",
    ]
    result = run(world.service(), *arguments)
    assert cells(result, "iowa") == ["iowa", "2026-11-23", "article-top", "3"]
    assert "minnesota" not in result.stdout
    excluded = run(world.service(), "--range", "2026-11-23..2026-11-24", "--filter", "flight!=minnesota", "--json")
    labels = {row["dimensions"][0] for row in json.loads(excluded.stdout)["results"]}
    assert labels == {"iowa", "(none)"}


def test_json_is_what_the_api_answers(world: World) -> None:
    result = run(world.service(), "--json", "--metrics", "fills,clicks", "--timezone", "UTC", "--limit", "1")
    assert json.loads(result.stdout) == {
        "results": [{"dimensions": ["minnesota"], "metrics": [1_234_567, 2]}],
        "meta": {"total_rows": 1},
        "query": {
            "metrics": ["fills", "clicks"],
            "dimensions": ["flight"],
            "date_range": ["2026-11-24", "2026-11-24"],
            "filters": [],
            "order_by": [["fills", "desc"]],
            "pagination": {"limit": 1, "offset": 0},
            "timezone": "UTC",
        },
    }


def test_rows_left_out_are_said(world: World) -> None:
    assert "1 of 2 rows" in run(world.service(), "--limit", "1").stdout.replace("\n", " ")


def test_a_refused_query_says_why_and_exits_1(world: World) -> None:
    result = run(world.service(), "--metrics", "reach")
    assert (result.exit_code, result.stderr) == (1, "metrics[0]: `reach` is not kept yet\n")
    result = run(world.service(), "--by", "nothing", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errors"][0]["path"] == "dimensions[0]"


def test_a_filter_without_its_value_is_a_wrong_usage(world: World) -> None:
    result = run(world.service(), "--filter", "minnesota")
    assert result.exit_code == 2
    assert "flight=minnesota" in result.stderr


def test_a_store_that_does_not_answer_exits_1(world: World) -> None:
    def names() -> Names:
        raise StoreUnavailable("no answer")

    service = StatisticsService(world.store, names, world.catalog, world.places, lambda: world.now)
    result = run(service)
    assert result.exit_code == 1
    assert "no answer" in result.stderr
