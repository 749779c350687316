import random
import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.keeping.checksums import _of_all, are_right


def records(rng: random.Random, count: int) -> list[bytes]:
    bodies = [rng.randbytes(60) for _ in range(count)]
    return [body + zlib.crc32(body).to_bytes(4, "big") for body in bodies]


def rightness(found: Sequence[bytes]) -> list[bool]:
    claimed = np.array([int.from_bytes(record[60:], "big") for record in found], np.uint32)
    return list(map(bool, are_right(b"".join(found), claimed)))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 70))
def test_the_checksum_of_all_is_made_of_those_of_each(seed: int, count: int) -> None:
    found = records(random.Random(seed), count)
    claimed = np.array([zlib.crc32(record[:60]) for record in found], np.uint32)
    assert _of_all(claimed) == zlib.crc32(b"".join(found))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 70), bad=st.sets(st.integers(0, 69)))
def test_wrong_records_are_found_wherever_they_stand(seed: int, count: int, bad: set[int]) -> None:
    rng = random.Random(seed)
    found = records(rng, count)
    for number in bad & set(range(count)):
        bit = rng.randrange(512)
        found[number] = (int.from_bytes(found[number], "big") ^ 1 << bit).to_bytes(64, "big")
    assert rightness(found) == [number not in bad for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 8_192])
def test_right_records_are_right(count: int) -> None:
    assert rightness(records(random.Random(1), count)) == [True] * count


def test_two_records_that_changed_places_are_right() -> None:
    first, second = records(random.Random(2), 2)
    assert rightness([second, first]) == [True, True]
