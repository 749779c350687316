"""Alerts in the API and the console: who sees which, as words, and nothing of another advertiser."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alert_scenes import make_alert
from flask.testing import FlaskClient

from adserver.access.office import TokenOffice
from adserver.access.token_store import MemoryTokenStore
from adserver.access.tokens import Role
from adserver.alerts.alert import Alert, AlertKind
from adserver.alerts.book import NO_BOOK, settle, turn
from adserver.alerts.book_file import BookWatch, write_book
from adserver.web.alerts import alerts_blueprint
from adserver.web.app import AppParts, create_app
from adserver.web.auth import AdminTokenAuthenticator, Principal, TokenAuthenticator
from adserver.web.console.alerts import alerts_notice, alerts_section
from adserver.web.console.shell import ConsoleParts
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit

ADMIN = "adsv_admin-token-of-these-tests"
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
BEHIND = make_alert(campaign="qwiket-season", flight="minnesota")
ACME = make_alert("ending_soon:iowa", title="Acme autumn: flight iowa ends today", advertisers=("acme",))
BOTH = make_alert("over_booked:masthead", title="Slot masthead is over-booked", advertisers=("acme", "qwiket"))
GAPS = make_alert("gaps", title="Events are missing from the counts", advertisers=())


class Stand:
    """A data folder with alerts, and an application that shows them."""

    def __init__(self, folder: Path, ways: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.now = NOW
        self.tokens = MemoryTokenStore()
        identities = TokenAuthenticator(AdminTokenAuthenticator(ADMIN), self.tokens.read, self.clock)
        book = BookWatch(folder).current
        sections = (alerts_section(book, self.clock, ways),)
        console = ConsoleParts(identities, (b"k" * 32,), self.clock, CallLimit(lambda: 0.0), sections)
        self.app = create_app(AppParts((alerts_blueprint(book, identities),), HostRules(), console=console))

    def clock(self) -> datetime:
        return self.now

    def hold(self, *alerts: Alert) -> None:
        write_book(self.folder, turn(NO_BOOK, alerts, NOW.timestamp(), ["mail"]))

    def token(self, role: Role, *advertisers: str) -> str:
        name = "-".join((role, *advertisers))
        return TokenOffice(self.tokens, self.clock).make(name, role, advertisers, None, by="ops").token

    def ids(self, token: str = ADMIN) -> list[str]:
        """Return the ids of the alerts that the API shows."""
        answer = self.app.test_client().get("/v1/alerts", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        assert answer.json is not None
        return [alert["id"] for alert in answer.json["alerts"]]

    def page(self, token: str = ADMIN) -> str:
        """Return the console's page."""
        client: FlaskClient = self.app.test_client()
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/console/sign-in").text)
        assert csrf is not None
        client.post("/console/sign-in", data={"csrf_token": csrf[1], "token": token})
        answer = client.get("/console/alerts")
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def test_the_api_shows_all_of_an_alert(stand: Stand) -> None:
    stand.hold(BEHIND)
    answer = stand.app.test_client().get("/v1/alerts", headers={"Authorization": f"Bearer {ADMIN}"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "at": "2026-11-24T15:00:00Z",
        "unlisted": 0,
        "alerts": [
            {
                "id": "behind_plan:minnesota",
                "kind": "behind_plan",
                "severity": "warning",
                "title": BEHIND.title,
                "text": BEHIND.text,
                "advice": BEHIND.advice,
                "advertisers": ["qwiket"],
                "campaign": "qwiket-season",
                "flight": "minnesota",
                "slot": None,
                "since": "2026-11-24T15:00:00Z",
            }
        ],
    }


def test_before_anybody_looked_there_is_no_time(stand: Stand) -> None:
    answer = stand.app.test_client().get("/v1/alerts", headers={"Authorization": f"Bearer {ADMIN}"})
    assert answer.json == {"at": None, "alerts": [], "unlisted": 0}
    assert "Nobody has looked yet" in stand.page()


def test_nobody_sees_them_without_a_token(stand: Stand) -> None:
    client = stand.app.test_client()
    assert client.get("/v1/alerts").status_code == 401
    assert client.get("/console/alerts").status_code == 303


@pytest.mark.parametrize("role", Role)
def test_every_role_sees_them_and_a_bound_token_those_of_its_advertisers_alone(stand: Stand, role: Role) -> None:
    alerts = (GAPS, BEHIND, ACME, BOTH)
    stand.hold(*alerts)
    assert stand.ids(stand.token(role)) == [alert.id for alert in alerts]
    if role is Role.ADMIN:
        return
    assert stand.ids(stand.token(role, "qwiket")) == [BEHIND.id]
    assert stand.ids(stand.token(role, "acme", "qwiket")) == [BEHIND.id, ACME.id, BOTH.id]
    page = stand.page(stand.token(role, "acme"))
    assert ACME.title in page
    assert [
        word for word in ("minnesota", "over-booked<", "missing", "How they are sent", "qwiket") if word in page
    ] == []


def test_what_the_keeper_finds_next_is_shown_next(stand: Stand) -> None:
    stand.hold(BEHIND)
    assert stand.ids() == [BEHIND.id]
    stand.hold(GAPS)
    assert stand.ids() == [GAPS.id]
    (stand.folder / "alerts.json").write_text("{")
    assert stand.ids() == []


class TestPage:
    def test_it_says_what_matters_and_what_to_do_and_counts_in_the_navigation(self, stand: Stand) -> None:
        stand.hold(GAPS, BEHIND)
        page = stand.page()
        assert page.index("Act today") < page.index(GAPS.title) < page.index("Look at these") < page.index(BEHIND.title)
        assert "See who wins in its place with <code>adserver explain</code>." in page
        assert re.search(r'Alerts <span class="badge[^"]*">2</span>', page)
        assert "since <time" in page

    def test_without_any_it_says_so(self, stand: Stand) -> None:
        stand.hold()
        page = stand.page()
        assert "All is well" in page
        assert not re.search(r"Alerts <span", page)

    @pytest.mark.parametrize(("minutes", "is_told"), [(4, False), (6, True)])
    def test_it_tells_where_nobody_looks_any_more(self, stand: Stand, minutes: int, *, is_told: bool) -> None:
        stand.hold(BEHIND)
        stand.now += timedelta(minutes=minutes)
        assert ("Nobody has looked since 2026-11-24 15:00 UTC" in stand.page()) is is_told

    def test_it_tells_whether_they_are_sent(self, tmp_path: Path) -> None:
        book = turn(NO_BOOK, [GAPS], NOW.timestamp(), ["mail", "webhook"])
        write_book(tmp_path, settle(book, "mail", {book.to_send[0].notice.id: False}, NOW.timestamp()))
        page = Stand(tmp_path, ("webhook", "mail")).page()
        assert page.count("does not get through") == 1
        assert page.index("Webhook") < page.index("Mail") < page.index("does not get through")
        assert "They stand here only" in Stand(tmp_path).page()

    def test_names_are_text(self, stand: Stand) -> None:
        hostile = '"><script>alert(1)</script>'
        stand.hold(make_alert(title=hostile, text=hostile, advice=hostile))
        assert "<script>alert" not in stand.page()

    @pytest.mark.parametrize("kind", AlertKind)
    def test_every_kind_has_its_name(self, stand: Stand, kind: AlertKind) -> None:
        stand.hold(make_alert(f"{kind}:x"))
        assert 'class="alert-kind' in stand.page()


def test_the_overview_has_the_first_three(stand: Stand) -> None:
    caller = Principal("kim", Role.MARKETER)
    with stand.app.test_request_context("/console/"):
        notice = alerts_notice(BookWatch(stand.folder).current)
        assert notice(caller) == ""
        stand.hold(GAPS, BEHIND, BOTH, ACME)
        part = notice(caller)
    assert [title in part for title in (GAPS.title, BEHIND.title, BOTH.title, ACME.title)] == [True, True, True, False]
    assert "All alerts, 1 more" in part
