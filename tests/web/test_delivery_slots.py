"""Slots, frames and a page's one call."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest
from delivery_stand import LONG, NAME, REMER, SHORT, Stand, make_catalog, make_creative, make_site, make_variants
from werkzeug.test import TestResponse

from adserver.domain.ids import Kind, id_hash
from adserver.domain.variants import Variant

REMER_QUERY = "?location=Remer,MN"
TOKEN = r"[A-Za-z0-9_-]{1,96}"
FORMS = ["/v1/slots/{}", "/v1/slots/{}.html", "/v1/frames/{}"]


def assert_not_stored(answer: TestResponse) -> None:
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Surrogate-Control"] == "no-store"


def test_json_names_the_fill_with_links_to_this_host() -> None:
    answer = Stand().client().get("/v1/slots/masthead" + REMER_QUERY, base_url="https://ads.example/prefix")
    body = answer.get_json()
    assert answer.status_code == 200
    assert (body["variant"], body["text"]) == ("long", LONG)
    assert body["place"] == {"id": "us-mn-remer", "name": "Remer, MN"}
    assert re.fullmatch(TOKEN, body["token"])
    assert body["click_url"] == f"https://ads.example/prefix/go/{body['token']}?v=long"
    assert body["seen_url"] == f"https://ads.example/prefix/v1/seen/{body['token']}.gif?variant=long"
    assert f'href="https://ads.example/prefix/go/{body["token"]}"' in body["html"]


def test_links_name_the_public_address_where_it_is_set() -> None:
    client = Stand(public_url="https://sponsors.example/s").client()
    body = client.get("/v1/slots/masthead" + REMER_QUERY, base_url="http://10.0.0.7").get_json()
    assert body["click_url"].startswith("https://sponsors.example/s/go/")
    assert "10.0.0.7" not in json.dumps(body)


def test_a_fill_is_counted_with_what_was_asked() -> None:
    stand = Stand()
    body = stand.client().get("/v1/slots/masthead?location=Remer,MN&topic=Lake+News,b&variant=short").get_json()
    (token,) = stand.recorder.fills
    assert stand.codec.decode(body["token"]) == token
    assert token.slot == id_hash(Kind.SLOT, "masthead")
    assert token.flight == id_hash(Kind.FLIGHT, "minnesota")
    assert token.creative == id_hash(Kind.CREATIVE, "elevate")
    assert token.place == id_hash(Kind.PLACE, REMER.id)
    assert token.topic == Kind.TOPIC.unknown
    assert token.variant is Variant.SHORT
    assert token.issued_second == int(stand.now.timestamp())


@pytest.mark.parametrize(
    ("topics", "expected"),
    [("", Kind.TOPIC.none), ("&topic=Obits&topic=x", id_hash(Kind.TOPIC, "obits")), ("&topic=x", Kind.TOPIC.unknown)],
)
def test_the_first_topic_is_counted_if_the_catalog_names_it(topics: str, expected: bytes) -> None:
    stand = Stand()
    stand.client().get("/v1/slots/political" + REMER_QUERY + topics)
    (no_fill,) = stand.recorder.no_fills
    assert no_fill.topic == expected


def test_two_fills_never_share_a_token() -> None:
    stand = Stand()
    client = stand.client()
    tokens = {client.get("/v1/slots/masthead" + REMER_QUERY).get_json()["token"] for _ in range(20)}
    assert len(tokens) == len({(token.issuer, token.shard, token.sequence) for token in stand.recorder.fills}) == 20


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/v1/slots/masthead?location=Nowhere,ZZ", "place_unknown"),
        ("/v1/slots/political?location=Remer,MN", "slot"),
        ("/v1/slots/no-such-slot?location=Remer,MN", "unknown_slot"),
        ("/v1/slots/masthead?location=Remer,MN&variant=long&max_chars=60", "variant"),
        ("/v1/slots/masthead?location=Remer,MN&exclude=fantasy-sports", "excluded"),
        ("/v1/slots/masthead?location=Remer,MN&topic=obits", "topic_excluded"),
    ],
)
def test_no_fill_says_why_and_is_counted(path: str, reason: str) -> None:
    stand = Stand()
    client = stand.client()
    plain = client.get(path)
    assert (plain.status_code, plain.data, plain.headers["Sponsor-No-Fill"]) == (204, b"", reason)
    fragment = client.get(path.replace("?", ".html?"))
    assert (fragment.status_code, fragment.data, fragment.headers["Sponsor-No-Fill"]) == (200, b"", reason)
    frame = client.get(path.replace("/slots/", "/frames/"))
    assert (frame.status_code, frame.headers["Sponsor-No-Fill"]) == (200, reason)
    assert "<body></body>" in frame.text
    assert [no_fill.reason.value for no_fill in stand.recorder.no_fills] == [reason] * 3


def test_an_unknown_slot_and_place_are_counted_as_unknown() -> None:
    stand = Stand()
    stand.client().get("/v1/slots/no-such-slot")
    (no_fill,) = stand.recorder.no_fills
    assert (no_fill.slot, no_fill.place, no_fill.topic) == (Kind.SLOT.unknown, Kind.PLACE.unknown, Kind.TOPIC.none)


def test_max_chars_limits_what_json_shows_and_holds() -> None:
    body = Stand().client().get("/v1/slots/masthead?location=Remer,MN&max_chars=64").get_json()
    assert body["text"] == SHORT
    assert body["variants"] == {"name": NAME, "short": SHORT, "long": None}


def test_the_fragment_is_html_whose_links_do_not_name_a_length() -> None:
    answer = Stand().client().get("/v1/slots/masthead.html" + REMER_QUERY)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert re.search(rf'<a class="s80 l144" href="http://localhost/go/{TOKEN}" rel="sponsored', answer.text)
    assert re.search(rf'<img src="http://localhost/v1/seen/{TOKEN}\.gif" loading="lazy"', answer.text)


def test_the_frame_has_the_contracts_policy_and_relative_links() -> None:
    catalog = make_catalog(site=make_site(origins=("https://a.example",)))
    answer = Stand(catalog, public_url="https://sponsors.example").client().get("/v1/frames/masthead" + REMER_QUERY)
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; img-src 'self'; style-src 'self'; frame-ancestors https://a.example"
    )
    assert "X-Frame-Options" not in answer.headers
    assert "sponsors.example" not in answer.text
    assert re.search(rf'href="\.\./\.\./go/{TOKEN}"', answer.text)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_that_holds_a_token_may_be_stored(form: str) -> None:
    assert_not_stored(Stand().client().get(form.format("masthead") + REMER_QUERY))


@pytest.mark.parametrize("form", FORMS)
def test_head_is_answered_like_get_and_leaves_no_trace(form: str) -> None:
    stand = Stand()
    for slot in ("masthead", "political"):
        answer = stand.client().head(form.format(slot) + REMER_QUERY)
        assert answer.status_code in (200, 204)
        assert answer.data == b""
    assert stand.recorder.all == []


@pytest.mark.parametrize(
    "slot",
    [
        "%00",
        "a%00",
        "..",
        "%2fx",
        "a%2f%2fb",
        "%2e%2e%2f",
        "../x",
        "..%2fx",
        "a" * 300,
        "Masthead",
        "a_b",
        "%0A",
        "-a",
        "é",
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_malformed_slot_is_404_with_no_trace_of_it(form: str, slot: str) -> None:
    stand = Stand()
    answer = stand.client().get(form.format(slot) + REMER_QUERY)
    assert answer.status_code == 404
    assert slot not in answer.text
    assert stand.recorder.all == []


BAD_QUERIES = [
    ("variant=big", "variant"),
    ("variant=", "variant"),
    ("variant=AUTO", "variant"),
    ("variant=short&variant=long", "variant"),
    ("variant=short&variant=short", "variant"),
    ("location=Remer,MN&location=Remer,MN", "location"),
    ("max_chars=5&max_chars=5", "max_chars"),
    *[(f"max_chars={value}", "max_chars") for value in ("0", "-1", "1.5", "x", "", "1e3", "%D9%A3", "9" * 5000)],
    ("location=" + "a" * 201, "location"),
    ("location=" + "a" * 300, "location"),
    ("topic=" + ",".join("abcdefghijklmnopqrstu"), "topic"),
    ("&".join(f"topic=t{number}" for number in range(21)), "topic"),
    ("topic=" + "a" * 65, "topic"),
    ("exclude=" + "a" * 65, "exclude"),
    ("exclude=" + ",".join(map(str, range(51))), "exclude"),
]


@pytest.mark.parametrize(("query", "name"), BAD_QUERIES)
def test_a_parameter_that_cannot_be_read_is_400_with_its_name(query: str, name: str) -> None:
    stand = Stand()
    answer = stand.client().get(f"/v1/slots/masthead?{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["path"] for error in json.loads(answer.data)["errors"]] == [name]
    assert stand.recorder.all == []


@pytest.mark.parametrize("form", FORMS[1:])
@pytest.mark.parametrize(("query", "name"), BAD_QUERIES)
def test_an_include_or_frame_with_such_a_parameter_is_400_without_a_body(form: str, query: str, name: str) -> None:
    answer = Stand().client().get(form.format("masthead") + f"?{query}")
    assert (answer.status_code, answer.data) == (400, b"")


@pytest.mark.parametrize(
    "query",
    [
        "utm_source=x&foo=1&foo=2",
        "location=Remer,MN&topic=&exclude=,",
        "topic=" + ",".join("abcdefghijklmnopqrst"),
        "location=" + "a" * 200,
        "variant=auto&max_chars=10000",
        "location=%00%ff",
    ],
)
def test_unknown_names_and_blanks_are_passed_over(query: str) -> None:
    assert Stand().client().get(f"/v1/slots/masthead?{query}").status_code in (200, 204)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["location", "topic", "variant", "max_chars", "exclude", "other"])
def test_markup_in_a_query_is_never_reflected(form: str, name: str) -> None:
    for slot in ("masthead", "political"):
        answer = Stand().client().get(form.format(slot) + f"?{name}=<script>alert(1)</script>")
        assert "alert" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    "text", ["<script>x</script>", '"><img onerror=x>', "' onmouseover=x", "{{7*7}}", "${7*7}", "<!--", "]]>"]
)
def test_hostile_texts_arrive_as_texts_in_every_form(text: str) -> None:
    client = Stand(make_catalog(make_creative(make_variants(text, text, text)))).client()
    assert client.get("/v1/slots/masthead" + REMER_QUERY).get_json()["variants"]["name"] == text
    for form in FORMS[1:]:
        reader = _Texts()
        reader.feed(client.get(form.format("masthead") + REMER_QUERY).text)
        assert reader.texts.count(text) == 3
        assert reader.tags <= {"html", "head", "meta", "title", "base", "link", "body", "div", "a", "span", "img"}
        assert reader.tags.isdisjoint({"script"})
        assert reader.images == 1


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.images = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") for name, _ in attrs)
        self.tags.add(tag)
        self.images += tag == "img"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("broken", ["catalog", "recorder", "decision"])
def test_any_fault_behind_it_is_no_fill_and_never_a_5xx(
    form: str, broken: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand()
    if broken == "catalog":
        stand.catalog.fault = OSError("the file is gone")
    elif broken == "recorder":
        stand.recorder.fault = OSError("the disk is full")
    else:
        monkeypatch.delattr("adserver.web.serving.decide")
    assert_empty(stand.client().get(form.format("masthead") + REMER_QUERY))
    assert {record.message for record in caplog.records} == {"delivery.fault"}


@pytest.mark.parametrize("form", FORMS)
def test_before_anything_is_published_there_is_no_fill(form: str) -> None:
    stand = Stand()
    stand.catalog.snapshot = None
    assert_empty(stand.client().get(form.format("masthead") + REMER_QUERY))


def assert_empty(answer: TestResponse) -> None:
    assert answer.status_code in (200, 204)
    assert answer.headers["Sponsor-No-Fill"] == "unknown_slot"
    assert "go/" not in answer.text


def page_of(*slots: Mapping[str, object], **fields: object) -> dict[str, object]:
    return {"location": "Remer,MN", "slots": list(slots), **fields}


def test_a_page_asks_for_its_slots_in_one_call() -> None:
    stand = Stand()
    page = page_of(
        {"id": "a", "slot": "masthead", "variant": "name"},
        {"id": "b", "slot": "masthead", "max_chars": 70},
        {"id": "c", "slot": "political"},
        topics=["Sports"],
    )
    answer = stand.client().post("/v1/decisions", data=json.dumps(page), content_type="text/plain")
    body = answer.get_json()
    assert list(body) == ["decisions", "no_fill", "ledger"]
    assert (body["decisions"]["a"]["text"], body["decisions"]["b"]["text"]) == (NAME, SHORT)
    assert body["decisions"]["c"] is None
    assert body["no_fill"] == {"c": "slot"}
    assert_not_stored(answer)
    assert (len(stand.recorder.fills), len(stand.recorder.no_fills)) == (2, 1)


def test_a_pages_call_takes_json_too_and_passes_over_unknown_fields() -> None:
    page = page_of({"id": "a", "slot": "masthead", "more": 1}, extra={"deep": []}, ledger="x", exclude=[])
    assert Stand().client().post("/v1/decisions", json=page).get_json()["decisions"]["a"]["slot"] == "masthead"


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (page_of(*({"id": str(number), "slot": "masthead"} for number in range(51))), "slots"),
        (page_of(topics=[f"t{number}" for number in range(21)]), "topics"),
        (page_of(topics=["a" * 65]), "topics"),
        (page_of(topics="sports"), "topics"),
        (page_of(location="a" * 300), "location"),
        (page_of(location=5), "location"),
        (page_of(exclude=["a" * 65]), "exclude"),
        (page_of({"id": "a", "slot": "../x"}), "slots[0].slot"),
        (page_of({"id": "a", "slot": "ok"}, {"id": "b", "slot": "a" * 300}), "slots[1].slot"),
        (page_of({"id": "a", "slot": "ok"}, {"id": "a", "slot": "ok"}), "slots[1].id"),
        (page_of({"id": "a" * 65, "slot": "ok"}), "slots[0].id"),
        (page_of({"id": 1, "slot": "ok"}), "slots[0].id"),
        (page_of({"id": "a", "slot": "ok", "variant": "big"}), "slots[0].variant"),
        (page_of({"id": "a", "slot": "ok", "max_chars": 0}), "slots[0].max_chars"),
        (page_of({"id": "a", "slot": "ok", "max_chars": True}), "slots[0].max_chars"),
        (page_of({"id": "a", "slot": "ok", "max_chars": 1.5}), "slots[0].max_chars"),
        (page_of({"id": "a"}), "slots[0]"),
        ({"location": "Remer,MN"}, "body"),
        ([], "body"),
    ],
)
def test_a_field_that_cannot_be_read_is_400_with_its_name(page: object, name: str) -> None:
    stand = Stand()
    answer = stand.client().post("/v1/decisions", json=page)
    assert answer.status_code == 400
    assert [error["path"] for error in json.loads(answer.data)["errors"]] == [name]
    assert stand.recorder.all == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe{",
        b"{",
        b"[" * 60_000,
        b'{"slots":[],"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"slots":[],"x":NaN}',
        b'{"slots":[],"location":"\\ud800"}',
        '{"slots":[]}'.encode("utf-16"),
    ],
)
def test_a_page_that_is_no_json_is_400(body: bytes) -> None:
    assert Stand().client().post("/v1/decisions", data=body).status_code == 400


def test_a_huge_integer_is_400_with_its_name() -> None:
    body = b'{"slots":[{"id":"a","slot":"ok","max_chars":' + b"9" * 5_000 + b"}]}"
    answer = Stand().client().post("/v1/decisions", data=body)
    assert (answer.status_code, json.loads(answer.data)["errors"][0]["path"]) == (400, "slots[0].max_chars")


def test_a_page_over_64_kb_is_413() -> None:
    page = page_of(extra="a" * 65_536)
    assert Stand().client().post("/v1/decisions", json=page).status_code == 413


def test_a_fault_behind_a_page_leaves_all_its_slots_empty() -> None:
    stand = Stand()
    stand.catalog.fault = OSError("the file is gone")
    body = stand.client().post("/v1/decisions", json=page_of({"id": "a", "slot": "masthead"})).get_json()
    assert body["decisions"] == {"a": None}
    assert body["no_fill"] == {"a": "unknown_slot"}


def test_one_slot_that_cannot_be_counted_leaves_the_others_on_the_page() -> None:
    stand = Stand()
    fill, calls = stand.recorder.fill, iter((False, True, False))

    def fail_once(token: object) -> None:
        if next(calls):
            raise OSError("just now")
        fill(token)  # type: ignore[arg-type]  # a token, as the port says

    stand.recorder.fill = fail_once  # type: ignore[method-assign]  # one call of three fails
    page = page_of(*({"id": key, "slot": "masthead"} for key in "abc"))
    body = stand.client().post("/v1/decisions", json=page).get_json()
    assert [body["decisions"][key] is None for key in "abc"] == [False, True, False]
