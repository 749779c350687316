"""Lines in every kind of parent, from 120 to 1200 pixels, as readers set their browsers up; and axe's rules."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from axe import AXE, MODULES
from browser_stand import Pages
from delivery_stand import LONG, NAME, SHORT, Stand, make_catalog, make_creative
from paper import Paper, open_paper
from playwright.sync_api import Browser, Frame, Page, expect

BOOTSTRAP: Final = (MODULES / "bootstrap/dist/css/bootstrap.min.css").read_text()
WIDTHS: Final = (120, 160, 240, 320, 480, 640, 800, 1024, 1200)
PARENTS: Final = {
    "block": "",
    "flex": "display:flex",
    "column": "display:flex;flex-direction:column",
    "centred": "display:flex;flex-direction:column;align-items:center",
    "grid": "display:grid",
    "columns": "display:grid;grid-template-columns:auto 1fr",
    "float": "float:left",
    "inline": "display:inline-block",
}
OUTSIDE: Final = """() => {
  const parts = [...document.querySelectorAll('.sponsor, .sponsor a, .sponsor-disclosure')];
  for (const slot of document.querySelectorAll('sponsor-slot')) parts.push(...slot.shadowRoot.querySelectorAll('*'));
  const wide = document.documentElement.clientWidth;
  return parts.map((part) => [part.className || part.tagName, part.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.left < -0.5 || box.right > wide + 0.5))
    .map(([name, box]) => `${name} from ${box.left} to ${box.right} of ${wide}`);
}"""
SETTLED: Final = """async (width) => {
  const frame = () => new Promise(requestAnimationFrame);
  while (innerWidth !== width) await frame();
  await frame();
  await frame();
}"""
"""Resolves once the window has its new width, and all that watches it has been told."""
LINES: Final = """() => [
  ...[...document.querySelectorAll('.sponsor > a')],
  ...[...document.querySelectorAll('sponsor-slot')].map((slot) => slot.shadowRoot.querySelector('a')),
].map((link) => link.innerText.trim())"""


@pytest.fixture(scope="module")
def paper(browser: Browser) -> Iterator[Paper]:
    pages = Pages()
    creative = make_creative(disclosure="21+. Play responsibly.")
    yield from open_paper(browser, Stand(make_catalog(creative), extra=(pages.blueprint(),)), pages)


def show(paper: Paper, css: str = "", *, attributes: str = "", before: str = "") -> Page:
    """Open a page with a fragment and a tag in every kind of parent."""
    fragment = paper.stand.client().get("/v1/slots/masthead.html?location=Remer,MN", base_url=paper.address).text
    tag = '<sponsor-slot name="article-top" location="Remer,MN"></sponsor-slot>'
    parents = "".join(f".{name}{{{rule}}}" for name, rule in PARENTS.items())
    paper.pages.css["page"] = f"body{{margin:0;font:16px/1.5 system-ui}}p{{clear:both}}{parents}{css}"
    paper.pages.css["before"] = before
    boxes = "".join(f'<p>News</p><div class="{name}">{embed}</div>' for name in PARENTS for embed in (fragment, tag))
    sheets = '<link rel="stylesheet" href="before.css"><link rel="stylesheet" href="/slot.css">'
    page = paper.open(f"{sheets}<h1>News</h1><div {attributes}>{boxes}</div>")
    expect(page.locator("sponsor-slot a")).to_have_count(len(PARENTS))
    return page


def check(page: Page, widths: tuple[int, ...] = WIDTHS) -> dict[int, list[str]]:
    """Look at the page at each width: nothing leaves it, and every line begins with its label."""
    shown = {}
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(SETTLED, width)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
        assert page.evaluate(OUTSIDE) == [], width
        lines: list[str] = page.evaluate(LINES)
        assert len(lines) == 2 * len(PARENTS)
        assert {line.split(":")[0] for line in lines} == {"Sponsor"}, width
        assert {line.removeprefix("Sponsor: ") for line in lines} <= {NAME, SHORT, LONG}, width
        shown[width] = lines
    return shown


def test_nothing_leaves_the_page_in_any_parent_at_any_width(paper: Paper) -> None:
    shown = check(show(paper))
    block, tag_in_block = 0, len(PARENTS)
    assert {shown[120][at] for at in (block, tag_in_block)} == {f"Sponsor: {NAME}"}
    assert [shown[1200][at] for at in (block, tag_in_block)] == [f"Sponsor: {SHORT}", f"Sponsor: {LONG}"], "as measured"


def test_beside_bootstrap(paper: Paper) -> None:
    check(show(paper, before=BOOTSTRAP))


def test_in_a_page_that_runs_right_to_left(paper: Paper) -> None:
    shown = check(show(paper, attributes='dir="rtl" lang="ar"'))
    assert shown[1200][len(PARENTS)] == f"Sponsor: {LONG}"


def test_at_twice_the_size_by_zoom_and_by_larger_text(paper: Paper) -> None:
    check(show(paper, ":root{zoom:2}"), (320, 640, 1200))
    check(show(paper, "body{font-size:32px}"), (320, 640, 1200))


def test_with_forced_colours_lines_are_read(paper: Paper) -> None:
    paper.page.emulate_media(forced_colors="active")
    page = show(paper)
    check(page, (320, 1200))
    colours = page.evaluate(
        "[...document.querySelectorAll('.sponsor > a')].map((each) => [getComputedStyle(each).color,"
        " getComputedStyle(document.documentElement).backgroundColor])"
    )
    assert all(text != ground for text, ground in colours)
    paper.page.emulate_media(forced_colors="none")


def test_each_line_is_one_link_of_one_name(paper: Paper) -> None:
    paper.page.set_viewport_size({"width": 1200, "height": 900})
    page = show(paper)
    expect(page.get_by_role("link")).to_have_count(2 * len(PARENTS))
    names = {f"Sponsor: {text}" for text in (NAME, SHORT, LONG)}
    snapshot = page.locator("main").aria_snapshot()
    told = re.findall(r'link "([^"]*)"', snapshot)
    assert len(told) == 2 * len(PARENTS)
    assert set(told) <= names, snapshot


def violations(page: Page | Frame) -> list[str]:
    """Return what axe finds, all of its rules applied."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10
    return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]


