"""Markup for pages: what templates take as it is, and what cached pages may hold."""

import re

import pytest
from markupsafe import escape
from sponsor_slots import Markup, SponsorClient
from sponsor_slots.markup import frame, tag

SERVICE = "https://sponsors.example"


def test_the_tag_holds_the_frame_for_readers_without_javascript() -> None:
    assert tag(SERVICE, "masthead", location="Remer,MN", topics=["sports", "community"]) == (
        '<sponsor-slot name="masthead" location="Remer,MN" topic="sports,community"><noscript>'
        '<iframe src="https://sponsors.example/v1/frames/masthead?location=Remer%2CMN&amp;topic=sports%2Ccommunity"'
        ' title="Sponsor" loading="lazy" sandbox="allow-popups allow-popups-to-escape-sandbox"'
        ' width="100%" height="48"></iframe></noscript></sponsor-slot>'
    )


def test_a_tag_says_only_what_it_is_told() -> None:
    assert tag(SERVICE, "masthead").startswith('<sponsor-slot name="masthead"><noscript>')


@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "' onload='x", "&quot;", "{{7*7}}", "\u2028"])
def test_what_a_page_says_adds_no_element_and_no_attribute(hostile: str) -> None:
    for made in (tag(SERVICE, hostile, location=hostile, topics=[hostile]), frame(SERVICE, hostile, location=hostile)):
        assert re.findall(r"<[a-z-]+", made) in (["<sponsor-slot", "<noscript", "<iframe"], ["<iframe"])
        assert " onload" not in made.replace("&#x27; onload", "")


def test_templates_take_markup_as_it_is_and_nothing_else() -> None:
    assert escape(Markup("<b>")) == "<b>"
    assert escape("<b>") == "&lt;b&gt;"


def test_an_address_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="begins with https://"):
        SponsorClient("sponsors.example")
