"""The signed ledger of a reader: what it holds, and what is made of one that is not ours."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.ledger import MOST_FLIGHTS, VISIT_SECONDS, LedgerCodec

KEY, OTHER = b"k" * 32, b"o" * 32
CODEC = LedgerCodec((KEY,))
NOW = 1_800_000_000
A, B = (id_hash(Kind.FLIGHT, name) for name in "ab")
st_times = st.dictionaries(st.binary(min_size=6, max_size=6).map(IdHash), st.integers(1, 255), max_size=MOST_FLIGHTS)


@given(st_times, st_times)
def test_what_is_written_is_read(visit: dict[IdHash, int], page: dict[IdHash, int]) -> None:
    assert CODEC.decode(CODEC.encode(visit, page, NOW), NOW) == (visit, page)


def test_without_its_second_part_a_page_is_new_and_the_visit_goes_on() -> None:
    visit, _, _ = CODEC.encode({A: 2}, {A: 1}, NOW).partition(".")
    assert CODEC.decode(visit, NOW) == ({A: 2}, {})


def test_a_visit_is_over_half_an_hour_after_its_last_call() -> None:
    text = CODEC.encode({A: 2}, {A: 1}, NOW)
    assert CODEC.decode(text, NOW + VISIT_SECONDS - 1) == ({A: 2}, {A: 1})
    assert CODEC.decode(text, NOW + VISIT_SECONDS) == ({}, {})
    assert CODEC.decode(text, NOW - VISIT_SECONDS - 1) == ({}, {})


def test_a_part_does_not_stand_for_the_other() -> None:
    visit, _, page = CODEC.encode({A: 2}, {B: 1}, NOW).partition(".")
    assert CODEC.decode(f"{page}.{visit}", NOW) == ({}, {})


@pytest.mark.parametrize(
    "text", ["", ".", "x", "é" * 20, "A" * 20, "A" * 100_000, "....", "A" * 24 + "." + "A" * 24, "\ud800", "a=b"]
)
def test_what_is_none_counts_as_none(text: str) -> None:
    assert CODEC.decode(text, NOW) == ({}, {})


def test_another_services_and_one_that_was_changed_count_as_none() -> None:
    assert CODEC.decode(LedgerCodec((OTHER,)).encode({A: 2}, {}, NOW), NOW) == ({}, {})
    visit = CODEC.encode({A: 200}, {}, NOW).partition(".")[0]
    raw = bytearray(base64.urlsafe_b64decode(visit + "=" * (-len(visit) % 4)))
    for at in range(len(raw)):
        raw[at] ^= 1
        assert CODEC.decode(base64.urlsafe_b64encode(raw).decode(), NOW) == ({}, {})
        raw[at] ^= 1


def test_keys_may_be_rotated_under_a_visit() -> None:
    text = CODEC.encode({A: 2}, {}, NOW)
    assert LedgerCodec((OTHER, KEY)).decode(text, NOW) == ({A: 2}, {})


def test_it_stays_small_and_forgets_what_is_oldest() -> None:
    many = {id_hash(Kind.FLIGHT, str(number)): 300 for number in range(MOST_FLIGHTS + 5)}
    text = CODEC.encode(many, {}, NOW)
    assert len(text) < 450
    visit, _ = CODEC.decode(text, NOW)
    assert list(visit) == list(many)[-MOST_FLIGHTS:]
    assert set(visit.values()) == {255}


def test_is_written_as_it_always_was_in_this_version() -> None:
    assert CODEC.encode({A: 2}, {}, NOW) == "FwBrSdIA3Co4wLjhAmKBRxJOuubtGhKcbg.FwFrSdIA-tlXf7jba_USGdTE"
