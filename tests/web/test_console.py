"""The console's frame: who gets in, for how long, and what no other site can do in their name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from flask import Blueprint
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adserver.access.office import TokenOffice
from adserver.access.token_store import MemoryTokenStore
from adserver.access.tokens import Role
from adserver.domain.errors import InputRefused
from adserver.web.app import AppParts, create_app
from adserver.web.auth import AdminTokenAuthenticator, TokenAuthenticator
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.sessions import COOKIE_NAME
from adserver.web.console.shell import CONSOLE_POLICY, ConsoleParts, current_caller, require_in_console
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit

ADMIN = "adsv_admin-token-of-these-tests"
HTML = {"Accept": "text/html,*/*;q=0.8"}


def pages() -> Section:
    """Return a page for all, one for admins, and a form."""
    blueprint = Blueprint("pages", __name__)
    blueprint.add_url_rule("/pages", "all", lambda: f"hello {current_caller().name}")
    blueprint.add_url_rule("/pages/admin", "admin", lambda: require_in_console(Role.ADMIN, unbound=True).name)
    blueprint.add_url_rule("/pages/send", "send", lambda: "sent", methods=["POST"])

    def fault() -> str:
        raise InputRefused(())

    blueprint.add_url_rule("/pages/fault", "fault", fault)
    entries = (
        Entry("All of them", "pages.all", "list", "See all."),
        Entry("Keys", "pages.admin", "key", "Admins only.", frozenset({Role.ADMIN})),
    )
    return Section(blueprint, entries)


@dataclass
class Console:
    """An application with a console, and browsers before it. For one thread."""

    now: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)
    keys: tuple[bytes, ...] = (b"k" * 32,)
    store: MemoryTokenStore = field(default_factory=MemoryTokenStore)
    seconds: float = 0.0
    mounted_at: str = ""

    def __post_init__(self) -> None:
        self.office = TokenOffice(self.store, lambda: self.now)
        self.signed_in: list[str] = []
        identities = TokenAuthenticator(AdminTokenAuthenticator(ADMIN), self.store.read, lambda: self.now)
        limit = CallLimit(lambda: self.seconds, calls_a_second=0.2, burst=10)
        parts = ConsoleParts(
            identities,
            self.keys,
            lambda: self.now,
            limit,
            (pages(),),
            on_sign_in=lambda who: self.signed_in.append(who.name),
        )
        self.app = create_app(AppParts((), HostRules(), console=parts, mounted_at=self.mounted_at))

    def browser(self) -> "Browser":
        return Browser(self.app.test_client())

    def make(self, role: Role = Role.ANALYST, *advertisers: str, days: int | None = None) -> str:
        return self.office.make("Kim", role, advertisers, days, by="ops").token


@dataclass
class Browser:
    """A browser with its cookies. For one thread."""

    client: FlaskClient

    def get(self, path: str, **fields: object) -> TestResponse:
        return self.client.get(path, headers=HTML, buffered=True, **fields)

    def csrf(self, path: str = "/console/sign-in") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return found[1]

    def send(self, path: str, form: Mapping[str, str], **fields: object) -> TestResponse:
        return self.client.post(path, data=form, headers=HTML, **fields)

    def sign_in(self, token: str, **form: str) -> TestResponse:
        return self.send("/console/sign-in", {"csrf_token": self.csrf(), "token": token, **form})


def signed_in(console: Console, token: str = ADMIN) -> Browser:
    browser = console.browser()
    assert browser.sign_in(token).status_code == 303
    return browser


class TestSignIn:
    def test_nobody_gets_in_who_has_not_signed_in(self) -> None:
        browser = Console().browser()
        for path in ("/console/", "/console/pages", "/console/pages/admin", "/console/nowhere"):
            answer = browser.get(path)
            assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/console/sign-in"), path
        assert browser.send("/console/pages/send", {}).status_code == 303

    def test_a_valid_token_leads_to_the_page_that_was_wanted(self) -> None:
        console = Console()
        browser = console.browser()
        wanted = browser.get("/console/pages?a=1").location
        page = browser.get(wanted)
        assert 'name="next" value="/console/pages?a=1"' in page.text
        answer = browser.sign_in(ADMIN, next="/console/pages?a=1")
        assert (answer.status_code, answer.location) == (303, "/console/pages?a=1")
        assert browser.get("/console/pages").text == "hello admin"
        assert console.signed_in == ["admin"]

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil/",
            "//evil.example/",
            "/\\evil.example",
            "/console/\\..",
            "/v1/slots",
            "javascript:1",
            "/console/\nX: y",
        ],
    )
    def test_it_leads_nowhere_else(self, elsewhere: str) -> None:
        assert Console().browser().sign_in(ADMIN, next=elsewhere).location == "/console/"

    @pytest.mark.parametrize("token", ["", "adsv_no", "x" * 600, "\ud800".encode("utf-8", "replace").decode()])
    def test_anything_else_is_told_and_lets_nobody_in(self, token: str) -> None:
        browser = Console().browser()
        answer = browser.sign_in(token)
        assert answer.status_code == 403
        assert "This token is not valid" in answer.text
        assert token == "" or token not in answer.text
        assert browser.get("/console/").status_code == 303

    def test_an_address_tries_only_so_many_and_a_valid_token_always_passes(self) -> None:
        console = Console()
        browser = console.browser()
        statuses = [browser.sign_in("adsv_wrong").status_code for _ in range(12)]
        assert statuses == [403] * 10 + [429] * 2
        assert browser.sign_in("adsv_wrong").headers["Retry-After"] == "5"
        console.seconds += 5
        assert browser.sign_in("adsv_wrong").status_code == 403
        assert browser.sign_in(ADMIN).status_code == 303

    def test_signing_out_ends_it(self) -> None:
        browser = signed_in(Console())
        assert browser.send("/console/sign-out", {"csrf_token": browser.csrf("/console/")}).status_code == 303
        assert browser.get("/console/").status_code == 303


class TestSession:
    def test_the_cookie_is_for_the_console_only_and_out_of_reach_of_scripts(self) -> None:
        browser = Console().browser()
        answer = browser.sign_in(ADMIN)
        [cookie] = answer.headers.getlist("Set-Cookie")
        assert cookie.startswith(f"{COOKIE_NAME}=")
        assert {"HttpOnly", "SameSite=Lax", "Path=/console/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie.split("; ")
        assert ADMIN not in cookie

    def test_over_https_the_cookie_stays_on_https(self) -> None:
        browser = Console().browser()
        page = browser.client.get("/console/sign-in", base_url="https://localhost/")
        assert "Secure" in page.headers["Set-Cookie"].split("; ")

    def test_under_a_path_of_another_host_it_stays_under_that_path(self) -> None:
        browser = Console(mounted_at="/sponsors").browser()
        page = browser.get("/sponsors/console/pages")
        assert page.location == "/sponsors/console/sign-in?next=/console/pages"
        answer = browser.get("/sponsors/console/sign-in")
        assert "Path=/sponsors/console/" in answer.headers["Set-Cookie"].split("; ")
        assert 'href="/sponsors/bootstrap/static/css/bootstrap.min.css"' in answer.text

    def test_it_lasts_twelve_hours_whatever_is_done_meanwhile(self) -> None:
        console = Console()
        browser = signed_in(console)
        console.now += timedelta(hours=11, minutes=59)
        assert browser.get("/console/").status_code == 200
        console.now += timedelta(minutes=1)
        assert browser.get("/console/").status_code == 303

    def test_it_ends_when_its_token_is_revoked(self) -> None:
        console = Console()
        browser = signed_in(console, console.make())
        assert browser.get("/console/").status_code == 200
        console.office.revoke("Kim", by="boss")
        assert browser.get("/console/").status_code == 303

    def test_it_ends_when_its_token_expires(self) -> None:
        console = Console(now=datetime(2026, 11, 24, 12, tzinfo=UTC))
        token = console.make(days=1)
        console.now += timedelta(hours=23)
        browser = signed_in(console, token)
        console.now += timedelta(hours=1)
        assert browser.get("/console/").status_code == 303

    def test_a_cookie_of_other_keys_is_nobodys_and_one_of_an_older_key_still_holds(self) -> None:
        first = Console()
        browser = signed_in(first)
        cookie = browser.client.get_cookie(COOKIE_NAME, path="/console/")
        assert cookie is not None
        for keys, status in (((b"n" * 32, b"k" * 32), 200), ((b"n" * 32,), 303)):
            other = Console(keys=keys).browser()
            other.client.set_cookie(COOKIE_NAME, cookie.value, path="/console/")
            assert other.get("/console/").status_code == status

    def test_no_other_call_reads_or_sets_a_cookie(self) -> None:
        console = Console()
        browser = signed_in(console)
        for path in ("/v1/campaigns", "/bootstrap/static/css/bootstrap.min.css"):
            with browser.get(path) as answer:
                assert "Set-Cookie" not in answer.headers
                assert "Cookie" not in answer.headers.get("Vary", "")


class TestForms:
    @pytest.mark.parametrize("form", [{}, {"csrf_token": "made up"}])
    def test_a_form_of_another_site_does_nothing(self, form: dict[str, str]) -> None:
        browser = signed_in(Console())
        answer = browser.send("/console/pages/send", form)
        assert answer.status_code == 400
        assert "no longer valid" in answer.text

    def test_neither_does_a_sign_in_of_another_site(self) -> None:
        console = Console()
        browser = console.browser()
        assert browser.send("/console/sign-in", {"token": ADMIN}).status_code == 400
        assert console.signed_in == []

    def test_a_token_of_another_session_does_not_pass(self) -> None:
        console = Console()
        one, other = signed_in(console), signed_in(console)
        assert one.send("/console/pages/send", {"csrf_token": other.csrf("/console/")}).status_code == 400
        assert one.send("/console/pages/send", {"csrf_token": one.csrf("/console/")}).text == "sent"

    def test_signing_in_makes_a_new_session(self) -> None:
        browser = Console().browser()
        before = browser.csrf()
        browser.sign_in(ADMIN)
        assert browser.send("/console/pages/send", {"csrf_token": before}).status_code == 400


class TestPages:
    def test_the_navigation_shows_what_a_caller_may_open(self) -> None:
        console = Console()
        admin, analyst = signed_in(console), signed_in(console, console.make())
        assert [title in admin.get("/console/").text for title in ("All of them", "Keys")] == [True, True]
        assert [title in analyst.get("/console/").text for title in ("All of them", "Keys")] == [True, False]

    def test_a_page_of_another_role_is_forbidden_as_a_page(self) -> None:
        console = Console()
        answer = signed_in(console, console.make()).get("/console/pages/admin")
        assert (answer.status_code, answer.mimetype) == (403, "text/html")
        assert "Not allowed" in answer.text

    def test_a_bound_token_is_told_whose_things_it_sees(self) -> None:
        console = Console()
        page = signed_in(console, console.make(Role.MARKETER, "qwiket", "acme")).get("/console/").text
        assert "for acme, qwiket" in page

    @pytest.mark.parametrize(("path", "status"), [("/console/nowhere", 404), ("/console/pages/fault", 422)])
    def test_problems_are_pages(self, path: str, status: int) -> None:
        answer = signed_in(Console()).get(path)
        assert (answer.status_code, answer.mimetype) == (status, "text/html")
        assert "To the overview" in answer.text

    def test_every_page_has_the_policy_and_is_kept_by_no_cache(self) -> None:
        browser = signed_in(Console())
        for path in ("/console/", "/console/nowhere", "/console/sign-in", "/console/pages"):
            headers = browser.get(path).headers
            assert headers["Content-Security-Policy"] == CONSOLE_POLICY
            assert headers["Cache-Control"] == "no-store"

    def test_nothing_is_inline_and_nothing_comes_from_elsewhere(self) -> None:
        browser = signed_in(Console())
        for path in ("/console/", "/console/nowhere", "/console/sign-in"):
            page = browser.get(path).text
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=)|javascript:", page)
            assert re.findall(r'(?:src|href|action)="(?!/|#)[^"]*"', page) == []

    def test_its_files_are_served(self) -> None:
        browser = Console().browser()
        page = browser.get("/console/sign-in").text
        files = re.findall(r'(?:src|href)="(/(?:console/static|bootstrap)[^"]+)"', page)
        assert len(files) == 5
        for path in files:
            with browser.get(path) as answer:
                assert answer.status_code == 200, path
