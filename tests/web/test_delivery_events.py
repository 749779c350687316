"""Beacons and clicks: what they are answered, and what becomes of them."""

import json
from datetime import timedelta

import pytest
from delivery_stand import (
    BROWSER,
    START,
    MemoryRecorder,
    RecordedEvent,
    Stand,
    make_catalog,
    make_creative,
)
from werkzeug.test import TestResponse

from adserver.domain.catalog import Catalog, RetiredCreative
from adserver.domain.ids import CampaignId
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.variants import Variant

REMER_QUERY = "?location=Remer,MN"
SPONSOR = "https://qwiket.com/"
HOME = "https://americaone.example/"


def ask_for_token(stand: Stand, query: str = "") -> str:
    token = stand.client().get("/v1/slots/masthead" + REMER_QUERY + query).get_json()["token"]
    assert isinstance(token, str)
    return token


def verdicts(recorder: MemoryRecorder) -> list[tuple[EventKind, InvalidReason | None, Variant]]:
    return [(event.kind, event.verdict, event.reported) for event in recorder.events]


def flip(token: str) -> str:
    return token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]


def is_pixel(answer: TestResponse) -> bool:
    return (
        answer.status_code == 200
        and answer.headers["Content-Type"] == "image/gif"
        and answer.data.startswith(b"GIF89a\x01\x00\x01\x00")
    )


@pytest.mark.parametrize(
    ("query", "reported"),
    [("", Variant.AUTO), ("?variant=short", Variant.SHORT), ("?variant=nonsense", Variant.AUTO),
     ("?variant=auto", Variant.AUTO), ("?variant=short&variant=long", Variant.AUTO)],
)  # fmt: skip
def test_the_beacon_counts_a_view_with_the_length_it_reports(query: str, reported: Variant) -> None:
    stand = Stand()
    token = ask_for_token(stand)
    answer = stand.client().get(f"/v1/seen/{token}.gif{query}", headers=BROWSER)
    assert is_pixel(answer)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert stand.recorder.events == [RecordedEvent(EventKind.SEEN, None, reported, stand.codec.decode(token))]


def test_a_click_on_what_another_worker_shows_already_finds_its_sponsor() -> None:
    decided, behind = Stand(), Stand(Catalog(sites=make_catalog().sites))
    token = ask_for_token(decided)
    assert behind.client().get(f"/go/{token}", headers=BROWSER).headers["Location"] == HOME
    behind.catalog.replaced_by = decided.catalog.snapshot
    assert behind.client().get(f"/go/{token}", headers=BROWSER).headers["Location"] == SPONSOR


@pytest.mark.parametrize("text", ["x", "a" * 74, "a" * 5_000, "%00", "..%2e", "a/b", "<script>"])
def test_a_malformed_token_gets_the_same_image(text: str) -> None:
    stand = Stand()
    assert is_pixel(stand.client().get(f"/v1/seen/{text}.gif", headers=BROWSER))
    assert verdicts(stand.recorder) == [(EventKind.SEEN, InvalidReason.SIGNATURE, Variant.AUTO)]


def test_a_flipped_signature_is_invalid() -> None:
    stand = Stand()
    assert is_pixel(stand.client().get(f"/v1/seen/{flip(ask_for_token(stand))}.gif", headers=BROWSER))
    assert verdicts(stand.recorder) == [(EventKind.SEEN, InvalidReason.SIGNATURE, Variant.AUTO)]


def test_an_expired_view_is_invalid_after_two_hours() -> None:
    stand = Stand()
    token = ask_for_token(stand)
    stand.pass_time(hours=2)
    stand.client().get(f"/v1/seen/{token}.gif", headers=BROWSER)
    stand.pass_time(seconds=1)
    assert is_pixel(stand.client().get(f"/v1/seen/{token}.gif", headers=BROWSER))
    assert [event.verdict for event in stand.recorder.events] == [None, InvalidReason.EXPIRED]


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
@pytest.mark.parametrize("value", ["prefetch", "prefetch;prerender"])
def test_a_prefetch_is_kept_apart(header: str, value: str) -> None:
    stand = Stand()
    token = ask_for_token(stand)
    assert is_pixel(stand.client().get(f"/v1/seen/{token}.gif", headers={**BROWSER, header: value}))
    assert [event.verdict for event in stand.recorder.events] == [InvalidReason.PREFETCH]


