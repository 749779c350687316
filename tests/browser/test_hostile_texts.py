"""What a sponsor may write to do harm, in every way to embed it: it is shown as text, and the page stays as it was."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from browser_stand import Pages
from delivery_stand import Stand, make_catalog, make_creative, make_site, make_variants
from paper import Paper, open_paper
from playwright.sync_api import Browser, Page, expect

from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Catalog

TEXTS: Final = (
    "<script>window.hit=1</script>",
    '"><img src=x onerror=window.hit=1>',
    "' onmouseover='window.hit=1",
    "`onfocus=window.hit=1 autofocus ",
    "</a></span></div><svg onload=window.hit=1>",
    "</script><script>window.hit=1</script>",
    "<!-- --!><img src=x onerror=window.hit=1>",
    "]]><b>b</b>",
    "{{7*7}} ${7*7} <%= 7*7 %> #{7*7}",
    "&lt;b&gt; &amp;amp; &#60;script&#62;",
    "\u2028window.hit=1\u2029",
    "javascript:window.hit=1",
    "<iframe srcdoc='<script>parent.hit=1</script>'>",
    "<sponsor-slot name=x>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example><meta http-equiv=refresh content=0>",
    "<a href=javascript:window.hit=1>",
    "שלום! <b>עולם</b> 1234",
    "👩‍👩‍👧‍👦 Émile & İstanbul \u0131 ß",
)
POLICY: Final = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src *"
"""As weak as pages are: it is not the policy that keeps texts from running."""
SHAPE: Final = (
    """(root) => [...root.querySelectorAll('*')].map((each) => [each.tagName, ...each.getAttributeNames()].join(' '))"""
)


def catalog_of(text: str) -> Catalog:
    """Return a catalog whose sponsor writes this wherever it may write at all, and the site as its label."""
    creative = make_creative(make_variants(text, text, text), disclosure=text)
    return make_catalog(creative, site=make_site(label=text))


@pytest.fixture(scope="module")
def paper(browser: Browser) -> Iterator[Paper]:
    pages = Pages()
    pages.policy = POLICY
    yield from open_paper(browser, Stand(extra=(pages.blueprint(),)), pages)


def show(paper: Paper, text: str) -> Page:
    """Open a page with a text in a fragment, in the `html` of a decision, in a tag and in a frame."""
    stand = paper.stand
    stand.catalog.snapshot = Snapshot.build(catalog_of(text), 1, (), 4)
    query = "location=Remer,MN&variant=short"
    fragment = stand.client().get(f"/v1/slots/masthead.html?{query}", base_url=paper.address).text
    html = stand.client().get(f"/v1/slots/masthead?{query}", base_url=paper.address).get_json()["html"]
    page = paper.open(
        f'<section id="fragment">{fragment}</section><section id="json">{html}</section>'
        '<sponsor-slot name="sidebar" location="Remer,MN" variant="short"></sponsor-slot>'
        f'<iframe src="/v1/frames/article-top?{query}" title="Sponsor" width="600" height="90"></iframe>'
    )
    expect(page.locator("sponsor-slot a")).to_be_visible()
    expect(page.frame_locator("iframe").locator("a")).to_be_visible()
    return page


def shapes(page: Page) -> dict[str, Any]:
    """Return the elements and the names of their attributes, of each way."""
    return {
        "fragment": page.eval_on_selector("#fragment", SHAPE),
        "json": page.eval_on_selector("#json", SHAPE),
        "tag": page.eval_on_selector("sponsor-slot", f"(slot) => ({SHAPE})(slot.shadowRoot)"),
        "frame": page.frames[1].eval_on_selector("html", SHAPE),
        "page": page.eval_on_selector("html", SHAPE),
    }


@pytest.fixture(scope="module")
def harmless(paper: Paper) -> dict[str, Any]:
    return shapes(show(paper, "A harmless line"))


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_text_is_shown_and_adds_no_element_and_no_attribute(
    paper: Paper, harmless: dict[str, Any], text: str
) -> None:
    page = show(paper, text)
    assert shapes(page) == harmless
    assert page.evaluate("window.hit") is None
    assert page.frames[1].evaluate("window.hit") is None
    assert page.title() == "page"
    for root in (page.locator("#fragment"), page.locator("#json"), page.frames[1].locator("body")):
        assert root.locator("[data-v]").text_content() == text
        assert root.locator(".sponsor-disclosure").text_content() == text
        assert root.locator("a > span").first.text_content() == f"{text}:"
    for part in ("text", "disclosure"):
        assert page.locator(f"sponsor-slot [part={part}]").text_content() == text


def test_what_a_page_says_of_itself_is_never_given_back(paper: Paper) -> None:
    hostile = "&quot;><img src=x onerror=window.hit=1>"
    page = paper.open(
        f'<sponsor-slot name="masthead" location="{hostile}" topic="{hostile}">fallback</sponsor-slot>'
        '<iframe src="/v1/frames/masthead?location=%22%3E%3Cscript%3Eparent.hit=1%3C/script%3E" title="x"></iframe>'
    )
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.hit") is None
    assert page.frames[1].locator("script, img").count() == 0


def test_a_page_that_writes_texts_as_markup_would_be_found_out(paper: Paper) -> None:
    """The control: under this policy such a text does run."""
    page = paper.open(f"<section>{TEXTS[1]}</section>")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.hit") == 1
