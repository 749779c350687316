"""A shelf remembers what was put there last, and never another position's."""

from hypothesis import given
from hypothesis import strategies as st

from adserver.decision.shelf import Shelf


@given(st.integers(1, 5), st.lists(st.tuples(st.integers(0, 20), st.text())))
def test_holds_the_last_of_each_place_and_says_whose_it_is(size: int, put: list[tuple[int, str]]) -> None:
    shelf: Shelf[str] = Shelf(size)
    for at, value in put:
        shelf.put(at, value)
    last = {at % size: (at, value) for at, value in put}
    for at in range(21):
        whose, value = last.get(at % size, (None, ""))
        assert shelf.get(at) == (value if whose == at else None)


def test_has_room_for_as_many_as_it_is_long() -> None:
    shelf: Shelf[int] = Shelf(100)
    for at in range(50, 150):
        shelf.put(at, at)
    assert [shelf.get(at) for at in range(50, 150)] == list(range(50, 150))
