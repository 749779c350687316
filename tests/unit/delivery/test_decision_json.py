import json

import msgspec
import pytest
from delivery_stand import LONG, NAME, REMER, SHORT, make_catalog, make_creative, make_variants

from adserver.delivery.decision_json import PageBody, decision_body, encode_json
from adserver.delivery.fragment import render_fragment
from adserver.delivery.urls import Urls
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.ids import SlotId
from adserver.domain.places import Place
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import Variant, Variants

URLS = Urls.of("https://ads.example", "TOKEN")


def make_fill(variants: Variants, shown: Variant, place: Place | None = REMER, disclosure: str | None = None) -> Fill:
    catalog = make_catalog(make_creative(variants, disclosure=disclosure))
    campaign = catalog.campaigns[0]
    return Fill(
        SlotRequest(SlotId("masthead"), place),
        catalog.sites[0],
        catalog.slots[0],
        catalog.advertisers[0],
        campaign,
        campaign.flights[0],
        campaign.creatives[0],
        variants,
        shown,
    )


def test_a_fill_has_the_shape_of_the_contract() -> None:
    fill = make_fill(make_variants().within(70), Variant.SHORT, disclosure="21+")
    assert json.loads(encode_json(decision_body(fill, "TOKEN", URLS))) == {
        "slot": "masthead",
        "place": {"id": "us-mn-remer", "name": "Remer, MN"},
        "advertiser": {"id": "qwiket", "name": "QWIKET"},
        "campaign": "qwiket-season",
        "flight": "minnesota",
        "creative": "elevate",
        "label": "Sponsor",
        "variant": "short",
        "text": SHORT,
        "variants": {"name": NAME, "short": SHORT, "long": None},
        "disclosure": "21+",
        "click_url": "https://ads.example/go/TOKEN?v=short",
        "seen_url": "https://ads.example/v1/seen/TOKEN.gif?variant=short",
        "token": "TOKEN",
        "html": render_fragment(fill, URLS),
    }


def test_an_unresolved_place_is_null() -> None:
    body = decision_body(make_fill(make_variants(), Variant.LONG, place=None), "TOKEN", URLS)
    assert json.loads(encode_json(body))["place"] is None


def test_a_page_says_each_slots_decision_or_why_there_is_none() -> None:
    body = msgspec.Raw(encode_json(decision_body(make_fill(make_variants(), Variant.LONG), "TOKEN", URLS)))
    page = json.loads(encode_json(PageBody({"a": body, "b": None}, {"b": NoFillReason.PLACE})))
    assert page["decisions"]["a"]["text"] == LONG
    assert page["decisions"]["b"] is None
    assert page["no_fill"] == {"b": "place"}
    assert page["ledger"] is None


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "a\u2028b\u2029c", "<!--<script>", "]]>"])
def test_json_can_stand_in_a_script_element_as_it_is_and_reads_back_the_same(text: str) -> None:
    encoded = encode_json(decision_body(make_fill(make_variants(text), Variant.LONG), "TOKEN", URLS)).decode()
    assert not {"<", "\u2028", "\u2029"} & set(encoded)
    assert json.loads(encoded)["variants"]["name"] == text
