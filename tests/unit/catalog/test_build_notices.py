"""What is right, yet worth saying."""

from adserver.catalog.documents import Documents, JsonObject, JsonValue
from adserver.catalog.notices import list_notices


def documents(goal: JsonValue, **flight: JsonValue) -> Documents:
    flights: JsonValue = [{"id": "f"}, {"id": "g", "goal": goal, **flight}]
    campaign: JsonObject = {"id": "a", "flights": flights}
    return Documents({"a.yaml": {"campaigns": [campaign]}}, {"sites": [], "slots": []}, {"rules": []})


def test_missing_files_are_said() -> None:
    assert [str(notice) for notice in list_notices(Documents())] == [
        "slots.yaml: there is none; without it nothing is published",
        "rules.yaml: there is none; without it nothing is regulated",
    ]


def test_a_goal_that_will_not_be_spread_evenly_is_said() -> None:
    (notice,) = list_notices(documents({"impressions": 5}, ends="2026-01-01"))
    assert str(notice).startswith("a.yaml: campaigns[0].flights[1].goal: even pacing isn't built yet; ")


def test_a_goal_that_is_asap_by_its_words_or_by_its_open_end_needs_no_word() -> None:
    assert not list_notices(documents({"impressions": 5, "pacing": "asap"}, ends="2026-01-01"))
    assert not list_notices(documents({"impressions": 5}))
    assert not list_notices(documents(None, ends="2026-01-01"))
