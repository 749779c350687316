"""What is right, yet worth saying."""

from datetime import date

import pytest

from adserver.catalog.documents import Documents, JsonObject
from adserver.catalog.notices import list_notices

TODAY = date(2026, 11, 24)


def test_missing_files_are_said() -> None:
    assert [str(notice) for notice in list_notices(Documents(), TODAY)] == [
        "slots.yaml: there is none; without it nothing is published",
        "rules.yaml: there is none; without it nothing is regulated",
    ]


@pytest.mark.parametrize(("as_of", "is_old"), [("2025-11-22", True), ("2025-11-24", False), ("2026-12-01", False)])
def test_a_rule_that_was_read_more_than_a_year_ago_is_said(as_of: str, is_old: bool) -> None:
    rules: JsonObject = {
        "rules": [{"category": "alcohol", "as_of": "2026-11-01"}, {"category": "betting", "as_of": as_of}]
    }
    notices = list_notices(Documents({}, {"sites": [], "slots": []}, rules), TODAY)
    said = "rules.yaml: rules[1].as_of: the rule of betting was read more than a year ago; read its source again"
    assert [str(notice) for notice in notices] == [said] * is_old
