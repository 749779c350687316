"""The console's pages of revisions: the history, what each changed, and the way back."""

from pathlib import Path

import pytest
from change_stand import SAMPLE, ChangeStand, form_of, text_of

from adserver.access.tokens import Role
from adserver.catalog.merging import Extent
from adserver.catalog.upload import Format, read_campaigns

RESTORE = "/console/revisions/1/restore"


@pytest.fixture
def stand(tmp_path: Path) -> ChangeStand:
    made = ChangeStand(tmp_path)
    halve(made, "40", '<b>"Halved"</b>')
    return made


def halve(stand: ChangeStand, share: str, message: str) -> None:
    text = (SAMPLE / "qwiket.yaml").read_text().replace("share: 100", f"share: {share}")
    upload = read_campaigns(text.encode(), Format.YAML)
    stand.publisher.publish(upload, extent=Extent.NAMED, author="kim", message=message)


def test_the_newest_stands_first_with_who_why_and_how_much(stand: ChangeStand) -> None:
    page = stand.visitor().get("/console/revisions")
    read = text_of(page)
    assert read.index("Revision 2") < read.index("Revision 1")
    assert 'live <b>"Halved"</b> kim · 2026-11-24 12:00 UTC 1 changed' in read
    assert "<b>" not in page.text


def test_a_revision_shows_what_it_changed(stand: ChangeStand) -> None:
    assert "share 100 40" in text_of(stand.visitor().get("/console/revisions/2"))
    assert "Added campaign house" in text_of(stand.visitor().get("/console/revisions/1"))


@pytest.mark.parametrize("number", ["0", "9", "x", "-1", "1e3", "9" * 40, "\u0661"])
def test_what_is_no_revision_is_not_there(stand: ChangeStand, number: str) -> None:
    assert stand.visitor().get(f"/console/revisions/{number}").status_code == 404
    assert stand.visitor().get(f"/console/revisions/{number}/restore").status_code == 404


def test_restoring_shows_what_it_changes_and_asks_first(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    page = visitor.get(RESTORE)
    assert "share 40 100" in text_of(page)
    assert stand.revision == 2
    done = visitor.post(RESTORE, {**form_of(page, RESTORE), "message": "Back"})
    assert (done.status_code, done.location) == (303, "/console/revisions/3")
    assert stand.campaign("qwiket-season")["flights"][0]["share"] == 100  # type: ignore[index,call-overload]
    assert stand.publisher.history()[0].message == "Back"


def test_without_a_reason_the_history_says_what_was_restored(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    visitor.post(RESTORE, form_of(visitor.get(RESTORE), RESTORE))
    assert stand.publisher.history()[0].message == "Restore revision 1"


def test_restoring_over_what_nobody_looked_at_is_refused(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    form = form_of(visitor.get(RESTORE), RESTORE)
    halve(stand, "50", "")
    page = visitor.post(RESTORE, form)
    assert page.status_code == 409
    assert "revision 3 was published meanwhile" in text_of(page)
    assert "share 50 100" in text_of(page)
    assert stand.revision == 3


def test_restoring_needs_a_form_of_ours(stand: ChangeStand) -> None:
    visitor = stand.visitor()
    visitor.csrf = "forged"
    assert visitor.post(RESTORE, {"base": "2"}).status_code == 400
    assert stand.revision == 2


def test_what_is_live_cannot_be_restored(stand: ChangeStand) -> None:
    page = stand.visitor().get("/console/revisions/2/restore")
    assert "Nothing would change" in text_of(page)
    assert "<button" not in page.text.partition('id="main"')[2]


@pytest.mark.parametrize("role", [Role.ANALYST, Role.MARKETER])
def test_the_history_is_about_all_advertisers_so_bound_tokens_and_analysts_do_not_see_it(
    stand: ChangeStand, role: Role
) -> None:
    visitor = stand.visitor(role, "qwiket")
    for path in ("/console/revisions", "/console/revisions/1", RESTORE):
        assert visitor.get(path).status_code == 403
    assert visitor.post(RESTORE, {"base": "2"}).status_code == 403
    assert stand.revision == 2
