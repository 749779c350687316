"""What was asked before is answered from memory, and just so."""

import pytest
from delivery_stand import REMER, OnePlace

from adserver.domain.errors import ParameterRefused
from adserver.domain.ids import SlotId
from adserver.domain.places import Place
from adserver.domain.variants import Variant
from adserver.web.questions import REMEMBERED_CHARS, Questions

MASTHEAD = SlotId("masthead")


class CountingPlaces(OnePlace):
    """A gazetteer that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def resolve(self, text: str) -> Place | None:
        self.asked += 1
        return super().resolve(text)


def test_the_same_question_is_read_once() -> None:
    places = CountingPlaces()
    questions = Questions(places)
    first = questions.slot(MASTHEAD, "location=Remer,MN&topic=A")
    assert questions.slot(MASTHEAD, "location=Remer,MN&topic=A") is first
    assert (first.place, first.topics, places.asked) == (REMER, ("a",), 1)


def test_another_slot_or_query_is_another_question() -> None:
    questions = Questions(OnePlace())
    assert questions.slot(SlotId("sidebar"), "location=Remer,MN").slot == "sidebar"
    assert questions.slot(MASTHEAD, "location=Remer,MN").slot == "masthead"
    assert questions.slot(MASTHEAD, "location=Nowhere").place is None


def test_a_long_query_is_not_remembered() -> None:
    places = CountingPlaces()
    questions = Questions(places)
    query = "location=Remer,MN&other=" + "x" * REMEMBERED_CHARS
    assert questions.slot(MASTHEAD, query) == questions.slot(MASTHEAD, query)
    assert places.asked == 2


def test_a_refusal_is_one_every_time() -> None:
    questions = Questions(OnePlace())
    for _ in range(2):
        with pytest.raises(ParameterRefused, match="variant"):
            questions.slot(MASTHEAD, "variant=big")


@pytest.mark.parametrize(
    ("query", "length"),
    [
        ("variant=short", Variant.SHORT),
        ("", Variant.AUTO),
        ("variant=short&variant=short", Variant.AUTO),
        ("v=long", Variant.AUTO),
    ],
)
def test_an_event_reports_a_length_or_none(query: str, length: Variant) -> None:
    assert Questions(OnePlace()).length_on_screen("variant", query) is length
