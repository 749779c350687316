"""The tag in a real browser, under the strict policy that DESIGN promises to work with."""

from collections.abc import Callable, Iterator

import pytest
from browser_stand import Pages
from delivery_stand import LONG, NAME, SHORT, Stand, make_catalog, make_creative, make_variants
from paper import DECISIONS, FONT, HELD_SECONDS, TAG, Paper, await_that, fallbacks, link, open_paper
from playwright.sync_api import Browser, Route, expect


@pytest.fixture
def paper(browser: Browser) -> Iterator[Paper]:
    pages = Pages()
    yield from open_paper(browser, Stand(extra=(pages.blueprint(),)), pages)


@pytest.mark.parametrize(
    "script",
    [
        '<script src="/slot.js" defer></script>',
        '<script src="/slot.js" async></script>',
        '<script src="/slot.js"></script>',
        '<script src="/slot.js" type="module"></script>',
    ],
)
def test_the_sponsor_takes_the_fallbacks_room_however_the_script_is_loaded(paper: Paper, script: str) -> None:
    page = paper.open(TAG, script=script)
    expect(page.locator("sponsor-slot a")).to_be_visible()
    assert link(page) == f"Sponsor: {LONG}"
    assert fallbacks(page) == [False]
    assert paper.complaints == []


@pytest.mark.parametrize(("width", "text"), [(320, NAME), (728, SHORT), (1280, LONG)])
def test_the_longest_length_that_fits_shows_on_one_line(paper: Paper, width: int, text: str) -> None:
    paper.page.set_viewport_size({"width": width, "height": 700})
    page = paper.open(TAG)
    expect(page.locator("sponsor-slot a")).to_have_text(f"Sponsor: {text}")
    box = page.locator("sponsor-slot a").bounding_box()
    assert box is not None
    assert box["height"] < 25
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_length_and_link_follow_the_window(paper: Paper) -> None:
    page = paper.open(TAG)
    for width, text, variant in [(320, NAME, "name"), (1280, LONG, "long"), (728, SHORT, "short")]:
        page.set_viewport_size({"width": width, "height": 700})
        expect(page.locator("sponsor-slot a")).to_have_text(f"Sponsor: {text}")
        assert (page.locator("sponsor-slot a").get_attribute("href") or "").endswith(f"?v={variant}")


def test_all_slots_of_a_page_are_asked_for_in_one_call(paper: Paper) -> None:
    page = paper.open(
        TAG
        + '<sponsor-slot name="article-top" location="Remer,MN" variant="name"></sponsor-slot>'
        + '<sponsor-slot name="sidebar" location="Remer,MN" max-chars="70"></sponsor-slot>'
    )
    expect(page.locator("sponsor-slot a")).to_have_count(3)
    assert paper.asked == [
        {
            "location": "Remer,MN",
            "topics": [""],
            "ledger": None,
            "slots": [
                {"id": "0", "slot": "masthead", "variant": "auto", "max_chars": None},
                {"id": "1", "slot": "article-top", "variant": "name", "max_chars": None},
                {"id": "2", "slot": "sidebar", "variant": "auto", "max_chars": 70},
            ],
        }
    ]
    texts = [page.locator("sponsor-slot a").nth(number).inner_text() for number in range(3)]
    assert texts == [f"Sponsor: {text}" for text in (LONG, NAME, SHORT)]


def test_slots_about_other_places_or_topics_are_asked_for_apart(paper: Paper) -> None:
    paper.open(TAG + '<sponsor-slot name="sidebar" location="Ely,MN" topic="lakes, ice"></sponsor-slot>')
    expect(paper.page.locator("sponsor-slot a")).to_have_count(1)
    assert [(call["location"], call["topics"]) for call in paper.asked] == [
        ("Remer,MN", [""]),
        ("Ely,MN", ["lakes", " ice"]),
    ]


