import gzip
import re

from adserver.delivery.buckets import BUCKETS
from adserver.delivery.stylesheet import stylesheet


def test_it_is_at_most_one_and_a_half_kilobytes_gzipped() -> None:
    assert len(gzip.compress(stylesheet().encode())) <= 1_500


def test_it_has_one_container_rule_a_bucket_narrow_to_wide() -> None:
    widths = [int(width) for width in re.findall(r"@container \(min-width:(\d+)ch\)", stylesheet())]
    assert widths == list(BUCKETS) == list(range(8, 201, 8))


def test_each_bucket_shows_exactly_one_length_of_its_classes() -> None:
    for columns in BUCKETS:
        _, _, rule = stylesheet().partition(f"@container (min-width:{columns}ch){{")
        assert rule.startswith(
            f".sponsor>.s{columns}>[data-v]{{display:none!important}}"
            f".sponsor>.s{columns}>[data-v=short]{{display:inline!important}}"
            f".sponsor>.l{columns}>[data-v]{{display:none!important}}"
            f".sponsor>.l{columns}>[data-v=long]{{display:inline!important}}}}"
        )


def test_what_shows_and_hides_is_inside_container_queries_only() -> None:
    outside, _, _ = stylesheet().partition("@container")
    assert "display:none" not in outside
    assert "display:inline" not in outside


def test_the_box_keeps_a_size_in_any_parent() -> None:
    assert ".sponsor{display:block;container-type:inline-size;inline-size:100%;min-inline-size:7em" in stylesheet()


def test_its_braces_are_balanced() -> None:
    assert stylesheet().count("{") == stylesheet().count("}")
