"""What readers will see of a campaign, slot by slot and width by width, before it runs."""

from dataclasses import replace
from datetime import date

import pytest
from delivery_stand import LONG, NAME, REMER, SHORT, make_catalog, make_creative, make_variants
from hypothesis import given
from hypothesis import strategies as st

from adserver.delivery.preview import (
    WIDTHS,
    CreativePreview,
    LeftOut,
    only_length,
    preview_campaign,
    readable_link,
    shown_at,
)
from adserver.delivery.preview_page import render_preview_page
from adserver.domain.catalog import Catalog, Creative
from adserver.domain.ids import CreativeId, PlaceId
from adserver.domain.reasons import NoFillReason
from adserver.domain.rules import CategoryRule, StateRule
from adserver.domain.variants import LENGTHS, Variant


def preview(catalog: Catalog | None = None) -> CreativePreview:
    catalog = catalog or make_catalog()
    [one] = preview_campaign(catalog, catalog.campaigns[0])
    return one


def with_slot(catalog: Catalog, **changes: object) -> Catalog:
    """Return a catalog whose first slot is changed."""
    first, *rest = catalog.slots
    return replace(catalog, slots=(replace(first, **changes), *rest))  # type: ignore[arg-type]  # as the test says


def test_it_shows_each_slot_that_a_flight_names_and_no_other() -> None:
    slots = [one.slot.id for one in preview().slots]
    assert slots == ["masthead", "article-top", "article-middle", "article-bottom", "sidebar"]


def test_slots_that_look_the_same_are_one_group() -> None:
    one = preview(with_slot(make_catalog(), max_chars=70))
    assert [[each.slot.id for each in group] for group in one.groups] == [
        ["masthead"],
        ["article-top", "article-middle", "article-bottom", "sidebar"],
    ]


def test_what_is_too_long_is_left_out_with_how_much() -> None:
    first = preview(with_slot(make_catalog(), max_chars=70)).slots[0]
    assert first.left_out == (LeftOut(Variant.LONG, f"{len(LONG)} characters, {len(LONG) - 70} over the slot's 70"),)
    assert first.fill is not None
    assert first.fill.shown is Variant.SHORT
    assert only_length(first.fill, Variant.LONG) is None


def test_a_slot_that_takes_no_length_never_shows_it() -> None:
    first = preview(with_slot(make_catalog(), variants=frozenset({Variant.LONG}), max_chars=20)).slots[0]
    assert (first.fill, first.reason) == (None, NoFillReason.VARIANT)
    assert [cut.variant for cut in first.left_out] == list(LENGTHS)


def test_disclosures_and_categories_keep_it_out_as_they_do_on_pages() -> None:
    disclosed = make_catalog(make_creative(disclosure="Paid for by friends"))
    assert preview(with_slot(disclosed, allow_disclosure=False)).slots[0].reason is NoFillReason.DISCLOSURE
    blocked = with_slot(make_catalog(), blocked_categories=frozenset({"fantasy-sports"}))
    assert preview(blocked).slots[0].reason is NoFillReason.CATEGORY_BLOCKED


def test_a_rule_shows_its_line_where_it_allows_and_objects_where_it_does_not() -> None:
    minnesota = StateRule(PlaceId("us-mn"), allow=True, disclosure="21+")
    rule = CategoryRule("fantasy-sports", date(2026, 11, 1), "the law", states=(minnesota,))
    catalog = replace(make_catalog(), rules=(rule,))
    [there] = preview_campaign(catalog, catalog.campaigns[0], REMER)
    assert there.objection is None
    assert there.slots[0].fill is not None
    assert there.slots[0].fill.disclosures == ("21+",)
    iowa = replace(REMER, chain=(PlaceId("us-ia-ames"), PlaceId("us-ia"), PlaceId("us")))
    [elsewhere] = preview_campaign(catalog, catalog.campaigns[0], iowa)
    assert "fantasy-sports may not run in us-ia" in (elsewhere.objection or "")


def test_the_link_is_the_one_that_readers_get() -> None:
    creative = make_creative(click_url="https://qwiket.com/?from={slot}&what={creative}", utm=(("source", "paper"),))
    fill = preview(make_catalog(creative)).slots[0].fill
    assert fill is not None
    assert fill.creative.click_url == "https://qwiket.com/?from=masthead&what=elevate&utm_source=paper"


def test_a_creative_that_no_flight_shows_is_in_no_slot() -> None:
    catalog = make_catalog()
    campaign = catalog.campaigns[0]
    spare = replace(campaign.creatives[0], id=CreativeId("spare"))
    previews = preview_campaign(catalog, replace(campaign, creatives=(*campaign.creatives, spare)))
    assert [len(one.slots) for one in previews] == [5, 0]


@given(columns=st.integers(0, 220))
def test_wider_never_shows_less(columns: int) -> None:
    fill = preview().slots[0].fill
    assert fill is not None
    assert LENGTHS.index(shown_at(fill, columns)) <= LENGTHS.index(shown_at(fill, columns + 1))


def test_the_lengths_change_at_their_buckets() -> None:
    fill = preview().slots[0].fill
    assert fill is not None
    assert [shown_at(fill, columns) for columns in (79, 80, 143, 144)] == [
        Variant.NAME,
        Variant.SHORT,
        Variant.SHORT,
        Variant.LONG,
    ]


@pytest.mark.parametrize(
    ("link", "readable"),
    [
        ("https://xn--bckerei-5wa.example/brot?x=1", "https://bäckerei.example/brot?x=1"),
        ("https://bakery.example/", "https://bakery.example/"),
        ("mailto:bread@bakery.example", "mailto:bread@bakery.example"),
        ("https://bakery.example/?at={slot}", "https://bakery.example/?at={slot}"),
    ],
)
def test_a_link_is_readable_as_its_owner_writes_it(link: str, readable: str) -> None:
    assert readable_link(link) == readable


class TestPage:
    def test_it_holds_every_width_light_and_dark_and_loads_nothing(self) -> None:
        page = render_preview_page([preview()])
        for width in WIDTHS:
            assert page.count(f'class="page w{width}"') == 1
            assert page.count(f'class="page w{width} dark"') == 1
        for text in (NAME, SHORT, LONG):
            assert text in page
        assert "<img" not in page
        assert "<link" not in page
        assert "src=" not in page

    @pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style>"])
    def test_what_a_sponsor_wrote_is_text(self, hostile: str) -> None:
        creative: Creative = make_creative(make_variants(hostile, hostile, hostile), disclosure=hostile)
        page = render_preview_page([preview(make_catalog(creative))])
        assert hostile not in page.replace("</style></head>", "")
        assert "&lt;" in page
