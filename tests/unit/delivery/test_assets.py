import gzip
import re

from adserver.delivery.assets import Asset, load_script, make_stylesheet


def test_the_tag_is_at_most_two_kilobytes_gzipped() -> None:
    assert len(gzip.compress(load_script().body)) <= 2_048


def test_the_tag_goes_out_without_comments() -> None:
    assert not re.search(rb"/\*|^\s*//", load_script().body, re.MULTILINE)


def test_an_asset_has_a_type_and_a_tag_that_changes_with_its_body() -> None:
    assert load_script().content_type == "text/javascript; charset=utf-8"
    assert make_stylesheet().content_type == "text/css; charset=utf-8"
    assert Asset.of("a", "text/css").etag == Asset.of("a", "text/css").etag
    assert Asset.of("a", "text/css").etag != Asset.of("b", "text/css").etag


def test_the_tag_never_makes_markup_of_a_text() -> None:
    body = load_script().body
    for sink in (b"innerHTML", b"outerHTML", b"insertAdjacentHTML", b"document.write", b"eval(", b"Function("):
        assert sink not in body
