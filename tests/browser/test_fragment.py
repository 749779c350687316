"""The fragment and the frame in a real browser, under the strict policy that DESIGN promises to work with."""

from collections.abc import Iterator

import pytest
from browser_stand import Pages, serving
from delivery_stand import LONG, NAME, SHORT, Stand, make_catalog, make_creative
from playwright.sync_api import Browser, Page, expect

FONT = "body{margin:0;font:14px 'DejaVu Sans Mono',monospace}iframe{border:0}"
"""Every character is as wide as `0`, so that `ch` says exactly what fits."""

WIDTHS = [(320, NAME), (728, SHORT), (1280, LONG)]

TEXTS = {"name": NAME, "short": SHORT, "long": LONG}


class Paper:
    """A stand with its own pages on a socket, and a browser to read them."""

    def __init__(self, browser: Browser, stand: Stand, pages: Pages, address: str) -> None:
        self.browser = browser
        self.stand = stand
        self.pages = pages
        self.address = address
        pages.css["font"] = FONT

    def fragment(self, query: str = "") -> str:
        """Return a fragment as an include would fetch it; its links are relative to this host."""
        answer = self.stand.client().get(f"/v1/slots/masthead.html?location=Remer,MN{query}", base_url=self.address)
        return answer.text

    def open(self, html: str, width: int, *, css: bool = True, scripting: bool = True, scheme: str = "light") -> Page:
        """Open a page around some markup; fails on any complaint of the content security policy."""
        sheet = '<link rel="stylesheet" href="/slot.css">' if css else ""
        self.pages.html["page"] = f'<link rel="stylesheet" href="font.css">{sheet}<main>{html}</main>'
        context = self.browser.new_context(viewport={"width": width, "height": 700}, java_script_enabled=scripting)
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{self.address}/pages/page")
        assert [text for text in complaints if "Content Security Policy" in text] == []
        return page


@pytest.fixture
def paper(browser: Browser) -> Iterator[Paper]:
    pages = Pages()
    stand = Stand(make_catalog(make_creative(disclosure="21+. Play responsibly.")), extra=(pages.blueprint(),))
    with serving(stand) as address:
        yield Paper(browser, stand, pages, address)
    for context in browser.contexts:
        context.close()


def shown_text(page: Page) -> str:
    return page.locator(".sponsor > a").inner_text().strip()


def overflow(page: Page) -> int:
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert isinstance(width, int)
    return width


@pytest.mark.parametrize(("width", "text"), WIDTHS)
def test_the_longest_length_that_fits_shows_and_nothing_overflows(paper: Paper, width: int, text: str) -> None:
    page = paper.open(paper.fragment(), width)
    assert shown_text(page) == f"Sponsor: {text}"
    assert overflow(page) <= 0
    box = page.locator(".sponsor > a").bounding_box()
    assert box is not None
    assert box["height"] < 25, "one line"


def test_the_length_follows_the_window_both_ways(paper: Paper) -> None:
    page = paper.open(paper.fragment(), 1280)
    for width, text in [*reversed(WIDTHS), *WIDTHS]:
        page.set_viewport_size({"width": width, "height": 700})
        assert shown_text(page) == f"Sponsor: {text}"
        assert overflow(page) <= 0


@pytest.mark.parametrize("width", [320, 728, 1280])
def test_without_the_stylesheet_exactly_short_shows_and_wraps(paper: Paper, width: int) -> None:
    page = paper.open(paper.fragment(), width, css=False)
    assert shown_text(page) == f"Sponsor: {SHORT}"
    assert page.locator("[data-v]:visible").count() == 1
    assert overflow(page) <= 0


@pytest.mark.parametrize(("width", "text"), WIDTHS)
def test_a_pages_own_rule_for_hidden_things_does_not_win(paper: Paper, width: int, text: str) -> None:
    paper.pages.css["font"] = FONT + "[hidden]{display:none!important}"
    assert shown_text(paper.open(paper.fragment(), width)) == f"Sponsor: {text}"


@pytest.mark.parametrize("asked", ["name", "short", "long"])
@pytest.mark.parametrize("width", [320, 1280])
def test_a_named_length_shows_at_any_width(paper: Paper, asked: str, width: int) -> None:
    page = paper.open(paper.fragment(f"&variant={asked}"), width)
    assert shown_text(page) == f"Sponsor: {TEXTS[asked]}"
    assert overflow(page) <= 0


@pytest.mark.parametrize("parent", ["display:flex", "float:left", "display:inline-block", "display:grid"])
def test_the_box_does_not_collapse_in_parents_that_shrink_to_fit(paper: Paper, parent: str) -> None:
    paper.pages.css["font"] = FONT + f".parent{{{parent}}}"
    page = paper.open(f'<div class="parent">{paper.fragment()}</div>', 728)
    box = page.locator(".sponsor").bounding_box()
    assert box is not None
    assert box["width"] >= 7 * 14
    assert shown_text(page).startswith("Sponsor: QWIKET")


