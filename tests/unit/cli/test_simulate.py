"""`adserver simulate`: what it says, draws and refuses."""

import json
import re
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from pipeline import load_gazetteer
from sample import copy_sample

from adserver.catalog.build import build_catalog
from adserver.catalog.folder import read_folder
from adserver.cli.main import main
from adserver.cli.simulated_traffic import made_traffic, recorded_traffic
from adserver.decision.snapshot import Snapshot
from adserver.domain.errors import InputRefused
from adserver.runtime.pacing import Past

BAKERY = """
advertiser: {id: corner-bakery, name: Corner Bakery}
campaigns:
  - id: june
    name: June
    starts: 2027-06-01
    ends: 2027-06-01
    timezone: Etc/UTC
    creatives: [{id: line, click_url: "https://bakery.example/", variants: {name: Corner Bakery}}]
    flights:
      - {id: few, slots: [masthead], goal: {impressions: 40}}
      - {id: local, slots: [article-top], goal: {impressions: 30}, targeting: {places: ["Remer, MN"], topics: [news]}}
      - {id: unsold, slots: [masthead]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy_sample(tmp_path / "campaigns")
    (tmp_path / "campaigns" / "bakery.yaml").write_text(BAKERY)
    return tmp_path / "campaigns"


def run(folder: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["simulate", str(folder), "--traffic", "6000", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_goals_are_met_and_the_same_seed_says_the_same(folder: Path) -> None:
    first = json.loads(run(folder, "--json"))
    few, local = first["flights"]
    assert (few["flight"], few["goal"], few["pacing"]) == ("few", 40, "even")
    assert few["delivered"] + few["missing"] == 40
    assert few["missing"] <= 1
    assert few["days"][-1] == {"until": "2027-06-02T00:00:00+00:00", "delivered": few["delivered"], "planned": 40}
    assert 0 < local["delivered"] <= 30  # few pages are about that place and topic
    assert json.loads(run(folder, "--json")) == first


def test_the_table_names_each_flight(folder: Path) -> None:
    output = run(folder, "--flight", "few")
    assert "few" in output
    assert "local" not in output


def test_the_picture_has_a_plan_and_a_delivery_for_each_flight(folder: Path, tmp_path: Path) -> None:
    run(folder, "--svg", str(tmp_path / "picture.svg"))
    picture = (tmp_path / "picture.svg").read_text()
    assert re.findall(r'<polyline class="(\w+)" points="[-\d., ]+"/>', picture) == ["plan", "delivered"] * 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--flight", "nobody"), "no flight with a goal is called nobody"),
        (("--flight", "unsold"), "no flight with a goal is called unsold"),
        (("--from", "2028-01-01"), "all flights are over by then"),
    ],
)
def test_what_cannot_be_simulated_is_said(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in run(folder, *arguments, code=1)


def test_a_folder_without_a_goal_has_nothing_to_simulate(folder: Path) -> None:
    (folder / "bakery.yaml").unlink()
    assert "no flight has a goal" in run(folder, code=1)


def test_recorded_traffic_asks_for_the_slots_and_places_that_were_asked_for(folder: Path) -> None:
    snapshot = Snapshot.build(build_catalog(read_folder(folder), load_gazetteer()), 1)
    masthead = snapshot.slots[0].id
    hours = dict.fromkeys(range(100, 148), 10)
    past = Past({masthead: hours}, range(148), {"us-mn-remer": 3, "(unknown)": 1}, {"news": 1, "(none)": 2})
    traffic = recorded_traffic(snapshot, past, load_gazetteer())
    assert traffic.a_day == pytest.approx(240)
    ask = traffic.asker()
    rng = Random(1)
    asked = [ask(rng) for _ in range(400)]
    assert {request.slot for request in asked} == {masthead}
    assert 250 < sum(request.place is not None for request in asked) < 350
    assert 80 < sum(bool(request.topics) for request in asked) < 190
    with pytest.raises(InputRefused, match="less than a day"):
        recorded_traffic(snapshot, Past({masthead: {100: 1}}, range(102), {}, {}), load_gazetteer())


def test_made_readers_come_along_the_curve_and_change_in_the_middle(folder: Path) -> None:
    snapshot = Snapshot.build(build_catalog(read_folder(folder), load_gazetteer()), 1)
    come = made_traffic(snapshot, 10_000, [None]).readers(1, 2.0, 86_400.0)
    first, second = (
        sum(come(day * 86_400 + at, day * 86_400 + at + 600) for at in range(0, 86_400, 600)) for day in (0, 1)
    )
    assert first == pytest.approx(10_000, rel=0.05)
    assert second == pytest.approx(20_000, rel=0.05)