def test_head_on_beacon_or_click_leaves_no_trace() -> None:
    stand = Stand()
    token = ask_for_token(stand)
    beacon = stand.client().head(f"/v1/seen/{token}.gif", headers=BROWSER)
    click = stand.client().head(f"/go/{token}", headers=BROWSER)
    assert (beacon.status_code, beacon.data) == (200, b"")
    assert (click.status_code, click.headers["Location"]) == (302, SPONSOR)
    assert stand.recorder.events == []


def test_a_beacon_that_cannot_be_recorded_is_answered_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    stand = Stand()
    token = ask_for_token(stand)
    stand.recorder.fault = OSError("the disk is full")
    client = stand.client()
    assert is_pixel(client.get(f"/v1/seen/{token}.gif", headers=BROWSER))
    batch = {"events": [{"token": token, "kind": "seen"}]}
    assert client.post("/v1/seen", json=batch, headers=BROWSER).status_code == 204
    assert client.get(f"/go/{token}", headers=BROWSER).headers["Location"] == SPONSOR
    assert token not in caplog.text
    assert [record.message for record in caplog.records] == ["beacon.fault", "beacon.fault", "click.fault"]


@pytest.mark.parametrize("content_type", ["text/plain", "text/plain;charset=UTF-8", "application/json"])
def test_a_batch_counts_each_of_its_events(content_type: str) -> None:
    stand = Stand()
    token = ask_for_token(stand)
    events = [
        {"token": token, "kind": "seen", "variant": "short"},
        {"token": token, "kind": "viewable", "variant": "long"},
        {"token": token, "kind": "viewable", "variant": None},
    ]
    body = json.dumps({"events": events})
    answer = stand.client().post("/v1/seen", data=body, content_type=content_type, headers=BROWSER)
    assert (answer.status_code, answer.data) == (204, b"")
    assert verdicts(stand.recorder) == [
        (EventKind.SEEN, None, Variant.SHORT),
        (EventKind.VIEWABLE, None, Variant.LONG),
        (EventKind.VIEWABLE, None, Variant.AUTO),
    ]


@pytest.mark.parametrize(
    "bad",
    [5, None, [], {}, {"token": 5, "kind": "seen"}, {"token": "T"}, {"token": "T", "kind": "click"},
     {"token": "T", "kind": "SEEN"}, {"token": "T", "kind": "seen", "variant": 5}],
)  # fmt: skip
def test_one_bad_event_among_good_ones_leaves_the_good_ones_counted(bad: object) -> None:
    stand = Stand()
    good = {"token": ask_for_token(stand), "kind": "seen"}
    answer = stand.client().post("/v1/seen", json={"events": [good, bad, good]}, headers=BROWSER)
    assert answer.status_code == 204
    assert verdicts(stand.recorder) == [(EventKind.SEEN, None, Variant.AUTO)] * 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"events":{}}',
        b'{"event":[]}',
        b"[" * 60_000,
        b'{"events":[],"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_a_batch_that_cannot_be_read_is_400(body: bytes) -> None:
    assert Stand().client().post("/v1/seen", data=body).status_code == 400


def test_a_batch_too_deep_to_be_read_is_400_and_the_worker_lives() -> None:
    stand = Stand()
    good = json.dumps({"token": ask_for_token(stand), "kind": "seen"})
    deep = f'{{"events":[{good},{"[" * 20_000}{"]" * 20_000}]}}'
    assert stand.client().post("/v1/seen", data=deep, headers=BROWSER).status_code == 400
    assert stand.client().post("/v1/seen", data=f'{{"events":[{good}]}}', headers=BROWSER).status_code == 204


@pytest.mark.parametrize(("count", "status"), [(0, 204), (100, 204), (101, 413)])
def test_a_batch_holds_at_most_100_events(count: int, status: int) -> None:
    stand = Stand()
    event = {"token": ask_for_token(stand), "kind": "seen"}
    assert stand.client().post("/v1/seen", json={"events": [event] * count}, headers=BROWSER).status_code == status
    assert len(stand.recorder.events) == (count if status == 204 else 0)


@pytest.mark.parametrize("size", [65_537, 1_000_000])
def test_a_batch_over_64_kb_is_413(size: int) -> None:
    assert Stand().client().post("/v1/seen", data=b'{"events":[' + b" " * (size - 13) + b"]}").status_code == 413