def test_the_disclosure_stands_whole_on_its_own_line_at_every_length(paper: Paper) -> None:
    for width, _ in WIDTHS:
        page = paper.open(paper.fragment(), width)
        link, note = (page.locator(part).bounding_box() for part in (".sponsor > a", ".sponsor-disclosure"))
        assert link is not None
        assert note is not None
        assert note["y"] >= link["y"] + link["height"] - 4
        assert page.locator(".sponsor-disclosure").inner_text() == "21+. Play responsibly."


def test_readers_who_listen_get_one_link_with_label_and_text(paper: Paper) -> None:
    page = paper.open(paper.fragment(), 728)
    expect(page.get_by_role("link")).to_have_count(1)
    expect(page.get_by_role("link", name=f"Sponsor: {SHORT}", exact=True)).to_be_visible()


def test_the_beacon_comes_back_once_however_often_the_length_changes(paper: Paper) -> None:
    page = paper.open(paper.fragment(), 1280)
    for width in (320, 728, 1280, 320):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.querySelector('.sponsor > img').decode().then(() => true)")
    assert [event.kind.value for event in paper.stand.recorder.events] == ["seen"]
    assert [event.verdict for event in paper.stand.recorder.events] == [None]


def test_a_line_far_below_is_not_seen_until_the_reader_comes_near(paper: Paper) -> None:
    paper.pages.css["font"] = FONT + ".far{height:9000px}"
    page = paper.open(f'<div class="far"></div>{paper.fragment()}', 728)
    page.wait_for_load_state("networkidle")
    assert paper.stand.recorder.events == []
    with page.expect_response("**/v1/seen/*.gif"):
        page.locator(".sponsor").scroll_into_view_if_needed()
    assert len(paper.stand.recorder.events) == 1


@pytest.mark.parametrize("scripting", [True, False])
def test_the_frame_shows_the_length_that_fits_and_opens_a_new_tab(paper: Paper, scripting: bool) -> None:
    frame = (
        '<iframe src="/v1/frames/masthead?location=Remer,MN" title="Sponsor" loading="lazy" '
        'sandbox="allow-popups allow-popups-to-escape-sandbox" width="100%" height="48"></iframe>'
    )
    page = paper.open(frame, 900, scripting=scripting)
    inside = page.frame_locator("iframe")
    expect(inside.locator("a")).to_have_text(f"Sponsor: {NAME} {SHORT} {LONG}")
    assert inside.locator("body").evaluate("body => getComputedStyle(body).margin") == "0px", "its stylesheet is there"
    assert inside.locator(".sponsor-disclosure").inner_text() == "21+. Play responsibly."
    clicked = page.context.expect_event("requestfinished", lambda request: "/go/" in request.url)
    with clicked, page.context.expect_page():
        inside.locator("a").click()
    assert "click" in {event.kind.value for event in paper.stand.recorder.events}
    assert page.url.endswith("/pages/page"), "the news stays open"


def test_the_frame_falls_to_the_name_where_it_is_narrow(paper: Paper) -> None:
    frame = '<iframe src="/v1/frames/masthead?location=Remer,MN" title="Sponsor" width="300" height="48"></iframe>'
    page = paper.open(frame, 728)
    expect(page.frame_locator("iframe").locator("a [data-v]:visible")).to_have_text(NAME)


def test_the_line_stands_in_the_middle_of_the_frames_height_and_is_underlined_under_the_pointer(paper: Paper) -> None:
    frame = '<iframe src="/v1/frames/masthead?location=Remer,MN" title="Sponsor" width="700" height="120"></iframe>'
    page = paper.open(frame, 728)
    line, body = page.frame_locator("iframe").locator(".sponsor"), page.frame_locator("iframe").locator("body")
    above, below = line.evaluate("e => [e.getBoundingClientRect().top, innerHeight - e.getBoundingClientRect().bottom]")
    assert abs(above - below) <= 1
    assert above > 20
    assert body.evaluate("e => e.scrollHeight - innerHeight") <= 0
    link = line.locator("a")
    assert link.evaluate("e => getComputedStyle(e).textDecorationLine") == "none"
    link.hover()
    assert link.evaluate("e => getComputedStyle(e).textDecorationLine") == "underline"


@pytest.mark.parametrize("width", [320, 728, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_demo_page_shows_the_four_lines_and_never_overflows(paper: Paper, width: int, scheme: str) -> None:
    context = paper.browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{paper.address}/demo/")
    lines = [line.inner_text() for line in page.locator(".masthead .sponsor > a").all()]
    assert lines == [f"Sponsor: {text}" for text in (NAME, NAME, SHORT, LONG)]
    expect(page.locator("sponsor-slot").first.locator("a")).to_be_visible()
    assert overflow(page) <= 0
    assert complaints == []


def test_the_demo_pages_lines_need_no_script(paper: Paper) -> None:
    page = paper.browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{paper.address}/demo/")
    assert page.locator(".sponsor > a:visible").count() == 5
    expect(page.locator("sponsor-slot").first).to_have_text("The story goes on below.")
