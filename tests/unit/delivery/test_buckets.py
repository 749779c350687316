import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.delivery.buckets import BUCKETS, bucket_of
from adserver.domain.variants import Text


def make_text(columns: int) -> Text:
    return Text("x" * columns, columns, columns)


@pytest.mark.parametrize(
    ("columns", "bucket"),
    [(1, 16), (7, 16), (8, 24), (191, 200), (192, None), (5_000, None)],
)
def test_the_label_its_colon_and_blank_count_and_the_sum_is_rounded_up(columns: int, bucket: int | None) -> None:
    assert bucket_of("Sponsor", make_text(columns)) == bucket


def test_a_wide_label_counts_two_columns_a_character() -> None:
    assert bucket_of("広告", make_text(10)) == 16
    assert bucket_of("広告", make_text(11)) == 24


@given(label=st.text(st.characters(codec="latin-1", categories=["Lu", "Ll"]), max_size=20), columns=st.integers(1, 300))
def test_a_bucket_is_one_the_stylesheet_knows_and_never_narrower_than_the_line(label: str, columns: int) -> None:
    bucket = bucket_of(label, make_text(columns))
    if bucket is None:
        assert columns + len(label) + 2 > BUCKETS[-1]
    else:
        assert bucket in BUCKETS
        assert columns + len(label) + 2 <= bucket
