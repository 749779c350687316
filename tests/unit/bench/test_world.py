"""The made-up publisher is one that can be published, and its pages find something."""

import json
from random import Random

import pytest

from adserver.catalog.build import build_catalog
from adserver.catalog.documents import Documents
from adserver.catalog.upload import Format, read_campaigns, read_rules, read_slots
from adserver.decision.snapshot import Snapshot
from adserver.domain.places import PlaceLevel
from adserver.places.gazetteer import Gazetteer
from bench.world import SLOTS, TOWNS, campaign_documents, paths, rules_document, slots_document


@pytest.mark.parametrize("flights", [1, 10, 250])
def test_the_world_has_as_many_flights_as_asked_for(flights: int) -> None:
    upload = json.dumps({"files": campaign_documents(flights, Random(1))}).encode()
    slots = read_slots(json.dumps(slots_document()).encode(), Format.JSON).slots
    rules = read_rules(json.dumps(rules_document()).encode(), Format.JSON).rules
    files = read_campaigns(upload, Format.JSON).campaign_files
    catalog = build_catalog(Documents(files, slots, rules), Gazetteer.load())
    assert len(Snapshot.build(catalog, 1).flights) == flights
    assert {slot.id for slot in catalog.slots} == set(SLOTS)


def test_every_town_is_one() -> None:
    gazetteer = Gazetteer.load()
    places = [gazetteer.resolve(town) for town in TOWNS]
    assert [place.level for place in places if place is not None] == [PlaceLevel.TOWN] * len(TOWNS)


def test_pages_ask_the_same_at_every_run() -> None:
    assert paths(50, Random(2)) == paths(50, Random(2))
    assert not any(" " in path for path in paths(200, Random(2)))
