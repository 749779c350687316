"""`adserver stats`: its table, its options, its refusals."""

import json
import os
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


def run(service: StatisticsService, *arguments: str, columns: int = 80) -> Result:
    with patch("adserver.cli.stats.open_statistics", lambda _settings: service):
        return CliRunner(env={"COLUMNS": str(columns)}).invoke(stats_command, arguments)


def cells(result: Result, first: str) -> list[str]:
    line = next(line for line in result.stdout.splitlines() if line.startswith(first))
    return line.split()


def test_todays_flights_with_their_totals_are_the_default_within_80_columns(world: World) -> None:
    result = run(world.service())
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert cells(result, "flight") == [
        "flight", "decisions", "fills", "impressions", "viewable", "clicks", "invalid", "ctr",
    ]  # fmt: skip
    assert cells(result, "minnesota") == ["minnesota", "1,234,567", "1,234,567", "800", "0", "2", "0", "0.25%"]
    assert cells(result, "(none)") == ["(none)", "5", "0", "0", "0", "0", "0", "0.00%"]
    assert cells(result, "total") == ["total", "1,234,572", "1,234,567", "800", "0", "2", "0", "0.25%"]
    assert "iowa" not in result.stdout
    assert "Today" in result.stdout


def test_a_wide_terminal_shows_long_ids_on_one_line(world: World) -> None:
    result = run(world.service(), "--by", "flight,slot,creative,campaign", columns=160)
    assert cells(result, "minnesota")[:4] == ["minnesota", "masthead", "elevate", "qwiket-season"]


def test_where_labels_have_too_little_room_they_fold_and_numbers_stay_whole(world: World) -> None:
    result = run(world.service(), "--by", "campaign", columns=72)
    assert max(map(len, result.stdout.splitlines())) <= 72
    assert cells(result, "qwiket-sea")[:4] == ["qwiket-sea", "1,234,567", "1,234,567", "800"]
    assert "\nson " in result.stdout


@pytest.mark.parametrize("columns", [40, 67])
def test_a_terminal_too_narrow_for_numbers_beside_labels_has_one_a_line(world: World, columns: int) -> None:
    result = run(world.service(), columns=columns)
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert "minnesota\n  decisions 1,234,567\n  fills 1,234,567\n" in result.stdout
    assert "total\n  decisions 1,234,572\n" in result.stdout


def test_options_choose_groups_numbers_days_and_filters(world: World) -> None:
    arguments = ("--by", "flight,day", "--by", "slot", "--metrics", "fills", "--range", "7d", "--filter", "flight=iowa")
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


def test_a_refused_query_names_the_options_and_exits_1(world: World) -> None:
    result = run(world.service(), "--by", "place,hour", "--filter", "state=us-mn")
    assert result.exit_code == 1
    first, second, third = result.stderr.splitlines()
    assert first == "--by place: `place`, `state`, `hour` are not kept together"
    assert second == "--by hour: `place`, `state`, `hour` are not kept together"
    assert third.startswith("--filter state=us-mn: `place`, `state`, `hour` are not kept together. Kept together are:")


def test_a_refused_query_is_for_machines_as_the_api_says_it(world: World) -> None:
    result = run(world.service(), "--by", "place,hour", "--json")
    assert result.exit_code == 1
    assert [error["path"] for error in json.loads(result.stdout)["errors"]] == ["dimensions[0]", "dimensions[1]"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "slots"], "'--by': there is no 'slots'; did you mean slot? It takes advertiser, campaign, "),
        (["--by", "hours"], "did you mean hour?"),
        (["--by", "flight,flight"], "--by flight: it stands here twice"),
        (["--metrics", "click"], "'--metrics': there is no 'click'; did you mean clicks?"),
        (["--metrics", "rich"], "there is no 'rich'"),
        (["--range", "yesterday"], "'--range': there is no 'yesterday'"),
        (["--range", "yesterday"], "day, 7d, 30d, month, all, or FROM..TO, such as 2026-11-01..2026-11-24"),
        (["--range", "2026-11-31..2026-12-01"], "--range: give a date that exists"),
        (["--range", "2026-11-24..2026-11-01"], "--range: the range ends before it begins"),
        (["--filter", "minnesota"], "'--filter': 'minnesota' is not written like flight=minnesota"),
        (["--filter", "flight="], "'--filter': 'flight=' is not written like flight=minnesota"),
        (["--filter", "fligth=minnesota"], "'--filter': there is no 'fligth'; did you mean flight?"),
        (["--timezone", "Chicago"], "--timezone: not a time zone"),
    ],
)
def test_a_wrong_usage_is_said_in_the_options_words_and_exits_2(world: World, arguments: list[str], words: str) -> None:
    result = run(world.service(), *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "reach," not in result.stderr


def test_a_filter_by_an_id_that_nobody_has_is_answered_with_a_hint(world: World) -> None:
    result = run(world.service(), "--filter", "slot=mastheed,masthead", "--filter", "state!=mn", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["results"]
    assert result.stderr.splitlines() == [
        "note: no slot is called mastheed; did you mean masthead?",
        "note: no state is called mn; places go by ids such as us-mn-remer",
    ]


def test_a_store_that_does_not_answer_exits_1(world: World) -> None:
    def names() -> Names:
        raise StoreUnavailable("no answer")

    service = StatisticsService(
        world.store, names, world.catalog, world.places, lambda: world.now, world.reach, world.standing
    )
    with patch.dict(os.environ, {"ADSERVER_REDIS_URL": "redis://:secret@127.0.0.1:1/0"}):
        result = run(service)
    assert result.exit_code == 1
    assert "ADSERVER_REDIS_URL" in result.stderr
    assert "no answer" in result.stderr
    assert "secret" not in result.stderr
