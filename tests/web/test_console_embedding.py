"""The console's page of snippets: the right one for a slot, what it shows now, and no trace of that."""

import re
from datetime import UTC, datetime
from html import unescape

from delivery_stand import LONG, OnePlace, Stand, make_catalog, make_creative, make_variants
from flask.testing import FlaskClient

from adserver.access.office import TokenOffice
from adserver.access.token_store import MemoryTokenStore
from adserver.access.tokens import Role
from adserver.web.app import AppParts, create_app
from adserver.web.auth import AdminTokenAuthenticator, TokenAuthenticator
from adserver.web.console.embedding import embedding_section
from adserver.web.console.shell import ConsoleParts
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit

ADMIN = "adsv_admin-token-of-these-tests"
PATH = "/console/embedding"


def now() -> datetime:
    return datetime(2026, 11, 24, 12, tzinfo=UTC)


def signed_in(
    stand: Stand, public_url: str | None = None, *, token: str = ADMIN, store: MemoryTokenStore | None = None
) -> FlaskClient:
    """Return the browser of somebody who has signed in."""
    snapshot = stand.catalog.snapshot
    assert snapshot is not None
    section = embedding_section(stand.deliverer, OnePlace(), lambda: tuple(snapshot.slots), public_url)
    tokens = store or MemoryTokenStore()
    identities = TokenAuthenticator(AdminTokenAuthenticator(ADMIN), tokens.read, now)
    parts = ConsoleParts(identities, (b"k" * 32,), now, CallLimit(lambda: 0.0), (section,))
    client = create_app(AppParts((), HostRules(), console=parts)).test_client()
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/console/sign-in").text)
    assert csrf is not None
    assert client.post("/console/sign-in", data={"csrf_token": csrf[1], "token": token}).status_code == 303
    return client


def test_it_prints_the_snippets_of_a_slot_and_what_it_shows_now() -> None:
    stand = Stand()
    page = signed_in(stand, "https://sponsors.example").get(f"{PATH}?slot=sidebar&location=Remer,MN").text
    assert '<sponsor-slot name="sidebar" location="Remer,MN">' in unescape(page)
    assert 'src="https://sponsors.example/slot.js"' in unescape(page)
    assert LONG in page
    assert "At Remer, MN." in page
    assert 'href="https://qwiket.com/"' in page


def test_looking_at_it_leaves_no_trace_and_loads_no_beacon() -> None:
    stand = Stand()
    page = signed_in(stand).get(f"{PATH}?slot=masthead&location=Remer,MN").text
    assert LONG in page
    assert stand.recorder.all == []
    assert "<img" not in page
    assert "/v1/seen" not in page


def test_without_a_sponsor_it_says_why_and_of_a_place_that_is_none_so() -> None:
    client = signed_in(Stand())
    assert "No sponsor (<code>slot</code>)" in client.get(f"{PATH}?slot=political&location=Remer,MN").text
    page = client.get(f"{PATH}?slot=masthead&location=Nowhere").text
    assert "“Nowhere” is no place" in page


def test_the_first_slot_shows_where_none_or_an_unknown_one_is_asked_for() -> None:
    client = signed_in(Stand())
    for query in ("", "?slot=nowhere", "?slot=%3Cscript%3E", "?topic=" + ",".join(map(str, range(30)))):
        answer = client.get(PATH + query)
        assert answer.status_code == 200
        assert '<option value="article-bottom" selected>' in answer.text


def test_what_is_typed_and_what_a_sponsor_wrote_is_text() -> None:
    hostile = '"><script>alert(1)</script>'
    stand = Stand(make_catalog(make_creative(make_variants(hostile, hostile, hostile))))
    page = signed_in(stand).get(PATH, query_string={"slot": "masthead", "location": hostile, "topic": hostile}).text
    assert "<script>alert" not in page
    assert "<script>alert" not in signed_in(stand).get(f"{PATH}?slot=masthead&location=Remer,MN").text


def test_a_token_bound_to_advertisers_does_not_get_there() -> None:
    store = MemoryTokenStore()
    token = TokenOffice(store, now).make("Kim", Role.MARKETER, ("qwiket",), None, by="ops").token
    assert signed_in(Stand(), token=token, store=store).get(PATH).status_code == 403
