"""How long a large upload takes: 5,000 flights are read, checked and planned in less than 5 seconds of a processor."""

import csv
import time
from io import StringIO

import pytest
import yaml
from catalog_bench import slots_file
from pipeline import load_gazetteer
from sheets import Cell, row

from adserver.catalog.build import build_catalog
from adserver.catalog.documents import Documents
from adserver.catalog.plan import make_plan
from adserver.catalog.upload import Format, read_campaigns, read_slots

FLIGHTS = 5_000
SECONDS = 5.0


def sheet() -> bytes:
    rows: list[dict[str, Cell]] = []
    for number in range(FLIGHTS):
        campaign = number // 10
        targeting: dict[str, Cell] = {"slots": "masthead", "places": "Duluth, MN; MN", "topics": "sports; outdoors"}
        sold: dict[str, Cell] = {"weight": 3, "goal": 50_000, "pacing": "even", "cpm": "9.50", "currency": "USD"}
        texts: dict[str, Cell] = {"short": f"Shop {campaign}: boots that know the way home."}
        ids: dict[str, Cell] = {"campaign_id": f"campaign-{campaign}", "creative_id": f"creative-{campaign}"}
        rows.append(row(f"flight-{number}", **ids, **texts, **sold, **targeting))
    stream = StringIO()
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def plan(data: bytes, form: Format) -> float:
    """Return the processor's seconds of reading, checking and planning."""
    gazetteer = load_gazetteer()
    slots = read_slots(repr(slots_file()).replace("'", '"').encode(), Format.JSON).slots
    began = time.process_time()
    upload = read_campaigns(data, form)
    documents = Documents(upload.campaign_files, slots, None, upload.positions)
    catalog = build_catalog(documents, gazetteer)
    planned = make_plan(Documents(slots=slots), documents)
    took = time.process_time() - began
    assert sum(len(campaign.flights) for campaign in catalog.campaigns) == FLIGHTS
    assert len(planned.add) == FLIGHTS // 10 + 1
    return took


@pytest.mark.parametrize("form", [Format.CSV, Format.YAML])
def test_five_thousand_flights_are_planned_in_time(form: Format) -> None:
    data = sheet()
    if form is Format.YAML:
        file = read_campaigns(data, Format.CSV).campaign_files["upload"]
        data = yaml.dump(file, Dumper=yaml.CSafeDumper, sort_keys=False).encode()
        assert len(data) > 1_000_000
    assert plan(data, form) < SECONDS
