"""What is right, yet worth saying."""

from datetime import date

import pytest

from adserver.catalog.documents import Documents, JsonObject, JsonValue
from adserver.catalog.notices import list_notices

TODAY = date(2026, 11, 24)


def documents(goal: JsonValue, **flight: JsonValue) -> Documents:
    flights: JsonValue = [{"id": "f"}, {"id": "g", "goal": goal, **flight}]
    campaign: JsonObject = {"id": "a", "flights": flights}
    return Documents({"a.yaml": {"campaigns": [campaign]}}, {"sites": [], "slots": []}, {"rules": []})


def test_missing_files_are_said() -> None:
    assert [str(notice) for notice in list_notices(Documents(), TODAY)] == [
        "slots.yaml: there is none; without it nothing is published",
        "rules.yaml: there is none; without it nothing is regulated",
    ]


def test_a_goal_that_will_not_be_spread_evenly_is_said() -> None:
    (notice,) = list_notices(documents({"impressions": 5}, ends="2026-01-01"), TODAY)
    assert str(notice).startswith("a.yaml: campaigns[0].flights[1].goal: even pacing isn't built yet; ")


def test_a_goal_that_is_asap_by_its_words_or_by_its_open_end_needs_no_word() -> None:
    assert not list_notices(documents({"impressions": 5, "pacing": "asap"}, ends="2026-01-01"), TODAY)
    assert not list_notices(documents({"impressions": 5}), TODAY)
    assert not list_notices(documents(None, ends="2026-01-01"), TODAY)


@pytest.mark.parametrize(("as_of", "is_old"), [("2025-11-22", True), ("2025-11-24", False), ("2026-12-01", False)])
def test_a_rule_that_was_read_more_than_a_year_ago_is_said(as_of: str, is_old: bool) -> None:
    rules: JsonObject = {
        "rules": [{"category": "alcohol", "as_of": "2026-11-01"}, {"category": "betting", "as_of": as_of}]
    }
    notices = list_notices(Documents({}, {"sites": [], "slots": []}, rules), TODAY)
    said = "rules.yaml: rules[1].as_of: the rule of betting was read more than a year ago; read its source again"
    assert [str(notice) for notice in notices] == [said] * is_old
