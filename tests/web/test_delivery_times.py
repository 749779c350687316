"""How long decisions take is noted, once a call."""

import pytest
from delivery_stand import Stand


@pytest.mark.parametrize("path", ["/v1/slots/masthead", "/v1/slots/masthead.html", "/v1/frames/political"])
def test_a_call_is_timed_whether_it_fills_or_not(path: str) -> None:
    stand = Stand()
    stand.client().get(f"{path}?location=Remer,MN")
    assert len(stand.recorder.times) == 1
    assert 0 < stand.recorder.times[0] < 60


def test_the_slots_of_a_page_are_one_call() -> None:
    stand = Stand()
    slots = [{"id": name, "slot": name} for name in ("masthead", "sidebar", "unheard-of")]
    assert stand.client().post("/v1/decisions", json={"location": "Remer,MN", "slots": slots}).status_code == 200
    assert len(stand.recorder.times) == 1


def test_head_leaves_no_trace_of_its_time() -> None:
    stand = Stand()
    stand.client().head("/v1/slots/masthead?location=Remer,MN")
    assert stand.recorder.times == []