def test_a_click_leads_to_the_sponsor_and_is_counted_with_the_length_on_screen() -> None:
    stand = Stand()
    answer = stand.client().get(f"/go/{ask_for_token(stand)}?v=long", headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (302, SPONSOR)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert verdicts(stand.recorder) == [(EventKind.CLICK, None, Variant.LONG)]


@pytest.mark.parametrize(("asked", "expected"), [("", "long"), ("&variant=short", "short")])
def test_macros_and_utm_are_filled_in_from_what_the_token_says(asked: str, expected: str) -> None:
    creative = make_creative(
        click_url="https://q.com/?s={slot}&p={place}&c={campaign}.{creative}&v={variant}#top",
        utm=(("source", "america one"),),
    )
    stand = Stand(make_catalog(creative))
    answer = stand.client().get(f"/go/{ask_for_token(stand, asked)}?v=long", headers=BROWSER)
    assert answer.headers["Location"] == (
        f"https://q.com/?s=masthead&p=us-mn-remer&c=qwiket-season.elevate&v={expected}&utm_source=america%20one#top"
    )


@pytest.mark.parametrize("url", ["mailto:ann@example.com?subject=Hi%20there", "tel:+12185550100"])
def test_mail_and_telephone_links_are_redirected_to_as_they_are(url: str) -> None:
    stand = Stand(make_catalog(make_creative(click_url=url)))
    assert stand.client().get(f"/go/{ask_for_token(stand)}", headers=BROWSER).headers["Location"] == url


def test_an_expired_click_still_goes_to_the_sponsor_uncounted() -> None:
    stand = Stand()
    token = ask_for_token(stand)
    stand.pass_time(hours=24, seconds=1)
    assert stand.client().get(f"/go/{token}", headers=BROWSER).headers["Location"] == SPONSOR
    assert verdicts(stand.recorder) == [(EventKind.CLICK, InvalidReason.EXPIRED, Variant.AUTO)]


def test_a_click_of_a_creative_removed_an_hour_ago_goes_to_the_sponsor_and_counts() -> None:
    before = Stand()
    token = ask_for_token(before)
    retired = RetiredCreative(make_creative(), CampaignId("qwiket-season"), START + timedelta(hours=47))
    site = make_catalog().sites[0]
    after = Stand(Catalog(sites=(site,)), retired=(retired,))
    assert after.client().get(f"/go/{token}", headers=BROWSER).headers["Location"] == SPONSOR
    assert verdicts(after.recorder) == [(EventKind.CLICK, None, Variant.AUTO)]
    after.pass_time(hours=47)
    assert after.client().get(f"/go/{token}", headers=BROWSER).headers["Location"] == HOME


@pytest.mark.parametrize("text", ["x", "a" * 74, "https:%2f%2fevil.example", "x/%2fevil.example", "https:evil.example"])
@pytest.mark.parametrize(("home_url", "home"), [(None, HOME), ("https://home.example/", "https://home.example/")])
def test_an_unreadable_token_leads_home_and_never_elsewhere(text: str, home_url: str | None, home: str) -> None:
    stand = Stand(home_url=home_url)
    answer = stand.client().get(f"/go/{text}?url=https://evil.example&v=//evil", headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (302, home)
    assert verdicts(stand.recorder) == [(EventKind.CLICK, InvalidReason.SIGNATURE, Variant.AUTO)]


@pytest.mark.parametrize("text", ["/evil.example", "%2f%2fevil.example", "a%0d%0aX: y", ""])
def test_a_click_address_without_a_token_redirects_nowhere(text: str) -> None:
    answer = Stand().client().get(f"/go/{text}", headers=BROWSER)
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_a_reader_is_sent_home_whatever_breaks_behind_a_click() -> None:
    stand = Stand(home_url="https://home.example/")
    token = ask_for_token(stand)
    stand.catalog.fault = OSError("gone")
    assert stand.client().get(f"/go/{token}", headers=BROWSER).headers["Location"] == "https://home.example/"


def test_before_anything_is_published_a_click_finds_nothing() -> None:
    stand = Stand()
    stand.catalog.snapshot = None
    assert stand.client().get("/go/x", headers=BROWSER).status_code == 404
