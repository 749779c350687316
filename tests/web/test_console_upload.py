"""The console's page for uploads: all faults at once at their lines, the plan, and nothing published unseen."""

import io
import json
from pathlib import Path

import pytest
from change_stand import BAKERY, SAMPLE, ChangeStand, Visitor, form_of, text_of
from werkzeug.test import TestResponse

from adserver.access.tokens import Role

UPLOAD = "/console/upload"

MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover=x",
    "{{7*7}}",
    "${7*7}",
    "<!--",
    "]]>",
    "</textarea><script>1</script>",
)


@pytest.fixture
def stand(tmp_path: Path) -> ChangeStand:
    return ChangeStand(tmp_path)


def check(visitor: Visitor, text: str, **fields: object) -> TestResponse:
    return visitor.post(UPLOAD, {"text": text, "do": "check", **fields})


def file_of(data: bytes, name: str) -> dict[str, object]:
    return {"file": (io.BytesIO(data), name), "text": "", "do": "check"}


def publish(visitor: Visitor, page: TestResponse, **fields: object) -> TestResponse:
    return visitor.post(UPLOAD, {**form_of(page, UPLOAD), "do": "publish", **fields})


def test_faults_come_all_at_once_with_line_column_and_the_text_kept(stand: ChangeStand) -> None:
    wrong = BAKERY.replace("2026-03-01", "soon").replace("https://bakery", "http://bakery").replace("slots:", "slot:")
    page = check(stand.visitor(), wrong)
    assert page.status_code == 422
    text = text_of(page)
    assert "3 things are wrong; nothing was published" in text
    for where in ("line 5, column 5", "line 9, column 9", "line 13, column 9"):
        assert where in text
    assert "must be a day such as 2025-06-01" in text
    assert form_of(page, UPLOAD)["text"] == [wrong.replace("\n", "\r\n")]
    assert page.text.count("change-line-wrong") == 3
    assert stand.revision == 1


