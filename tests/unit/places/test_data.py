"""The packaged data: whole, in order, what its SOURCE.md says, and what the build script makes of the source."""

import gzip
import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from adserver.domain.ids import Kind, id_hash
from adserver.places.gazetteer import HEADER, Gazetteer

ROOT = Path(__file__).parents[3]
DATA = ROOT / "adserver/places/data/us.tsv.gz"
SOURCE = Path("/usr/share/weather-util/places.gz")


@cache
def text() -> bytes:
    return gzip.decompress(DATA.read_bytes())


@cache
def rows() -> tuple[tuple[str, ...], ...]:
    body = text().decode().partition("\n")[2].partition("\n\n")[0]
    return tuple(tuple(line.split("\t")) for line in body.split("\n"))


def test_the_data_is_what_its_source_note_says() -> None:
    assert hashlib.sha256(text()).hexdigest() in DATA.with_name("SOURCE.md").read_text()


def test_the_script_makes_the_same_data_again(tmp_path: Path) -> None:
    """Without the source package only the script's refusal can be tried: apt-get install weather-util-data."""
    script = [sys.executable, str(ROOT / "scripts/build_gazetteer.py"), "--to", str(tmp_path / "us.tsv.gz")]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    if SOURCE.exists():
        assert done.returncode == 0, done.stderr
        assert gzip.decompress((tmp_path / "us.tsv.gz").read_bytes()) == text()
    else:
        assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
        assert "weather-util-data" in done.stderr


def test_lines_stand_in_the_order_that_the_search_needs() -> None:
    header, _, body = text().partition(b"\n")
    assert header.decode() == HEADER
    for part in body.split(b"\n\n"):
        lines = part.rstrip(b"\n").split(b"\n")
        keys = [line.split(b"\t")[0] for line in lines]
        assert lines == sorted(lines)
        assert len(keys) == len(set(keys))


def test_every_place_lies_in_what_contains_it_up_to_the_country() -> None:
    above = {"town": {"county"}, "zip": {"county"}, "county": {"state"}, "state": {"country"}}
    level = {row[0]: row[1] for row in rows()}
    for id_, own, _, parent, *_ in rows():
        if own == "country":
            assert (id_, parent) == ("us", "")
        else:
            assert level[parent] in above[own]
            assert parent in {"us", id_[:5]} or id_.startswith((f"{parent[:5]}-", "us-zip-"))


def test_every_state_is_there_with_its_counties_and_towns() -> None:
    found = rows()
    assert sum(row[1] == "state" for row in found) == 52
    assert sum(row[1] == "county" for row in found) == 3222
    assert sum(row[1] == "town" for row in found) > 50_000
    with_towns = {"-".join(row[0].split("-")[:2]) for row in found if row[1] == "town"}
    assert {row[0] for row in found if row[1] == "state"} == with_towns


def test_ids_are_slugs_and_their_hashes_differ() -> None:
    ids = [row[0] for row in rows()]
    assert all(len(id_) <= 64 and id_.isascii() and id_ == id_.lower() for id_ in ids)
    assert len({id_hash(Kind.PLACE, id_) for id_ in ids}) == len(ids)


def test_data_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="build it anew"):
        Gazetteer(b"adserver gazetteer 0\n\n\n")
