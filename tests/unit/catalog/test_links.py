"""Links: the group "links" of the bad inputs row by row, and what is stored of the good ones."""

import pytest

from adserver.catalog.links import (
    MAX_LINK_BYTES,
    LinkRefused,
    clean_click_url,
    clean_origin,
    clean_page_url,
    clean_utm,
)


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "blob:https://good.example/1",
        "ftp://good.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https:\\\\evil.example",
        "https://good@evil.example",
        "https://good:secret@evil.example/",
        "https://@evil.example/",
        "https://good\\@evil.example",
        "https://good.example/\r\nSet-Cookie:a=b",
        "https://good.example/\nx",
        "https://good.example/a b",
        "https://good.example/\x00",
        "https://good.example/\ud800",
        "https://good.example/\u202etxt.exe",
        "https://go\u200bod.example/",
        "http://[::1",
        "https://[::1",
        "https://good.example:99999/",
        "https://good.example:-1/",
        "https://%00.example/",
        "https://a;b.example/",
        "https://..",
        "https://-.example",
        "https://",
        "https://?a=b",
        "http://good.example/",
        "good.example",
        "",
        "mailto:",
        "mailto:nobody",
        "mailto:a@b.example?subject=x%0D%0ABcc:all@b.example",
        "mailto:a@b.example#x",
        "tel:",
        "tel:call-me",
        "tel:+1;phone-context=evil",
    ],
)
def test_a_link_that_is_not_what_it_seems_is_refused(link: str) -> None:
    with pytest.raises(LinkRefused):
        clean_click_url(link)


def test_a_link_may_have_2048_bytes_and_no_more() -> None:
    longest = "https://good.example/" + "a" * (MAX_LINK_BYTES - 21)
    assert clean_click_url(longest) == longest
    with pytest.raises(LinkRefused, match="2,048 bytes"):
        clean_click_url(longest + "a")


def test_the_limit_holds_for_what_is_stored_too() -> None:
    with pytest.raises(LinkRefused, match="2,048 bytes"):
        clean_click_url("https://good.example/" + "ä" * 900)  # 1,821 bytes as written, 5,421 percent-encoded


@pytest.mark.parametrize(
    ("link", "stored"),
    [
        ("https://qwiket.com/", "https://qwiket.com/"),
        ("https://QWIKET.com", "https://qwiket.com/"),
        ("HTTPS://qwiket.com:443/a/../b", "https://qwiket.com/b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://good.example/ä?ö#ü", "https://good.example/%C3%A4?%C3%B6#%C3%BC"),
        ('https://good.example/?q="><script>', "https://good.example/?q=%22%3E%3Cscript%3E"),
        ("https://good.example/@name?to=a@b.example", "https://good.example/@name?to=a@b.example"),
        ("mailto:office@clinic.example?subject=Hello", "mailto:office@clinic.example?subject=Hello"),
        ("tel:+1-218-555-0143", "tel:+1-218-555-0143"),
        ("  https://qwiket.com/  ", "https://qwiket.com/"),
    ],
)
def test_a_good_link_is_stored_as_browsers_write_it(link: str, stored: str) -> None:
    assert clean_click_url(link) == stored
    assert clean_click_url(stored) == stored


def test_known_macros_stay_in_values_of_the_query() -> None:
    link = "https://good.example/?a={slot}&b=x{place}{campaign}&c={creative}-{variant}"
    assert clean_click_url(link) == link


@pytest.mark.parametrize(
    "link",
    [
        "https://good.example/{slot}",
        "https://{slot}.example/",
        "https://good.example/#{slot}",
        "https://good.example/?{slot}=1",
        "https://good.example/?{slot}",
        "https://good.example/?a=1#x?b={slot}",
        "mailto:{slot}@b.example",
        "tel:{slot}",
    ],
)
def test_a_macro_outside_a_value_of_the_query_is_refused(link: str) -> None:
    with pytest.raises(LinkRefused, match="values of the query only"):
        clean_click_url(link)


@pytest.mark.parametrize("value", ["{foo}", "{}", "{SLOT}", "{slot.id}"])
def test_an_unknown_macro_is_refused_and_the_known_ones_are_named(value: str) -> None:
    with pytest.raises(LinkRefused, match="campaign, creative, place, slot, variant"):
        clean_click_url(f"https://good.example/?a={value}")


@pytest.mark.parametrize("value", ["{slot", "slot}", "{{slot}}", "}{"])
def test_a_brace_without_its_other_half_is_refused(value: str) -> None:
    with pytest.raises(LinkRefused):
        clean_click_url(f"https://good.example/?a={value}")


@pytest.mark.parametrize("value", ["<b>", "a>b", 'a"b', "a'b", "a`b", "a&b", "{slot}", "a\\b"])
def test_utm_with_markup_is_refused(value: str) -> None:
    with pytest.raises(LinkRefused, match="markup"):
        clean_utm(value)


def test_utm_may_be_plain_words_of_100_characters() -> None:
    assert clean_utm("america-one é 2026") == "america-one é 2026"
    assert len(clean_utm("a" * 100)) == 100
    with pytest.raises(LinkRefused, match="at most 100"):
        clean_utm("a" * 101)


@pytest.mark.parametrize("link", ["mailto:a@b.example", "tel:+12185550100", "https://good.example/?a={slot}", "/home"])
def test_a_page_is_an_https_link_without_macros(link: str) -> None:
    with pytest.raises(LinkRefused):
        clean_page_url(link)


def test_a_page_is_stored_as_browsers_write_it() -> None:
    assert clean_page_url("https://AmericaOne.example") == "https://americaone.example/"


@pytest.mark.parametrize(
    ("origin", "stored"),
    [
        ("https://americaone.example", "https://americaone.example"),
        ("https://americaone.example/", "https://americaone.example"),
        ("https://AmericaOne.example:8443", "https://americaone.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_origin_is_scheme_host_and_port(origin: str, stored: str) -> None:
    assert clean_origin(origin) == stored


@pytest.mark.parametrize(
    "origin",
    [
        "http://americaone.example",
        "https://americaone.example/news",
        "https://americaone.example?a",
        "https://americaone.example#a",
        "https://*.example",
        "https://a.example;script-src *",
        "https://a.example;x",
        "https://a.example,https://b.example",
        "'self'",
        "*",
        "http://127.0.0.1:99999",
    ],
)
def test_what_would_say_more_in_a_policy_is_no_origin(origin: str) -> None:
    with pytest.raises(LinkRefused):
        clean_origin(origin)