COLOURS: Final = "--sponsor-label:#bbb;--sponsor-text:#8ec5ff;--sponsor-disclosure:#aaa"


@pytest.mark.parametrize(
    "css", ["", f":root{{background:#111;color:#ddd;{COLOURS}}}a{{color:#8ec5ff}}"], ids=["light", "dark"]
)
def test_axe_finds_nothing_in_fragments_and_tags(paper: Paper, css: str) -> None:
    paper.page.set_viewport_size({"width": 800, "height": 900})
    assert violations(show(paper, css)) == []


def test_axe_finds_nothing_in_a_frame_nor_in_the_page_around_it(paper: Paper) -> None:
    src = "/v1/frames/masthead?location=Remer,MN"
    page = paper.open(f'<h1>News</h1><iframe src="{src}" title="Sponsor" width="800" height="60"></iframe>')
    expect(page.frame_locator("iframe").locator("a")).to_be_visible()
    frame = page.frames[1]
    assert [each for each in violations(frame) if not each.startswith(("landmark", "page-has-heading", "region"))] == []
    assert violations(page) == []


def test_axe_does_find_what_is_wrong(paper: Paper) -> None:
    found = violations(paper.open('<h1>News</h1><a href="/x"></a>'))
    assert [each.split(":")[0] for each in found] == ["link-name"]


def test_colours_of_the_site_reach_fragment_and_tag_and_none_leaves_the_pages_own(paper: Paper) -> None:
    def colours(page: Page) -> list[str]:
        found: list[str] = page.evaluate("""() => {
          const fragment = document.querySelector('.sponsor'), root = document.querySelector('sponsor-slot').shadowRoot;
          const parts = ['a > span:first-child', 'a > [data-v=name]', '.sponsor-disclosure']
            .map((at) => fragment.querySelector(at));
          for (const name of ['label', 'text', 'disclosure']) parts.push(root.querySelector(`[part=${name}]`));
          return parts.map((part) => getComputedStyle(part).color);
        }""")
        return found

    own = "rgb(10, 20, 30)"
    assert colours(show(paper, f"body,a{{color:{own}}}")) == [own] * 6
    set_ = ["rgb(187, 187, 187)", "rgb(142, 197, 255)", "rgb(170, 170, 170)"]
    assert colours(show(paper, f"body,a{{color:{own}}}:root{{{COLOURS}}}")) == set_ * 2
