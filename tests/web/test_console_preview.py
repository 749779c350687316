"""The console's page of previews: what is shown at each width, what is cut and why, and no trace of it."""

import re
from html import unescape
from pathlib import Path

import pytest
from change_stand import BAKERY, ChangeStand, Visitor, form_of, text_of
from werkzeug.test import TestResponse

from adserver.access.tokens import Role

PREVIEW = "/console/preview"


@pytest.fixture
def stand(tmp_path: Path) -> ChangeStand:
    return ChangeStand(tmp_path)


def frames(text: str) -> list[tuple[int, str]]:
    """Return the width of each frame, and the page in it."""
    found = re.findall(r'<iframe[^>]* srcdoc="([^"]*)" width="([0-9]+)"', text)
    return [(int(width), unescape(document)) for document, width in found]


def test_every_width_and_every_slot_of_a_flight_is_shown_as_pages_get_it(stand: ChangeStand) -> None:
    page = stand.visitor().get(f"{PREVIEW}?campaign=qwiket-season")
    shown = frames(page.text)
    assert {width for width, _ in shown} == {320, 480, 728, 970}
    for slot in ("masthead", "article-middle", "sidebar"):
        assert f'<span class="badge preview-slot">{slot}</span>' in page.text
    assert "footer" not in page.text
    _, document = shown[0]
    assert '<div class="sponsor"><a class="' in document
    assert 'href="https://qwiket.com/?utm_source=america-one&amp;utm_medium=sponsor"' in document
    assert 'href="/slot.css"' in document


def test_nothing_in_it_is_counted_and_no_frame_may_run_anything(stand: ChangeStand) -> None:
    text = stand.visitor().get(f"{PREVIEW}?campaign=qwiket-season").text
    for _, document in frames(text):
        assert "<img" not in document
        assert "/go/" not in document
        assert "<script" not in document
    assert set(re.findall(r'<iframe[^>]* sandbox="([^"]*)"', text)) == {"allow-popups allow-popups-to-escape-sandbox"}


def test_what_a_slot_leaves_out_is_said_with_the_reason(stand: ChangeStand) -> None:
    read = text_of(stand.visitor().get(f"{PREVIEW}?campaign=qwiket-season"))
    assert "sidebar long is left out: the slot does not take this length." in read
    weekly = stand.visitor().get(f"{PREVIEW}?campaign=house&creative=house-newsletter")
    assert "weekly-masthead" in text_of(weekly)


def test_max_chars_is_said_with_how_many_are_over(stand: ChangeStand) -> None:
    text = BAKERY.replace("bread from seven.", "bread " + "very " * 30 + "early.")
    read = text_of(draft(stand.visitor(), text))
    assert re.search(r"short is left out: 1[0-9]{2} characters, [0-9]+ over the slot's 140\.", read)


def test_rules_ask_for_a_disclosure_where_they_hold_and_stop_it_elsewhere(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    path = f"{PREVIEW}?campaign=three-rivers-season"
    campaign = next(one for _, _, one in stand.publisher.live().documents.campaigns() if "rivers" in str(one["id"]))
    path = f"{PREVIEW}?campaign={campaign['id']}"
    assert any("1-800-BETS-OFF" in document for _, document in frames(visitor.get(f"{path}&location=Iowa").text))
    read = text_of(visitor.get(f"{path}&location=Remer,MN"))
    assert "At Remer, MN nothing of it shows: betting may not run in us-mn" in read
    assert "weekly-masthead It never shows here (category_blocked)" in read or "weekly-masthead" not in read


def test_a_dark_page_is_dark(stand: ChangeStand) -> None:
    text = stand.visitor().get(f"{PREVIEW}?campaign=qwiket-season&page=dark").text
    assert all('class="dark"' in document for _, document in frames(text))


def test_an_address_of_other_letters_is_shown_in_both_forms(stand: ChangeStand) -> None:
    page = draft(stand.visitor(), BAKERY.replace("bakery.example", "bäckerei.example"))
    read = text_of(page)
    assert "https://xn--bckerei-5wa.example/" in read
    assert "https://bäckerei.example/" in read


def draft(visitor: Visitor, text: str, **fields: str) -> TestResponse:
    return visitor.post(PREVIEW, {"text": text, "action": "/console/upload", **fields})


def test_a_draft_is_shown_before_it_is_published_and_leads_back_to_its_plan(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    page = draft(visitor, BAKERY)
    assert "Spring bread Draft" in text_of(page)
    assert "Corner Bakery: bread from seven." in frames(page.text)[0][1]
    assert stand.revision == 1
    plan = visitor.post("/console/upload", {**form_of(page, PREVIEW), "do": "check"})
    assert "Added campaign spring-bread" in text_of(plan)
    assert "Added campaign spring-bread" in text_of(
        visitor.post("/console/upload", {**form_of(plan, "/console/upload")})
    )


def test_the_way_back_leads_nowhere_else(stand: ChangeStand) -> None:
    page = draft(stand.visitor(), BAKERY, action="https://evil.example/")
    assert "evil" not in page.text


def test_markup_of_a_sponsor_is_text_in_the_frame_too(stand: ChangeStand) -> None:
    hostile = "</a></body><script>alert(1)</script>"
    page = draft(stand.visitor(), BAKERY.replace("Corner Bakery: bread from seven.", hostile))
    assert "<script>alert" not in page.text
    shown = frames(page.text)
    assert shown
    assert all("<script" not in document for _, document in shown)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown[0][1]


def test_a_draft_with_faults_is_not_shown(stand: ChangeStand) -> None:
    assert draft(stand.visitor(), BAKERY.replace("2026-03-01", "soon")).status_code == 422
    assert draft(stand.visitor(), "").status_code == 400


def test_analysts_look_at_what_is_live_and_bound_tokens_at_their_own(stand: ChangeStand) -> None:
    analyst, bound = stand.visitor(Role.ANALYST), stand.visitor(Role.MARKETER, "qwiket")
    assert analyst.get(f"{PREVIEW}?campaign=house").status_code == 200
    assert draft(analyst, BAKERY).status_code == 403
    assert bound.get(f"{PREVIEW}?campaign=house").status_code == 404
    assert "House lines" not in bound.get(PREVIEW).text
    assert bound.get(f"{PREVIEW}?campaign=qwiket-season").status_code == 200
    assert draft(bound, BAKERY).status_code == 404
