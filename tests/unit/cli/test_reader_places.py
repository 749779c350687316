"""A file of places that cannot be read stops a start, is found by the doctor, and does not stop a worker."""

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner
from reader_files import make_file

from adserver.cli.main import main
from adserver.config import Settings
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.reader_places import UNREADABLE, open_reader_places


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    environ = {"ADSERVER_GEOIP_DB": str(folder / "city.mmdb"), "ADSERVER_DATA_DIR": str(folder / "data")}
    result = CliRunner(env=environ).invoke(main, arguments)
    return result.exit_code, result.output


def found(folder: Path) -> set[str]:
    return {finding["code"] for finding in json.loads(run(folder, "doctor", "--json")[1])["findings"]}


def test_a_start_is_refused_with_the_setting_and_what_it_takes(tmp_path: Path) -> None:
    code, output = run(tmp_path, "serve")
    assert code == 1
    assert "ADSERVER_GEOIP_DB" in output
    assert "city.mmdb cannot be read: No such file or directory" in output
    assert "it takes the path of a file in MaxMind's format" in output
    assert not (tmp_path / "data").exists()


def test_the_doctor_finds_it(tmp_path: Path) -> None:
    assert "geoip_unreadable" in found(tmp_path)
    (tmp_path / "city.mmdb").write_text("something else")
    assert "geoip_unreadable" in found(tmp_path)
    make_file(tmp_path / "city.mmdb")
    assert not {"geoip_unreadable", "geoip_old"} & found(tmp_path)


def test_a_worker_goes_on_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gazetteer = Gazetteer.load()
    settings = Settings(geoip_db=tmp_path / "city.mmdb")
    with caplog.at_level(logging.WARNING):
        assert open_reader_places(settings, gazetteer) is None
    assert [entry.message for entry in caplog.records] == [UNREADABLE]
    make_file(tmp_path / "city.mmdb")
    assert open_reader_places(settings, gazetteer) is not None
    assert open_reader_places(Settings(), gazetteer) is None