def test_what_was_mended_shows_its_plan_and_is_published_with_a_reason(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    page = check(visitor, BAKERY)
    assert page.status_code == 200
    assert "Added campaign spring-bread" in text_of(page)
    assert stand.revision == 1
    done = publish(visitor, page, message="Ordered by phone")
    assert done.status_code == 303
    assert stand.revision == 2
    newest = stand.publisher.history()[0]
    assert (newest.author, newest.message) == ("admin", "Ordered by phone")
    assert stand.campaign("spring-bread")["name"] == "Spring bread"
    assert "revision 2 serves within a second" in text_of(visitor.get(done.location))


def test_a_plan_shows_each_field_from_and_to(stand: ChangeStand) -> None:
    text = (SAMPLE / "qwiket.yaml").read_text().replace("share: 100", "share: 40").replace("weight: 2", "weight: 5")
    page = check(stand.visitor(), text, name="qwiket.yaml")
    read = text_of(page)
    assert "share 100 40" in read
    assert "weight 2 5" in read
    assert "2 changed" in read


def test_what_is_live_already_cannot_be_published_again(stand: ChangeStand) -> None:
    page = check(stand.visitor(), (SAMPLE / "qwiket.yaml").read_text())
    assert "Nothing would change" in text_of(page)
    assert 'value="publish"' not in page.text


@pytest.mark.parametrize("name", ["bakery.yaml", "bakery.YML"])
def test_a_file_is_taken_by_its_ending_and_carried_as_its_text(stand: ChangeStand, name: str) -> None:
    visitor = stand.visitor()
    page = visitor.post(UPLOAD, file_of(BAKERY.encode(), name))
    assert "Added campaign spring-bread" in text_of(page)
    assert publish(visitor, page).status_code == 303
    assert stand.campaign("spring-bread")


def test_json_is_known_by_how_it_begins(stand: ChangeStand) -> None:
    document = {"advertiser": {"id": "a", "name": "A"}, "campaigns": []}
    assert "Added advertiser a" in text_of(check(stand.visitor(), json.dumps(document)))


def test_who_publishes_after_somebody_else_is_told_and_sees_the_new_plan(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    page = check(visitor, BAKERY)
    other = check(visitor, (SAMPLE / "qwiket.yaml").read_text().replace("share: 100", "share: 40"))
    assert publish(visitor, other, message="Halved").status_code == 303
    stale = publish(visitor, page)
    assert stale.status_code == 409
    read = text_of(stale)
    assert "Somebody else published meanwhile" in read
    assert "Revision 2 is live now, by admin" in read
    assert "“Halved”" in read
    assert "Against revision 2" in read
    assert stand.revision == 2
    assert publish(visitor, stale).status_code == 303
    assert stand.revision == 3
    assert stand.campaign("qwiket-season")["flights"][0]["share"] == 40  # type: ignore[index,call-overload]


def test_a_reason_of_two_lines_is_refused_and_nothing_is_lost(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    page = publish(visitor, check(visitor, BAKERY), message="a\u202eb")
    assert page.status_code == 422
    assert "The reason must be one line" in text_of(page)
    assert stand.revision == 1
    assert publish(visitor, page, message="").status_code == 303


def test_back_leads_to_the_text(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    page = visitor.post(UPLOAD, {**form_of(check(visitor, BAKERY), UPLOAD), "do": "back"})
    assert page.status_code == 200
    assert form_of(page, UPLOAD)["text"] == [BAKERY.replace("\n", "\r\n")]


def test_an_empty_form_says_what_is_due(stand: ChangeStand) -> None:
    assert "choose a file, or paste" in text_of(check(stand.visitor(), " \n"))


class TestBadInput:
    """The groups text, links and upload of what may be thrown at an upload, through this page."""

    @pytest.mark.parametrize("markup", MARKUP)
    def test_markup_is_text(self, stand: ChangeStand, markup: str) -> None:
        visitor = stand.visitor()
        page = check(visitor, BAKERY.replace('"Corner Bakery: bread from seven."', json.dumps(markup)))
        assert page.status_code == 200
        carried = form_of(page, UPLOAD)["text"][0]
        assert json.dumps(markup) in carried
        wrong = check(visitor, BAKERY.replace("Spring bread", json.dumps(markup)).replace("2026-03-01", "soon"))
        for answer in (page, wrong):
            assert "<script>" not in answer.text
            assert "<img" not in answer.text
            assert "49" not in text_of(answer)

    @pytest.mark.parametrize("hidden", ["\u0000", "\\u0007", "\\t", "\\n", "\\u202e", "\\u2066", "\\ud800", "\\u200b"])
    def test_what_would_not_show_is_refused(self, stand: ChangeStand, hidden: str) -> None:
        text = f'"{hidden}"' if hidden == "\\u200b" else f'"a{hidden}b"'
        page = check(stand.visitor(), BAKERY.replace("Spring bread", text))
        assert page.status_code in (400, 422)
        assert stand.revision == 1

    @pytest.mark.parametrize(
        "link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/\\\\evil.example", "https:evil.com",
                 "https://good@evil.example", "http://bakery.example/", "https://[::1", "https://a.example:99999/",
                 "https://a.example/{slot}", "https://a.example/?x={nobody}"],
    )  # fmt: skip
    def test_a_link_that_a_page_must_not_carry_is_refused(self, stand: ChangeStand, link: str) -> None:
        page = check(stand.visitor(), BAKERY.replace("https://bakery.example/", link))
        assert page.status_code == 422
        assert "line 9" in text_of(page)

    @pytest.mark.parametrize("link", ["mailto:bread@bakery.example", "tel:+12185550100"])
    def test_mail_and_telephone_are_taken(self, stand: ChangeStand, link: str) -> None:
        assert check(stand.visitor(), BAKERY.replace("https://bakery.example/", link)).status_code == 200

    @pytest.mark.parametrize(
        ("data", "name", "status"),
        [
            (b"[" * 100_000, "deep.json", 400),
            (b'{"campaigns": ' + b"9" * 5_000 + b"}", "long.json", 400),
            (b"advertiser: \xff\xfe", "bytes.yaml", 400),
            ("advertiser: {}".encode("utf-16"), "wide.yaml", 400),
            (b"a: &a [x]\nb: *a\n---\nc: d", "two.yaml", 422),
            (b"!!python/object:os.system {}", "tag.yaml", 422),
            (b"advertiser: {id: a, id: b, name: A}", "twice.yaml", 422),
            (b"\x1f\x8b\x08\x00", "packed.yaml", 415),
            (b"PK\x03\x04", "zip.json", 415),
            (b"<svg/>", "picture.yaml", 415),
            (b"advertiser: {}", "slots.txt", 415),
        ],
    )
    def test_files_that_are_none_of_ours_say_why(self, stand: ChangeStand, data: bytes, name: str, status: int) -> None:
        page = stand.visitor().post(UPLOAD, file_of(data, name))
        assert page.status_code == status
        assert "wrong; nothing was published" in text_of(page)
        assert stand.revision == 1

    def test_as_much_is_taken_as_by_the_api(self, stand: ChangeStand) -> None:
        document = {"advertiser": {"id": "a", "name": "A"}, "campaigns": []}
        page = check(stand.visitor(), json.dumps(document) + " " * 9_900_000 + "\n")
        assert page.status_code == 200
        assert "change-row-add" in page.text

    def test_ten_megabytes_are_too_many(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        text = json.dumps({"advertiser": {"id": "a", "name": "A"}, "campaigns": [], "x": "y" * 10_000_000})
        assert check(visitor, text).status_code == 413
        assert check(visitor, text + " " * 2_000_000).status_code == 413
        assert stand.revision == 1

    def test_an_id_of_another_campaign_is_taken(self, stand: ChangeStand) -> None:
        page = check(stand.visitor(), BAKERY.replace("id: bakery-remer", "id: qwiket-remer"))
        assert page.status_code == 409
        assert "is a flight of campaign 'qwiket-season' already" in text_of(page)

    def test_a_burst_is_slowed_down(self, tmp_path: Path) -> None:
        visitor = ChangeStand(tmp_path, burst=2).visitor()
        answers = [check(visitor, BAKERY) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[2].headers["Retry-After"]) >= 1


class TestWhoMayWhat:
    def test_an_analyst_sees_no_page_that_changes(self, stand: ChangeStand) -> None:
        visitor = stand.visitor(Role.ANALYST)
        for path in (UPLOAD, "/console/campaigns/new", "/console/campaigns/qwiket-season/edit", "/console/revisions"):
            assert visitor.get(path).status_code == 403, path
        assert visitor.post(UPLOAD, {"text": BAKERY}).status_code == 403
        navigation = visitor.get("/console/").text
        assert "Preview" in navigation
        for word in ("Upload", "New campaign", "Revisions"):
            assert word not in navigation

    def test_a_bound_token_changes_its_own_advertisers_only(self, stand: ChangeStand) -> None:
        visitor = stand.visitor(Role.MARKETER, "qwiket")
        own = (SAMPLE / "qwiket.yaml").read_text().replace("share: 100", "share: 40")
        page = check(visitor, own)
        assert "share 100 40" in text_of(page)
        others = check(visitor, (SAMPLE / "house.yaml").read_text())
        assert others.status_code == 404
        assert "this token knows no such advertiser" in text_of(others)
        assert publish(visitor, page).status_code == 303

    def test_a_bound_token_that_comes_second_does_not_hear_of_others(self, stand: ChangeStand) -> None:
        bound, admin = stand.visitor(Role.MARKETER, "qwiket"), stand.visitor()
        page = check(bound, (SAMPLE / "qwiket.yaml").read_text().replace("share: 100", "share: 40"))
        assert publish(admin, check(admin, BAKERY), message="Secret").status_code == 303
        stale = publish(bound, page)
        assert stale.status_code == 409
        assert "Secret" not in stale.text
        assert "bakery" not in stale.text

    def test_a_form_of_another_site_changes_nothing(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        visitor.csrf = "forged"
        assert check(visitor, BAKERY, do="publish", base="1").status_code == 400
        assert stand.revision == 1
