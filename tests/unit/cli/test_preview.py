"""`adserver preview` of a file, without a service."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sample import copy_sample

from adserver.cli.main import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "campaigns")


def preview(*arguments: str, data_dir: Path) -> Result:
    environ = {"ADSERVER_DATA_DIR": str(data_dir), "COLUMNS": "140"}
    return CliRunner().invoke(main, ["preview", *arguments], env=environ)


def test_a_file_is_shown_over_the_slots_beside_it_and_makes_no_data_folder(folder: Path, tmp_path: Path) -> None:
    result = preview(str(folder / "qwiket.yaml"), data_dir=tmp_path / "data")
    assert result.exit_code == 0, result.output
    assert "elevate of qwiket-season, by QWIKET" in result.output
    assert re.search(r"sidebar +90 +name +name +short +short +long: the slot does not take this length", result.output)
    assert not (tmp_path / "data").exists()


def test_rules_of_the_place_count(folder: Path, tmp_path: Path) -> None:
    file = str(folder / "three-rivers-sportsbook.yaml")
    assert "with: 21+" in preview(file, "--location", "Iowa", data_dir=tmp_path).output
    assert "betting may not run in us-mn" in preview(file, "--location", "Remer,MN", data_dir=tmp_path).output
    unknown = preview(file, "--location", "Nowhere", data_dir=tmp_path)
    assert unknown.exit_code == 2
    assert "is no place that is known" in unknown.output


def test_machines_get_json_and_the_page_beside_it(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = preview(str(folder / "qwiket.yaml"), "--json", "--html", str(page), data_dir=tmp_path)
    [creative] = json.loads(result.output)["creatives"]
    masthead = creative["slots"][0]
    assert masthead["widths"] == {"320": "name", "480": "name", "728": "short", "970": "short"}
    assert creative["slots"][2]["left_out"] == {"long": "the slot does not take this length"}
    assert "QWIKET fantasy season" in page.read_text()


def test_faults_name_the_file_and_the_line(folder: Path, tmp_path: Path) -> None:
    file = folder / "qwiket.yaml"
    file.write_text(file.read_text().replace("2025-06-01", "soon").replace("masthead", "mast"))
    result = preview(str(file), data_dir=tmp_path)
    assert result.exit_code == 1
    assert f"{file}:11:5: campaigns[0].starts: must be a day" in result.output
    file.write_text(file.read_text().replace("soon", "2025-06-01"))
    assert "there is no slot `mast`" in preview(str(file), data_dir=tmp_path).output


def test_without_a_service_a_campaign_is_not_to_be_had(tmp_path: Path) -> None:
    result = preview("qwiket-season", data_dir=tmp_path / "data")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
