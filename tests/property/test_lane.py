"""The lane answers as Flask's views do, byte for byte, and leaves the same behind."""

import itertools
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest
from delivery_stand import Stand, make_catalog, make_site
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from adserver.counting.issuer import Issuer
from adserver.web.app import AppParts, create_app
from adserver.web.delivery import delivery_blueprint
from adserver.web.hosts import HostRules

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Answer = tuple[str, list[tuple[str, str]], bytes]
PUBLIC: Final = "https://sponsors.example/s"
USUAL: Final = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/",
    "QUERY_STRING": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8080",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "HTTP_HOST": "127.0.0.1:8080",
    "HTTP_USER_AGENT": "Mozilla/5.0",
    "HTTP_X_REQUEST_ID": "one-for-both",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


class Numbered(Issuer):
    """An issuer that two stands can share the numbers of."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count()

    def next(self, shard: int) -> tuple[bytes, int]:
        return b"issuer", next(self._numbers)


class Pair:
    """The same stand twice, once with the lane in front; every request goes to both."""

    def __init__(self, public_url: str | None = None) -> None:
        self.reached_flask = 0
        hosts = HostRules(public_url, frozenset({"ads.example"}))
        catalog = make_catalog(site=make_site(label="Sponsor <&>"))
        self.lane, self.views = (Stand(catalog, public_url=public_url, issuer=Numbered()) for _ in range(2))
        self.lane_app, self.views_app = (
            create_app(
                AppParts(
                    (delivery_blueprint(stand.calls, stand.clicks),),
                    hosts,
                    lane=stand.calls if stand is self.lane else None,
                )
            )
            for stand in (self.lane, self.views)
        )
        self.lane_app.before_request_funcs[None].insert(0, self._note)

    def _note(self) -> None:
        self.reached_flask += 1

    def ask(self, environ: "WSGIEnvironment", body: bytes = b"") -> Answer:
        """Return the answer of both, which must be one."""
        by_lane = call(self.lane_app, environ, body)
        by_views = call(self.views_app, environ, body)
        assert by_lane == by_views
        assert self.lane.recorder.all == self.views.recorder.all
        assert len(self.lane.recorder.times) == len(self.views.recorder.times)
        return by_lane

    def token(self) -> str:
        """Return a token that was issued."""
        _, _, body = self.ask(usual("/v1/slots/masthead", "location=Remer,MN"))
        token: str = json.loads(body)["token"]
        return token


def call(app: Flask, environ: "WSGIEnvironment", body: bytes) -> Answer:
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], object]:
        started.append((status, list(headers)))
        return bytes

    own = {**environ, "wsgi.input": BytesIO(body), "wsgi.errors": BytesIO()}
    chunks = app(own, start_response)
    sent = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    ((status, headers),) = started
    return status, headers, sent


def usual(path: str, query: str = "", **changes: object) -> "WSGIEnvironment":
    """Return a request as gunicorn hands it over; the path is decoded, the query is not."""
    return {**USUAL, "PATH_INFO": path, "QUERY_STRING": query, **changes}


def posting(path: str, body: bytes) -> "WSGIEnvironment":
    """Return a request with a body."""
    return usual(path, REQUEST_METHOD="POST", CONTENT_LENGTH=str(len(body)), CONTENT_TYPE="text/plain")


LATIN: Final = st.text(st.characters(max_codepoint=255), max_size=12)
SLOTS: Final = st.sampled_from(
    ("masthead", "sidebar", "political", "no-such", "a" * 64, "a" * 65, "Masthead", "-a", "a_b", "")
)
SLOT_PATHS: Final = st.builds(
    "{}{}{}".format,
    st.sampled_from(("/v1/slots/", "/v1/slots/", "/v1//slots/", "/v1/frames/", "//v1/slots/", "/v1/slots")),
    SLOTS | LATIN,
    st.sampled_from(("", "", ".html", ".htm", ".html\n", ".html.html", "/", ".gif")),
)
BEACON_PATHS: Final = st.builds(
    "/v1/seen/{}{}".format,
    st.sampled_from(("x", "a" * 74, "a/b", "a" * 97)) | LATIN,
    st.sampled_from((".gif", "")),
)
OTHER_PATHS: Final = st.sampled_from(("/go/x", "/slot.js", "/slot.css", "/v1/seen", "/v1/decisions", "/")) | LATIN
VALUES: Final = st.sampled_from(
    (*("", "Remer,MN", "Nowhere,ZZ", "a" * 201, "short", "long", "auto", "big"),
     *("5", "64", "0", "obits", "x,y,,z", "qwiket", "\u00e9")),
) | st.text(max_size=8)  # fmt: skip
QUERY_NAMES: Final = st.sampled_from(("location", "topic", "variant", "max_chars", "exclude", "v", "other", "Location"))
HOSTS: Final = st.sampled_from(
    (*("127.0.0.1:8080", "localhost", "ads.example", "ADS.example.:443", "ads.example:80", "evil.example"),
     *("[::1]:8080", "::1", "a..b", "a" * 64 + ".b", "-a.b", "a_b", "ads.example:x", "ads.example:123456"),
     *("\u00e9.example", "", ".", "1.2.3.4", "x" * 300)),
)  # fmt: skip
EXTRAS: Final = st.dictionaries(
    st.sampled_from(
        (*("HTTP_SEC_PURPOSE", "HTTP_USER_AGENT", "HTTP_UPGRADE", "HTTP_CONNECTION", "HTTP_X_FORWARDED_HOST"),
         *("HTTP_TRANSFER_ENCODING", "HTTP_COOKIE", "HTTP_ORIGIN", "HTTP_ACCEPT", "HTTP_IF_NONE_MATCH", "HTTP_RANGE")),
    ),
    st.sampled_from(("", "prefetch", "websocket", "Upgrade", "evil.example", "*", "text/html", "bytes=0-1", "chunked")),
    max_size=2,
)  # fmt: skip


@st.composite
def query_strings(draw: st.DrawFn) -> str:
    """Return a query as WSGI has it, with bytes as they are or percent-encoded."""
    written = []
    for name in draw(st.lists(QUERY_NAMES, max_size=4)):
        value = draw(VALUES).encode(errors="replace")
        written.append(f"{name}={value.decode('latin-1') if draw(st.booleans()) else quote(value)}")
    return "&".join(written)


ODD_QUERIES: Final = LATIN | st.sampled_from(("location=%ff%00", "location=%", "&&", "=", "topic"))


@st.composite
def requests(draw: st.DrawFn) -> "WSGIEnvironment":
    """Return a request: most are nearly usual."""
    environ: WSGIEnvironment = {
        **USUAL,
        "REQUEST_METHOD": draw(st.sampled_from(("GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "PUT", "get"))),
        "PATH_INFO": draw(SLOT_PATHS | BEACON_PATHS | OTHER_PATHS),
        "QUERY_STRING": draw(query_strings() | ODD_QUERIES),
        "SCRIPT_NAME": draw(st.sampled_from(("", "", "/prefix", "/a b", "/\u00c3\u00a9", "/x/"))),
        "SERVER_PROTOCOL": draw(st.sampled_from(("HTTP/1.1", "HTTP/1.0"))),
        "HTTP_HOST": draw(HOSTS),
        "wsgi.url_scheme": draw(st.sampled_from(("http", "https"))),
        **draw(EXTRAS),
    }
    if draw(st.integers(0, 9)) == 0:
        del environ["HTTP_HOST"]
    return environ


PAIRS: Final = {public: Pair(public) for public in (None, PUBLIC)}


@given(public=st.sampled_from((None, PUBLIC)), environ=requests())
def test_lane_and_views_give_one_answer(public: str | None, environ: "WSGIEnvironment") -> None:
    PAIRS[public].ask(environ)


SLOT_BODIES: Final = st.fixed_dictionaries(
    {"id": st.sampled_from(("a", "b", "c")), "slot": SLOTS},
    optional={"variant": VALUES, "max_chars": st.integers(-1, 200)},
)
PAGES: Final = st.fixed_dictionaries(
    {"slots": st.lists(SLOT_BODIES, max_size=3)},
    optional={"location": VALUES, "topics": st.lists(VALUES, max_size=2), "exclude": st.lists(VALUES, max_size=2)},
)
EVENTS: Final = st.fixed_dictionaries(
    {
        "events": st.lists(
            st.fixed_dictionaries({"token": VALUES, "kind": st.sampled_from(("seen", "viewable", "click"))}),
            max_size=3,
        )
    }
)
BODIES: Final = (
    PAGES.map(json.dumps).map(str.encode)
    | EVENTS.map(json.dumps).map(str.encode)
    | st.binary(max_size=9)
    | st.just(b"[" * 70_000)
)
LENGTHS: Final = st.sampled_from((None, None, None, "", "-1", "+1", "x", "\u0663", "999999999999"))


@given(
    path=st.sampled_from(("/v1/decisions", "/v1/seen")),
    body=BODIES,
    off=st.sampled_from((0, 0, 0, -1, 1)),
    length=LENGTHS,
    extra=EXTRAS,
)
def test_lane_and_views_give_one_answer_to_what_is_posted(
    path: str, body: bytes, off: int, length: str | None, extra: dict[str, str]
) -> None:
    declared = str(max(0, len(body) + off)) if length is None else length
    PAIRS[None].ask({**posting(path, body), **extra, "CONTENT_LENGTH": declared}, body)


@pytest.mark.parametrize("public", [None, PUBLIC])
def test_an_issued_token_is_taken_alike(public: str | None) -> None:
    pair = Pair(public)
    for query in ("", "variant=short", "variant=short&variant=long", "variant=x"):
        pair.ask(usual(f"/v1/seen/{pair.token()}.gif", query))
    body = json.dumps({"events": [{"token": pair.token(), "kind": "viewable", "variant": "name"}]}).encode()
    pair.ask(posting("/v1/seen", body), body)
    assert [event.verdict for event in pair.lane.recorder.events] == [None] * 5
    assert len({event.reported for event in pair.lane.recorder.events}) == 3


def usual_calls() -> Iterator[tuple["WSGIEnvironment", bytes]]:
    yield usual("/v1/slots/masthead", "location=Remer,MN"), b""
    yield usual("/v1/slots/political"), b""
    yield usual("/v1/slots/masthead.html", "location=Remer%2CMN&variant=short"), b""
    yield usual("/v1/slots/political.html", "topic=a&topic=b"), b""
    yield usual("/v1/seen/" + "a" * 74 + ".gif", "variant=long"), b""
    for path, body in (("/v1/decisions", b'{"slots": []}'), ("/v1/seen", b'{"events": []}')):
        yield posting(path, body), body


@pytest.mark.parametrize(("environ", "body"), list(usual_calls()))
def test_a_usual_call_never_reaches_flask(environ: "WSGIEnvironment", body: bytes) -> None:
    pair = Pair()
    status, _, _ = pair.ask(environ, body)
    assert status[:3] in ("200", "204")
    assert pair.reached_flask == 0


UNUSUAL: Final = {
    "HEAD": usual("/v1/slots/masthead", REQUEST_METHOD="HEAD"),
    "foreign host": usual("/v1/slots/masthead", HTTP_HOST="evil.example"),
    "a length that is none": usual("/v1/slots/masthead", "variant=big"),
    "a slot that is none": usual("/v1/slots/Masthead"),
    "a line's end": usual("/v1/slots/masthead\n"),
    "a host without a port's number": usual("/v1/slots/masthead", HTTP_HOST="localhost:"),
    "a websocket": usual("/v1/slots/masthead", HTTP_UPGRADE="websocket", HTTP_CONNECTION="Upgrade"),
    "a body beside a query": usual("/v1/slots/masthead", HTTP_TRANSFER_ENCODING="chunked"),
}


@pytest.mark.parametrize("environ", UNUSUAL.values(), ids=UNUSUAL)
def test_an_unusual_call_is_flasks(environ: "WSGIEnvironment") -> None:
    pair = Pair()
    pair.ask(environ)
    assert pair.reached_flask == 1


@pytest.mark.parametrize("host", ["a..b", ".a", "a" * 64, "-a", "[::1", "\u00e9"])
def test_a_host_that_flask_has_its_own_mind_about_is_flasks(host: str) -> None:
    pair = Pair(PUBLIC)
    pair.ask(usual("/v1/slots/masthead", "location=Remer,MN", HTTP_HOST=host))
    assert pair.reached_flask == 1


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/seen"])
def test_a_body_that_breaks_off_is_flasks_to_refuse(path: str) -> None:
    body = b'{"slots": []}' if path == "/v1/decisions" else b'{"events": []}'
    longer = {**posting(path, body), "CONTENT_LENGTH": str(len(body) + 1)}
    assert Pair().ask(longer, body)[0] == "400 BAD REQUEST"


@pytest.mark.parametrize(
    "changed", [{"SCRIPT_NAME": "/prefix"}, {"HTTP_HOST": "localhost"}, {"wsgi.url_scheme": "https"}]
)
def test_links_are_those_of_the_address_that_was_asked(changed: dict[str, str]) -> None:
    pair = Pair()
    asked = usual("/v1/slots/masthead", "location=Remer,MN")
    links = [
        json.loads(pair.ask(environ)[2])["click_url"].partition("/go/")[0] for environ in (asked, {**asked, **changed})
    ]
    assert links[0] == "http://127.0.0.1:8080"
    assert links[1] != links[0]


def test_a_fault_behind_the_lane_is_no_fill() -> None:
    pair = Pair()
    pair.lane.recorder.fault = pair.views.recorder.fault = OSError("the disk is full")
    status, headers, _ = pair.ask(usual("/v1/slots/masthead", "location=Remer,MN"))
    assert (status, dict(headers)["Sponsor-No-Fill"]) == ("204 NO CONTENT", "unknown_slot")
    assert pair.ask(usual(f"/v1/seen/{'a' * 74}.gif"))[0] == "200 OK"


def test_a_fault_behind_a_pages_decisions_is_no_fill_in_each_of_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("adserver.web.serving.decide_page")
    body = json.dumps({"slots": [{"id": each, "slot": "masthead"} for each in "ab"]}).encode()
    status, _, sent = Pair().ask(posting("/v1/decisions", body), body)
    assert (status, json.loads(sent)["decisions"]) == ("200 OK", {"a": None, "b": None})