def test_a_slot_added_later_is_filled_too(paper: Paper) -> None:
    page = paper.open("")
    page.evaluate("""() => {
        const slot = document.createElement('sponsor-slot');
        slot.setAttribute('name', 'masthead');
        slot.setAttribute('location', 'Remer,MN');
        document.querySelector('main').append(slot);
    }""")
    expect(page.locator("sponsor-slot a")).to_be_visible()


def test_a_slot_is_seen_and_after_a_second_viewable_with_the_length_on_screen(paper: Paper) -> None:
    paper.page.set_viewport_size({"width": 728, "height": 700})
    paper.open(TAG)
    assert paper.await_reported(2) == [("seen", "short"), ("viewable", "short")]
    (token,) = paper.stand.recorder.fills
    assert [event.token for event in paper.stand.recorder.events] == [token, token]


def test_a_slot_below_the_fold_is_seen_once_scrolled_to(paper: Paper) -> None:
    paper.pages.css["page"] = FONT + ".far{height:3000px}"
    page = paper.open(f'<div class="far"></div>{TAG}')
    expect(page.locator("sponsor-slot a")).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert paper.reported() == []
    page.locator("sponsor-slot a").scroll_into_view_if_needed()
    assert paper.await_reported(2) == [("seen", "long"), ("viewable", "long")]


def test_a_look_of_less_than_a_second_is_not_viewable_and_the_next_one_starts_anew(paper: Paper) -> None:
    paper.page.add_init_script(HELD_SECONDS)
    paper.pages.css["page"] = FONT + ".far{height:3000px}"
    page = paper.open(f'{TAG}<div class="far"></div>')
    assert paper.await_reported(1) == [("seen", "long")]
    await_that(page, "seconds.length === 1")
    page.evaluate("scrollTo(0, 2000)")
    await_that(page, "seconds[0] === null")
    page.evaluate("scrollTo(0, 0)")
    await_that(page, "seconds.length === 2")
    assert paper.reported() == [("seen", "long")]
    page.evaluate("seconds[1]()")
    assert paper.await_reported(2) == [("seen", "long"), ("viewable", "long")]


@pytest.mark.parametrize(
    ("height", "in_view", "viewable"),
    [
        (100, 0.45, False),  # 128,000 px: half of it is due
        (100, 0.55, True),
        (189, 0.45, False),  # 241,920 px
        (190, 0.35, True),  # 243,200 px: a large one
        (600, 0.25, False),
        (600, 0.35, True),
    ],
)
def test_half_of_a_slot_is_due_and_of_a_large_one_30_percent(
    paper: Paper, height: int, in_view: float, viewable: bool
) -> None:
    paper.page.add_init_script(HELD_SECONDS)
    above = 700 - round(height * in_view)
    paper.pages.css["page"] = f"{FONT}.above{{height:{above}px}}sponsor-slot{{height:{height}px}}.far{{height:3000px}}"
    page = paper.open(f'<div class="above"></div>{TAG}<div class="far"></div>')
    assert paper.await_reported(1) == [("seen", "long")], "its seen comes in the same callback as its second begins"
    assert page.evaluate("seconds.length") == int(viewable)


def test_a_slot_that_leaves_the_page_is_watched_no_more_until_it_is_back(paper: Paper) -> None:
    paper.page.add_init_script(
        HELD_SECONDS + "const add = document.addEventListener.bind(document); window.listening = 0;"
        "document.addEventListener = (kind, ...rest) => {"
        "  listening += kind === 'visibilitychange'; add(kind, ...rest); };"
    )
    page = paper.open(f"{TAG}{TAG}")
    assert paper.await_reported(2) == [("seen", "long"), ("seen", "long")]
    await_that(page, "seconds.length === 2")
    assert page.evaluate("listening") == 1, "one listener, whatever the number of slots"

    page.evaluate("window.slot = document.querySelector('sponsor-slot'); slot.remove()")
    await_that(page, "seconds[0] === null")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("seconds.length") == 2

    page.evaluate("document.querySelector('main').append(slot)")
    await_that(page, "seconds.length === 3")
    page.evaluate("seconds[2]()")
    assert paper.await_reported(3)[2] == ("viewable", "long")
    assert len(paper.asked) == 1


