from hypothesis import given
from hypothesis import strategies as st

from adserver.decision.postings import Postings, bits_of, positions_of

KEYS = st.frozensets(st.sampled_from("abcdef"))


@given(st.frozensets(st.integers(0, 3000)))
def test_bits_give_back_their_positions_in_order(positions: frozenset[int]) -> None:
    assert list(positions_of(bits_of(positions, 3001))) == sorted(positions)


@given(st.lists(KEYS, max_size=200), KEYS)
def test_a_union_is_all_that_name_one_of_the_keys(named: list[frozenset[str]], asked: frozenset[str]) -> None:
    postings = Postings(len(named), named)
    expected = [position for position, keys in enumerate(named) if keys & asked]
    assert list(positions_of(postings.union(asked))) == expected
    assert postings.keys == frozenset[str]().union(*named)


def test_a_rare_key_is_kept_as_a_list_and_a_common_one_as_bits() -> None:
    postings = Postings(1000, [("rare", "common") if position < 3 else ("common",) for position in range(1000)])
    assert set(postings._sparse) == {"rare"}
    assert set(postings._dense) == {"common"}
    assert list(positions_of(postings.union(["rare"]))) == [0, 1, 2]
    assert postings.union(["rare", "common"]) == bits_of(range(1000), 1000)


def test_an_unknown_key_names_nobody() -> None:
    assert Postings(3, [("a",), ("b",), ()]).union(["z"]) == 0
