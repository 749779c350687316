"""The JSON Schema that editors use: current, and of the shape that the reader takes."""

import json
from pathlib import Path

import pytest
from sample import CAMPAIGN_FILES, SAMPLE

from adserver.catalog.documents import JsonObject, mapping
from adserver.catalog.json_schema import campaign_file_json_schema, rules_file_json_schema, slots_file_json_schema

ROOT = Path(__file__).parents[3]
PUBLISHED = {"campaign": campaign_file_json_schema, "slots": slots_file_json_schema, "rules": rules_file_json_schema}


def properties(schema: JsonObject, *names: str) -> JsonObject:
    for name in names:
        schema = mapping(mapping(schema, "properties"), name)
        schema = mapping(schema, "items") or schema
    return schema


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_schema_is_current(name: str) -> None:
    current = json.dumps(PUBLISHED[name](), indent=2, ensure_ascii=False) + "\n"
    published = ROOT / "docs" / f"{name}.schema.json"
    assert published.read_text(encoding="utf-8") == current, f"adserver schema {name} > {published}"


def test_rules_are_completed_by_state() -> None:
    states = properties(rules_file_json_schema(), "rules", "states")
    assert len(mapping(states, "properties")) == 52
    assert properties(states, "IA")["required"] == ["allow"]
    assert states["additionalProperties"] is False


def test_it_knows_what_is_required_and_that_nothing_else_is_taken() -> None:
    campaign = properties(campaign_file_json_schema(), "campaigns")
    assert campaign["required"] == ["id", "name", "starts", "timezone"]
    assert campaign["additionalProperties"] is False


def test_it_knows_closed_sets_bounds_and_what_is_not_built() -> None:
    flight = properties(campaign_file_json_schema(), "campaigns", "flights")
    assert properties(flight, "tier")["enum"] == ["sponsorship", "standard", "house"]
    assert (properties(flight, "share")["minimum"], properties(flight, "share")["maximum"]) == (1, 100)
    assert properties(flight, "caps", "per")["enum"] == ["visit", "page", "day", "hour"]


def test_every_sample_campaign_file_names_it_for_editors() -> None:
    line = "# yaml-language-server: $schema=../docs/campaign.schema.json\n"
    for name in CAMPAIGN_FILES:
        assert (SAMPLE / name).read_text(encoding="utf-8").startswith(line), name
    rules = "# yaml-language-server: $schema=../docs/rules.schema.json\n"
    assert (SAMPLE / "rules.yaml").read_text(encoding="utf-8").startswith(rules)
