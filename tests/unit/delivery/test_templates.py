"""A template's answer is the plain rendering's, byte for byte, whatever was rendered before."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from delivery_stand import REMER, make_catalog, make_creative, make_site, make_variants
from hypothesis import given
from hypothesis import strategies as st

from adserver.delivery.decision_json import decision_body, encode_json
from adserver.delivery.fragment import render_fragment
from adserver.delivery.templates import REMEMBERED_BYTES, Templates
from adserver.delivery.urls import Urls
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, PlaceId, SlotId
from adserver.domain.variants import Variant, Variants

BASE: Final = "https://ads.example/s"
TOKEN: Final = "a-token_of-its-own"


def make_fill(variants: Variants, label: str = "Sponsor", disclosure: str | None = None, **request: object) -> Fill:
    catalog = make_catalog(make_creative(variants, disclosure=disclosure), site=make_site(label=label))
    campaign = catalog.campaigns[0]
    shown = variants.longest
    assert shown is not None
    return Fill(
        SlotRequest(SlotId("masthead"), **request),  # type: ignore[arg-type]  # of the field's type, or the test fails
        catalog.sites[0],
        catalog.slots[0],
        catalog.advertisers[0],
        campaign,
        campaign.flights[0],
        campaign.creatives[0],
        variants,
        shown,
    )


def assert_alike(templates: Templates, fill: Fill, base: str = BASE, token: str = TOKEN) -> None:
    urls = Urls.of(base, token)
    assert templates.json(fill, base, token) == encode_json(decision_body(fill, token, urls))
    assert templates.fragment(fill, base, token) == render_fragment(fill, urls).encode()


ODD_WORDS: Final = ("100 %", "%b", "%(a)s", "%%", "</script>", "\u2028", '"\\', "&amp;")
WORDS: Final = st.text(max_size=12) | st.sampled_from(ODD_WORDS)
ONE: Final = Templates()
"""Remembers from one example to the next, as in a worker."""


@given(
    name=WORDS,
    long=WORDS | st.none(),
    label=WORDS,
    disclosure=WORDS | st.none(),
    base=st.sampled_from(("", "..", BASE, "http://h/%b", "http://h/<&'")),
)
def test_any_words_are_rendered_as_without_a_template(
    name: str, long: str | None, label: str, disclosure: str | None, base: str
) -> None:
    assert_alike(ONE, make_fill(make_variants(name, None, long), label, disclosure, place=REMER), base)


OTHER_PLACE: Final = replace(REMER, id=PlaceId("us-mn-ely"), name="Ely, <MN>")


def changed(fill: Fill) -> Iterator[Fill]:
    """Yield the fill, and others that differ from it in one thing that its answer says."""
    yield fill
    for place in (REMER, OTHER_PLACE):
        yield fill._replace(request=replace(fill.request, place=place))
    yield fill._replace(slot=replace(fill.slot, id=SlotId("sidebar")))
    yield fill._replace(flight=replace(fill.flight, id=FlightId("dakota")))
    yield fill._replace(campaign=replace(fill.campaign, id=CampaignId("spring")))
    yield fill._replace(advertiser=replace(fill.advertiser, name="Another"))
    yield fill._replace(advertiser=replace(fill.advertiser, id=AdvertiserId("another")))
    yield fill._replace(site=replace(fill.site, label="Anzeige"))
    yield fill._replace(creative=replace(fill.creative, id=CreativeId("another")))
    yield fill._replace(creative=replace(fill.creative, disclosure="21+"))
    yield fill._replace(required=("21+",))
    yield fill._replace(required=("21+", "18+"))
    for variants in (make_variants("X"), make_variants(short="X"), make_variants(long="X")):
        yield fill._replace(variants=variants)
    for missing in (make_variants(None), make_variants(short=None)):
        yield fill._replace(variants=missing)
    yield fill._replace(variants=make_variants(long=None), shown=Variant.SHORT)


def test_no_fill_is_given_anothers_words() -> None:
    templates = Templates()
    for _ in range(2):
        for fill in changed(make_fill(make_variants())):
            for base, token in ((BASE, "one"), (BASE, "two"), ("http://localhost:8080", "one")):
                assert_alike(templates, fill, base, token)


def test_a_catalog_that_goes_on_changing_fills_no_memory() -> None:
    templates = Templates()
    seen = []
    for number in range(3 * REMEMBERED_BYTES // 100_000):
        assert_alike(templates, make_fill(make_variants(f"{number}" + "x" * 40_000, None, None)))
        seen.append(templates.remembered_bytes)
    assert max(seen) <= 2 * REMEMBERED_BYTES
    assert sorted(seen) != seen
