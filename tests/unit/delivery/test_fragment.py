from html.parser import HTMLParser

import pytest
from delivery_stand import LONG, NAME, SHORT, make_catalog, make_creative, make_site, make_text, make_variants
from hypothesis import given
from hypothesis import strategies as st

from adserver.delivery.fragment import render_fragment
from adserver.delivery.frame import frame_policy, render_frame
from adserver.delivery.urls import Urls
from adserver.domain.catalog import Site
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.ids import SlotId
from adserver.domain.variants import Variant, Variants

URLS = Urls.of("https://ads.example", "TOKEN")

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover=alert(1) x='",
    "{{7*7}}",
    "${7*7}",
    "<!-- gone",
    "]]>",
    "</script>",
    "&lt;b&gt;&amp;amp;",
    "a\u2028b\u2029c",
    "</a></div><base href=//evil>",
]


class Outline(HTMLParser):
    """What a parser makes of markup: elements with their attributes, and texts."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.others: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)


def make_fill(
    variants: Variants | None = None,
    *,
    asked: Variant = Variant.AUTO,
    disclosure: str | None = None,
    site: Site | None = None,
) -> Fill:
    variants = variants or make_variants()
    catalog = make_catalog(make_creative(variants, disclosure=disclosure), site=site or make_site())
    campaign = catalog.campaigns[0]
    shown = variants.longest
    assert shown is not None
    return Fill(
        request=SlotRequest(SlotId("masthead"), variant=asked),
        site=catalog.sites[0],
        slot=catalog.slots[0],
        advertiser=catalog.advertisers[0],
        campaign=campaign,
        flight=campaign.flights[0],
        creative=campaign.creatives[0],
        variants=variants,
        shown=shown,
    )


def test_auto_has_the_markup_of_the_contract() -> None:
    assert render_fragment(make_fill(), URLS) == (
        '<div class="sponsor"><a class="s80 l144" href="https://ads.example/go/TOKEN"'
        ' rel="sponsored nofollow noopener"><span>Sponsor:</span>'
        f' <span data-v="name" hidden>{NAME}</span>'
        f' <span data-v="short">{SHORT}</span>'
        f' <span data-v="long" hidden>{LONG}</span></a>'
        '<img src="https://ads.example/v1/seen/TOKEN.gif" loading="lazy" width="1" height="1" alt=""'
        ' referrerpolicy="no-referrer"></div>'
    )


@pytest.mark.parametrize("asked", [Variant.NAME, Variant.SHORT, Variant.LONG])
def test_a_named_length_is_that_one_span_and_not_hidden(asked: Variant) -> None:
    variants = make_variants().within(1_000, {asked})
    outline = Outline(render_fragment(make_fill(variants, asked=asked), URLS))
    lengths = [attributes for tag, attributes in outline.elements if "data-v" in attributes]
    assert lengths == [{"data-v": asked.value}]
    assert "class" not in dict(outline.elements)["a"]


@pytest.mark.parametrize(
    ("name", "short", "long", "shown"),
    [(NAME, SHORT, LONG, "short"), (NAME, None, LONG, "name"), (None, None, LONG, "long"), (NAME, None, None, "name")],
)
def test_without_a_stylesheet_exactly_one_length_shows(
    name: str | None, short: str | None, long: str | None, shown: str
) -> None:
    outline = Outline(render_fragment(make_fill(make_variants(name, short, long)), URLS))
    lengths = [attributes for tag, attributes in outline.elements if "data-v" in attributes]
    assert [attributes["data-v"] for attributes in lengths if "hidden" not in attributes] == [shown]
    assert len(lengths) == sum(text is not None for text in (name, short, long))


def test_a_length_wider_than_the_widest_bucket_has_no_class() -> None:
    outline = Outline(render_fragment(make_fill(make_variants(long="W" * 250)), URLS))
    assert dict(outline.elements)["a"]["class"] == "s80"


def test_the_disclosure_stands_whole_on_a_line_of_its_own_outside_the_link() -> None:
    html = render_fragment(make_fill(disclosure="Paid for by <Ann>"), URLS)
    assert html.endswith('<div class="sponsor-disclosure">Paid for by &lt;Ann&gt;</div></div>')
    assert html.index("</a>") < html.index("sponsor-disclosure")


def test_what_rules_require_stands_below_the_creatives_own_disclosure() -> None:
    html = render_fragment(make_fill(disclosure="Paid for by Ann")._replace(required=("21+ <only>", "Call us")), URLS)
    lines = ("Paid for by Ann", "21+ &lt;only&gt;", "Call us")
    assert html.endswith("".join(f'<div class="sponsor-disclosure">{line}</div>' for line in lines) + "</div>")


def test_there_is_one_beacon_and_it_is_outside_the_link() -> None:
    html = render_fragment(make_fill(), URLS)
    assert html.count("<img") == 1
    assert html.index("</a>") < html.index("<img")


def test_there_is_no_script_no_style_and_no_style_attribute() -> None:
    outline = Outline(render_fragment(make_fill(disclosure="x"), URLS))
    assert {tag for tag, _ in outline.elements} == {"div", "a", "span", "img"}
    assert not any("style" in attributes or any(name.startswith("on") for name in attributes)
                   for _, attributes in outline.elements)  # fmt: skip


def test_the_label_is_the_sites_with_a_colon() -> None:
    assert "<span>Anzeige:</span>" in render_fragment(make_fill(site=make_site(label="Anzeige")), URLS)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("frame", [False, True])
def test_hostile_texts_are_inert_and_leave_elements_and_attributes_unchanged(text: str, frame: bool) -> None:
    def outline_of(value: str) -> Outline:
        fill = make_fill(make_variants(value, value, value), disclosure=value, site=make_site(label=value))
        return Outline(render_frame(fill, "TOKEN") if frame else render_fragment(fill, URLS))

    columns = make_text(text).columns  # the buckets must not tell them apart
    hostile, harmless = outline_of(text), outline_of("x" * columns)
    assert hostile.elements == harmless.elements
    assert hostile.others == []
    assert hostile.texts.count(text) == (5 if frame else 4)  # the label is a frame's title too
    assert hostile.texts.count(f"{text}:") == 1


@given(st.text(min_size=1))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    outline = Outline(render_fragment(make_fill(make_variants(text, None, None)), Urls.of("..", "T")))
    assert [tag for tag, _ in outline.elements] == ["div", "a", "span", "span", "img"]
    assert "".join(outline.texts) == f"Sponsor: {text}"


@pytest.mark.parametrize("text", ["😀👩‍👩‍👧", "e\u0301o\u0308", "שלום עולם", "ISTANBUL \u0131 \u0130", "w" * 200])
def test_scripts_of_all_kinds_are_kept_as_given(text: str) -> None:
    assert text in Outline(render_fragment(make_fill(make_variants(text)), URLS)).texts


def test_a_frame_is_a_whole_page_with_relative_addresses_that_opens_new_tabs() -> None:
    outline = Outline(render_frame(make_fill(site=make_site(lang="de")), "TOKEN"))
    by_tag = dict(outline.elements)
    assert by_tag["html"] == {"lang": "de"}
    assert by_tag["base"] == {"target": "_blank"}
    assert by_tag["link"] == {"rel": "stylesheet", "href": "../../slot.css"}
    assert by_tag["a"]["href"] == "../../go/TOKEN"
    assert by_tag["img"]["src"] == "../../v1/seen/TOKEN.gif"
    assert "script" not in by_tag


def test_a_frame_may_be_framed_by_the_sites_origins_or_by_anyone() -> None:
    base = "default-src 'none'; img-src 'self'; style-src 'self'; frame-ancestors "
    origins = ("https://a.example", "https://b.example")
    assert frame_policy(make_site(origins=origins)) == base + "https://a.example https://b.example"
    assert frame_policy(make_site()) == base + "*"
    assert frame_policy(None) == base + "*"
