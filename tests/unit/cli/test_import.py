"""`adserver import`, and `validate`, `plan` and `push` of one file, on a real folder and a real Redis."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_host import Host
from redis import Redis
from sheets import Cell, csv_bytes, row, xlsx_bytes
from valkey_server import connect, running_valkey

from adserver.catalog.folder import read_file
from adserver.catalog.sheet_columns import COLUMNS
from adserver.catalog.xlsx_reading import read_xlsx

pytestmark = pytest.mark.processes

EXAMPLE = Path(__file__).parents[3] / "docs" / "campaign-sheet-example.csv"


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with running_valkey() as socket:
        yield socket


@pytest.fixture
def redis(socket: Path) -> Iterator[Redis]:
    with connect(socket) as client:
        client.flushall()
        yield client


@pytest.fixture
def host(tmp_path: Path, redis: Redis, socket: Path) -> Host:
    return Host(tmp_path, redis, socket)


def sheet(host: Host, name: str = "spring.csv", *rows: dict[str, Cell]) -> Path:
    """Write a sheet beside the campaigns folder."""
    path = host.campaigns.parent / name
    path.write_bytes((csv_bytes if name.endswith(".csv") else xlsx_bytes)(*(rows or (row(slots="masthead"),))))
    return path


class TestImport:
    @pytest.mark.parametrize("name", ["spring.csv", "spring.xlsx"])
    def test_writes_files_that_push_to_the_plan_of_the_sheet(self, host: Host, name: str) -> None:
        host.run("push")
        path = sheet(host, name, row("a", slots="masthead", places="Remer, MN"), row("b", tier="house"))
        planned = json.loads(host.run("plan", str(path), "--json").stdout)["plan"]
        imported = host.run("import", str(path))
        assert (imported.exit_code, imported.stdout) == (0, f"> {host.campaigns}/shop.yaml\n")
        assert json.loads(host.run("plan", "--json").stdout)["plan"] == planned
        assert (
            read_file(host.campaigns / "shop.yaml").campaign_files["shop.yaml"]
            == (read_file(path).campaign_files[name])
        )

    def test_writes_them_as_people_do(self, host: Host) -> None:
        host.run("import", str(sheet(host, "spring.csv", row(slots="masthead", places="Remer, MN", goal=500))))
        assert (host.campaigns / "shop.yaml").read_text() == (
            "# yaml-language-server: $schema=../docs/campaign.schema.json\n"
            "advertiser:\n"
            "  id: shop\n"
            "  name: The Shop\n"
            "campaigns:\n"
            "  - id: shop-winter\n"
            "    name: Winter\n"
            "    starts: 2026-01-01\n"
            "    ends: 2027-12-31\n"
            "    timezone: America/Chicago\n"
            "    creatives:\n"
            "      - id: boots\n"
            "        click_url: https://shop.example/\n"
            "        variants:\n"
            "          name: The Shop\n"
            "    flights:\n"
            "      - id: shop-flight\n"
            "        slots: [masthead]\n"
            "        goal: {impressions: 500}\n"
            "        targeting:\n"
            '          places: ["Remer, MN"]\n'
            "        creatives: [boots]\n"
        )

    def test_refuses_to_change_a_file_unless_told_to_and_then_keeps_it_as_it_was(self, host: Host) -> None:
        host.run("import", str(sheet(host)))
        before = (host.campaigns / "shop.yaml").read_text()
        path = sheet(
            host, "spring.csv", row(slots="masthead", weight=3), row("new", campaign_id="c-2", creative_id="x")
        )
        refused = host.run("import", str(path))
        assert refused.exit_code == 1
        assert "shop.yaml would be changed; --overwrite does that" in refused.stderr
        assert (host.campaigns / "shop.yaml").read_text() == before
        assert host.run("import", str(path), "--overwrite").exit_code == 0
        assert (host.campaigns / ".before-pull" / "shop.yaml").read_text() == before
        assert host.run("validate").exit_code == 0
        assert host.run("import", str(path)).stdout == "the folder says already what the sheet says\n"

    def test_with_dry_run_writes_nothing(self, host: Host) -> None:
        result = host.run("import", str(sheet(host)), "--dry-run", "--json")
        assert json.loads(result.stdout) == {"written": [f"{host.campaigns}/shop.yaml"], "removed": []}
        assert not (host.campaigns / "shop.yaml").exists()

    def test_of_a_sheet_with_faults_lists_all_and_writes_nothing(self, host: Host) -> None:
        path = sheet(host, "spring.xlsx", row("a", weight=0), row("b", places="Reemer, MN", slots="mast-head"))
        result = host.run("import", str(path))
        assert result.exit_code == 1
        assert result.stdout.startswith(f"{path}:Campaigns:2:12: weight: must be a whole number")
        sheet(host, "spring.xlsx", row("b", places="Reemer, MN", slots="mast-head"))
        said = host.run("import", str(path), "--json")
        assert [(one["sheet"], one["line"], one["path"]) for one in json.loads(said.stdout)["errors"]] == [
            ("Campaigns", 2, "slots"),
            ("Campaigns", 2, "places"),
        ]
        assert not (host.campaigns / "shop.yaml").exists()

    def test_into_an_empty_folder_needs_no_slots(self, host: Host, tmp_path: Path) -> None:
        result = host.run("import", str(sheet(host)), str(tmp_path / "fresh"))
        assert result.exit_code == 0, result.output
        assert (tmp_path / "fresh" / "shop.yaml").exists()

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("campaigns/qwiket.yaml", "is no sheet: its name must end with .csv or .xlsx"),
            ("nothing.csv", "there is no "),
            ("campaigns/spring.csv", "lies in the campaigns folder"),
        ],
    )
    def test_of_what_is_no_sheet_or_lies_in_the_folder_is_refused(self, host: Host, name: str, said: str) -> None:
        sheet(host, "campaigns/spring.csv")
        result = host.run("import", str(host.campaigns.parent / name))
        assert (result.exit_code, said in result.stderr) == (1, True), result.stderr


class TestTemplate:
    @pytest.mark.parametrize("name", ["empty.csv", "empty.xlsx"])
    def test_has_every_column_and_is_never_written_over_a_file(self, host: Host, name: str) -> None:
        path = host.campaigns.parent / name
        assert host.run("import", "--template", str(path)).exit_code == 0
        data = path.read_bytes()
        rows = read_xlsx(data).rows[0].cells if name.endswith(".xlsx") else data.decode().strip().split(",")
        assert list(rows) == [column.name for column in COLUMNS]
        again = host.run("import", "--template", str(path))
        assert (again.exit_code, "is there already" in again.stderr) == (1, True)


class TestOneFile:
    def test_is_validated_against_the_slots_and_campaigns_of_the_folder(self, host: Host) -> None:
        assert host.run("validate", str(EXAMPLE)).stdout == "no faults\n"
        path = sheet(host, "spring.csv", row("a", slots="mast-head"))
        result = host.run("validate", str(path))
        assert (result.exit_code, result.stdout.split(": ")[:2]) == (1, [f"{path}:2:12", "slots"])
        assert host.run("validate", str(host.campaigns / "qwiket.yaml")).exit_code == 0

    def test_that_is_no_campaign_file_is_refused(self, host: Host, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("hello")
        result = host.run("validate", str(tmp_path / "notes.txt"))
        assert (result.exit_code, "must be one of .yaml" in result.stdout) == (1, True)

    def test_is_planned_and_pushed_over_what_is_live_and_leaves_the_rest(self, host: Host) -> None:
        host.run("push")
        planned = host.run("plan", str(EXAMPLE))
        assert planned.exit_code == 3
        assert "+ campaigns.lakeside-winter" in planned.stdout
        assert "\n- " not in planned.stdout
        assert host.run("push", str(EXAMPLE)).exit_code == 0
        assert host.revision() == 2
        assert host.run("plan", str(EXAMPLE)).exit_code == 0

    def test_with_an_id_of_another_campaign_is_refused_with_its_row(self, host: Host) -> None:
        host.run("push")
        host.run("push", str(EXAMPLE))
        path = sheet(host, "spring.csv", row("lakeside-mornings"))
        result = host.run("push", str(path))
        assert result.exit_code == 1
        assert result.stdout.startswith("spring.csv:2:10: flight_id: 'lakeside-mornings' is a flight of campaign")
