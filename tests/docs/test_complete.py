"""What the code has stands in the documents, and what the documents name is in the code."""

import ast
import csv
import re
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Final

import click
import pytest
from doc_pages import DOCS, EXAMPLE_PAGES, ROOT, first_codes, read_page, rows_of, section
from pipeline import TOKEN, Clock, load_gazetteer
from python_calamine import CalamineWorkbook

from adserver.catalog import schema
from adserver.catalog.fields import NotBuilt
from adserver.catalog.rules_schema import CategoryRuleSchema
from adserver.catalog.sheet_columns import COLUMNS
from adserver.catalog.sheet_template import template
from adserver.catalog.state import CampaignState
from adserver.catalog.strict_schema import StrictSchema
from adserver.catalog.targeting_schema import TargetingSchema
from adserver.catalog.yaml_reading import read_yaml
from adserver.cli import main as cli
from adserver.config import Settings
from adserver.domain.reasons import InvalidReason, NoFillReason
from adserver.runtime.app import make_app
from adserver.statistics.dimensions import Dimension
from adserver.statistics.metrics import MetricName

FIELDS: Final[dict[str, type[StrictSchema]]] = {
    "advertiser": schema.AdvertiserSchema,
    "campaigns": schema.CampaignSchema,
    "creatives": schema.CreativeSchema,
    "flights": schema.FlightSchema,
    "targeting": TargetingSchema,
    "sites": schema.SiteSchema,
    "slots": schema.SlotSchema,
    "rules": CategoryRuleSchema,
}
ALL_COMMANDS: Final = {name: cli.main.get_command(click.Context(cli.main), name) for name in cli.COMMANDS}
COMMANDS: Final = {name: command for name, command in ALL_COMMANDS.items() if command and not command.hidden}
STATISTICS: Final = {
    "## Metrics": tuple(MetricName),
    "## Dimensions": tuple(Dimension),
    "## Why an event was invalid": tuple(InvalidReason),
    "## Why a slot stayed empty": tuple(NoFillReason),
}


@pytest.mark.parametrize("heading", FIELDS)
def test_every_field_of_the_campaign_files_is_documented_and_no_other(heading: str) -> None:
    fields = FIELDS[heading]().fields
    rows = {row[0].strip("`"): row[1] for row in rows_of(section("campaigns.md", f"### {heading}"))}

    assert list(rows) == list(fields)
    assert {name for name, needed in rows.items() if needed} == {name for name, one in fields.items() if one.required}


def test_every_column_of_sheets_is_documented_with_its_field_and_no_other() -> None:
    rows = {row[0].strip("`"): (row[1], row[2]) for row in rows_of(section("campaigns.md", "### columns"))}
    assert list(rows) == [column.name for column in COLUMNS]
    for column in COLUMNS:
        needed, words = rows[column.name]
        assert needed == ("yes" if column.needed else "")
        assert words.startswith(f"`{'.'.join(map(str, column.path))}` of the {column.thing}")


def test_the_example_of_a_sheet_is_the_file_beside_the_page_and_in_the_template() -> None:
    shown = (ROOT / "docs" / "campaign-sheet-example.csv").read_text()
    assert f"```csv lakeside.csv\n{shown}```" in read_page("campaigns.md")
    example = CalamineWorkbook.from_filelike(BytesIO(template(".xlsx"))).get_sheet_by_name("Example").to_python()
    assert example == list(csv.reader(StringIO(shown)))


def test_the_annotated_campaign_file_holds_every_field_that_is_built() -> None:
    example = section("campaigns.md", "## A campaign file, with everything it may hold").partition("###")[0]
    for heading in ("advertiser", "campaigns", "creatives", "flights", "targeting"):
        for name, field in FIELDS[heading]().fields.items():
            assert isinstance(field, NotBuilt) or f"{name}:" in example, f"{heading}.{name}"


@pytest.mark.parametrize("heading", STATISTICS)
def test_every_word_of_statistics_is_documented_in_the_order_of_the_code_and_no_other(heading: str) -> None:
    assert first_codes(section("statistics.md", heading)) == list(STATISTICS[heading])


def test_every_route_is_documented_and_no_other(tmp_path: Path) -> None:
    settings = Settings(
        redis_url="unix:///nowhere/redis.sock",
        data_dir=tmp_path,
        admin_token=TOKEN,
        secret_keys=(b"k" * 32,),
        demo=True,
    )
    app, upkeep = make_app(settings, load_gazetteer(), Clock())
    upkeep.stop()
    routes = {
        f"{method} {re.sub('<[a-z]+:', '<', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    documented = re.findall(r"^\| `((?:GET|POST|PUT|DELETE|PATCH) [^`]+)` \|", read_page("http.md"), re.MULTILINE)
    assert sorted(documented) == sorted(routes)


def test_every_kind_of_problem_is_documented_and_no_other() -> None:
    kinds = {kind for path in (ROOT / "adserver/web").glob("*.py") for kind in kinds_in(path)}
    rows = rows_of(section("http.md", "## Errors"))
    assert {row[0].strip("`") for row in rows} == kinds


def kinds_in(path: Path) -> Iterator[str]:
    """Yield the constant `kind` of every call that a file makes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)


@pytest.mark.parametrize("state", CampaignState)
def test_every_state_of_a_campaign_is_documented(state: CampaignState) -> None:
    assert f"`{state}`" in section("http.md", "## Management")


def test_every_command_is_documented_and_no_other() -> None:
    documented = re.findall(r"^## `adserver ([\w-]+)`$", read_page("commands.md"), re.MULTILINE)
    assert documented == list(COMMANDS)
    hidden = set(ALL_COMMANDS) - set(COMMANDS)
    assert set(re.findall(r"`adserver (\w+)`", section("commands.md", "## Started by others"))) == hidden


def test_the_workflow_for_repositories_calls_commands_that_there_are() -> None:
    text = (DOCS / "campaigns-workflow.yaml").read_text()
    assert isinstance(read_yaml(text.encode()).content, dict)
    called = [line.split() for line in re.findall(r"- run: (adserver .*)", text)]
    assert [words[1:3] for words in called] == [["validate", "campaigns"], ["push", "campaigns"]]
    assert {words[1] for words in called} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_documented_and_no_other(name: str) -> None:
    command = COMMANDS[name]
    parts = command.commands.values() if isinstance(command, click.Group) else (command,)
    options = {option for part in parts for one in part.params if isinstance(one, click.Option) for option in one.opts}
    rows = rows_of(section("commands.md", f"## `adserver {name}`"))
    assert set(re.findall(r"`(-[-\w]+)`", " ".join(row[0] for row in rows))) == options


def test_every_make_target_is_documented_and_no_other() -> None:
    targets = re.search(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    documented = first_codes(section("commands.md", "## make"))
    assert sorted(documented) == sorted(f"make {target}" for target in targets[1].split())


def test_every_page_can_be_reached_from_the_index() -> None:
    index = read_page("README.md")
    assert [page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index] == []


@pytest.mark.parametrize("page", [*EXAMPLE_PAGES, "first-campaign.md", "tutorial.md"])
def test_a_link_to_a_heading_leads_to_one(page: str) -> None:
    for target, anchor in re.findall(r"\]\(([\w.-]*)#([\w-]+)\)", read_page(page)):
        headings = re.findall(r"^#+ (.*)$", read_page(target or page), re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert anchor in slugs, f"docs/{page}: {target}#{anchor}"