def test_a_slot_in_a_hidden_part_of_the_page_is_not_seen_until_it_is_shown(paper: Paper) -> None:
    paper.pages.css["page"] = FONT + ".closed{display:none}"
    page = paper.open(f'<div class="closed">{TAG}</div>')
    expect(page.locator("sponsor-slot a")).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert paper.reported() == []
    page.evaluate("document.querySelector('.closed').className = ''")
    assert paper.await_reported(1)[0] == ("seen", "long")


def test_a_click_says_which_length_was_on_screen(paper: Paper) -> None:
    paper.page.set_viewport_size({"width": 320, "height": 700})
    page = paper.open(TAG)
    assert paper.await_reported(1) == [("seen", "name")]
    page.locator("sponsor-slot a").click(no_wait_after=True)
    assert ("click", "name") in paper.await_reported(2)


@pytest.mark.parametrize(
    "answer",
    [
        lambda route: route.fulfill(status=500, body="oops"),
        lambda route: route.fulfill(status=200, body="<html>"),
        lambda route: route.fulfill(status=200, body="{}"),
        lambda route: route.fulfill(status=200, body='{"decisions":{"0":{"token":"x"}}}'),
        lambda route: route.abort(),
    ],
)
def test_on_any_fault_the_fallback_stays(paper: Paper, answer: Callable[[Route], None]) -> None:
    faults: list[str] = []
    paper.page.on("pageerror", lambda error: faults.append(str(error)))
    paper.page.route(DECISIONS, answer)
    page = paper.open(TAG)
    page.wait_for_load_state("networkidle")
    assert fallbacks(page) == [True]
    assert faults == []


@pytest.mark.parametrize(
    "tag",
    [
        '<sponsor-slot name="political" location="Remer,MN">fallback</sponsor-slot>',
        '<sponsor-slot name="masthead" location="Nowhere">fallback</sponsor-slot>',
        '<sponsor-slot name="../x" location="Remer,MN">fallback</sponsor-slot>',
        "<sponsor-slot>fallback</sponsor-slot>",
    ],
)
def test_without_a_fill_the_fallback_stays(paper: Paper, tag: str) -> None:
    page = paper.open(tag)
    page.wait_for_load_state("networkidle")
    assert fallbacks(page) == [True]


def test_a_name_that_is_none_leaves_the_other_slots_filled(paper: Paper) -> None:
    page = paper.open('<sponsor-slot name="Not a slot">fallback</sponsor-slot>' + TAG)
    expect(page.locator("sponsor-slot a")).to_have_count(1)
    assert fallbacks(page) == [True, False]


def test_an_answer_after_three_seconds_is_not_shown(paper: Paper) -> None:
    held: list[Route] = []
    paper.page.route(DECISIONS, lambda route: held.append(route))  # noqa: PLW0108 - it wants a function of Python
    page = paper.open(TAG)
    with page.expect_event("requestfailed", timeout=6_000):
        pass
    assert len(held) == 1
    assert fallbacks(page) == [True]
    assert page.locator("sponsor-slot a").count() == 0


@pytest.mark.parametrize(
    "text", ["<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "{{7*7}}", "</a>"]
)
def test_hostile_texts_are_texts(browser: Browser, text: str) -> None:
    pages = Pages()
    creative = make_creative(make_variants(text, text, text), disclosure=text)
    stand = Stand(make_catalog(creative), extra=(pages.blueprint(),))
    for paper in open_paper(browser, stand, pages):
        page = paper.open(TAG)
        expect(page.locator("sponsor-slot a")).to_have_text(f"Sponsor: {text}")
        expect(page.locator("sponsor-slot div")).to_have_text(text)
        assert page.evaluate("window.hit") is None
        tags = page.evaluate(
            "[...document.querySelector('sponsor-slot').shadowRoot.querySelectorAll('*')].map(each => each.tagName)"
        )
        assert tags == ["A", "SPAN", "SPAN", "DIV"]
