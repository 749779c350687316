"""What comes in as an event and what it counts as, through real processes, as if a proxy stood before them."""

import base64
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from catalog_bench import campaign, campaign_file
from service import READER, Service, running_service

from adserver.counting.records import Record, RecordKind, decode
from adserver.domain.token import TokenCodec

KEY, RETIRED = "11" * 32, "22" * 32
CODEC = TokenCodec((bytes.fromhex(KEY),))
RATE_EVENTS = 300
READERS = ("198.51.100.7", "203.0.113.9", "2001:db8:77::9")
STAFF = "192.0.2.44"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; of one reader alone) Firefox/140.0"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("rows")
    settings = {
        "ADSERVER_SECRET_KEYS": KEY,
        "ADSERVER_TRUSTED_PROXIES": "127.0.0.1",
        "ADSERVER_RATE_EVENTS": str(RATE_EVENTS),
    }
    made = Service(folder, **settings)
    slots = made.campaigns / "slots.yaml"
    site = "  - id: america-one\n"
    slots.write_text(slots.read_text().replace(site, f'{site}    internal_networks: ["192.0.2.0/24"]\n'))
    with running_service(folder, **settings) as running:
        yield running


def by_reason(service: Service) -> dict[str, int]:
    """Return the invalid events by reason."""
    time.sleep(0.05)  # a token may ask 20 times a second
    query = {"metrics": ["invalid"], "dimensions": ["reason"], "date_range": "7d"}
    status, _, body = service.call("/v1/query", body=query, headers=service.admin())
    assert status == 200, body
    return {row["dimensions"][0]: row["metrics"][0] for row in json.loads(body)["results"]}


class Change:
    """What a test adds to the counts of a service that others use as well."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._totals = service.totals()
        self._reasons = by_reason(service)

    def expect(self, *, impressions: int = 0, viewable: int = 0, clicks: int = 0, **reasons: int) -> None:
        """Wait until just that has been added: nothing else may be there once all of it is."""
        wanted = {"impressions": impressions, "viewable": viewable, "clicks": clicks, "invalid": sum(reasons.values())}
        self._service.await_counts(**{name: self._totals[name] + number for name, number in wanted.items()})
        now = by_reason(self._service)
        changed = {reason: now[reason] - self._reasons.get(reason, 0) for reason in now}
        assert {reason: number for reason, number in changed.items() if number} == reasons


@pytest.fixture
def change(service: Service) -> Change:
    return Change(service)


def new_token(service: Service) -> str:
    token: str = service.decide()["token"]
    return token


def sent(address: str = READERS[0], **headers: str) -> dict[str, str]:
    """Return the headers of a request that came through the proxy from an address."""
    return {**READER, "X-Forwarded-For": address, **headers}


def see(service: Service, token: str, headers: dict[str, str] | None = None, method: str = "GET") -> None:
    status, _, _ = service.call(f"/v1/seen/{token}.gif", headers=headers or sent(), method=method)
    assert status == 200


def test_fifty_parallel_beacons_of_one_token_count_once(service: Service, change: Change) -> None:
    token = new_token(service)
    start = threading.Barrier(50)

    def send(_number: int) -> None:
        start.wait()
        see(service, token)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(send, range(50)))
    change.expect(impressions=1, duplicate=49)


def test_what_is_not_signed_so_is_signature(service: Service, change: Change) -> None:
    token, other = CODEC.decode(new_token(service)), CODEC.decode(new_token(service))
    raw = base64.urlsafe_b64decode(CODEC.encode(token) + "==")
    stolen = raw[:8] + other.sequence.to_bytes(4, "big") + raw[12:]
    flipped = raw[:-1] + bytes([raw[-1] ^ 1])
    for made_up in (stolen, flipped):
        see(service, base64.urlsafe_b64encode(made_up).decode().rstrip("="))
    see(service, TokenCodec((bytes.fromhex(RETIRED),)).encode(token))
    change.expect(signature=3)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_off_by_an_hour_counts_once_in_the_hour_of_the_decision(
    service: Service, change: Change, hours: int
) -> None:
    """A token from before the clock was set forward, or back, by an hour."""
    token = CODEC.decode(new_token(service))
    moved = CODEC.encode(token._replace(issued_second=token.issued_second + hours * 3600))
    see(service, moved)
    see(service, moved)
    change.expect(impressions=1, duplicate=1)


def test_expired_views_and_clicks_are_expired_and_the_reader_gets_to_the_sponsor(
    service: Service, change: Change
) -> None:
    token = CODEC.decode(new_token(service))
    see(service, CODEC.encode(token._replace(issued_second=token.issued_second - 7_205)))
    late = CODEC.encode(token._replace(issued_second=token.issued_second - 86_405))
    status, headers, _ = service.call(f"/go/{late}", headers=sent())
    assert (status, headers["Location"].startswith("https://americaone.example")) == (302, False)
    change.expect(expired=2)


def test_an_unreadable_click_goes_home(service: Service, change: Change) -> None:
    status, headers, _ = service.call("/go/unreadable", headers=sent())
    assert (status, headers["Location"]) == (302, "https://americaone.example/")
    change.expect(signature=1)


def test_a_click_with_no_view_counts_once_the_view_has_come(service: Service, change: Change) -> None:
    token = new_token(service)
    assert service.call(f"/go/{token}", headers=sent())[0] == 302
    change.expect(no_view=1)
    see(service, token)
    change.expect(impressions=1, clicks=1)


SLOT = "article-bottom"


def publish(service: Service, flight: str, **terms: object) -> None:
    """Have a sponsor's flight take all of a slot; return once this host has that revision."""
    taken = {"id": flight, "slots": [SLOT], "tier": "sponsorship", **terms}
    upload = campaign_file(campaign("late", flights=[taken]), advertiser="late")
    status, _, body = service.call("/v1/campaigns", body=upload, headers=service.admin())
    assert status == 200, body
    await_revision(service, json.loads(body)["revision"])


def withdraw(service: Service) -> None:
    status, _, body = service.call("/v1/campaigns/late", method="DELETE", headers=service.admin())
    assert status == 200, body
    await_revision(service, json.loads(body)["revision"])


def await_revision(service: Service, number: int) -> None:
    service.await_that(lambda: f"adserver_host_revision {number}.0" in service.call("/metrics")[2].decode())


def fills_of(service: Service, flight: str, count: int) -> list[str]:
    """Return tokens of a flight's fills, once workers serve it and its grants have come."""
    tokens: list[str] = []

    def another() -> bool:
        status, _, body = service.call(f"/v1/slots/{SLOT}")
        decision = json.loads(body) if status == 200 else {}
        tokens.extend([decision["token"]] if decision.get("flight") == flight else [])
        return len(tokens) >= count

    service.await_that(another)
    return tokens


def test_a_click_of_a_flight_removed_an_hour_ago_goes_to_the_sponsor_and_counts(
    service: Service, change: Change
) -> None:
    publish(service, "removed")
    [token] = [CODEC.decode(text) for text in fills_of(service, "removed", 1)]
    withdraw(service)
    old = CODEC.encode(token._replace(issued_second=token.issued_second - 3_600))
    see(service, old)
    status, headers, _ = service.call(f"/go/{old}", headers=sent())
    assert (status, headers["Location"]) == (302, "https://sponsor.example/")
    change.expect(impressions=1, clicks=1)


def test_views_issued_before_a_goal_was_lowered_and_raised_count_up_to_the_goal_of_their_moment(
    service: Service, change: Change
) -> None:
    publish(service, "bounded", goal={"impressions": 6, "pacing": "asap"})
    first, second, third, *_ = fills_of(service, "bounded", 3)
    publish(service, "bounded", goal={"impressions": 1, "pacing": "asap"})
    see(service, first)
    see(service, second)
    change.expect(impressions=1, over=1)
    publish(service, "bounded", goal={"impressions": 2, "pacing": "asap"})
    see(service, third)
    change.expect(impressions=2, over=1)
    withdraw(service)


def test_viewable_implies_seen_and_a_bad_event_leaves_the_good_ones(service: Service, change: Change) -> None:
    good = [{"token": new_token(service), "kind": "viewable", "variant": "short"} for _ in range(3)]
    events = [
        good[0],
        {"token": 7, "kind": "seen"},
        good[1],
        {"kind": "seen"},
        "text",
        {"token": "a", "kind": "bought"},
        good[2],
    ]
    status, _, _ = service.call("/v1/seen", body={"events": events}, headers=sent())
    assert status == 204
    change.expect(impressions=3, viewable=3)


def test_a_batch_of_101_events_or_of_a_megabyte_is_refused_whole(service: Service, change: Change) -> None:
    event = {"token": new_token(service), "kind": "seen"}
    assert service.call("/v1/seen", body={"events": [event] * 101}, headers=sent())[0] == 413
    assert service.call("/v1/seen", body={"events": [event], "rest": "x" * 1_000_000}, headers=sent())[0] == 413
    see(service, event["token"])
    change.expect(impressions=1)


def test_a_length_that_is_none_of_the_creatives_counts_under_the_servers_own(service: Service, change: Change) -> None:
    before = service.counts("variant")
    token = service.decide(query="?location=Remer,MN&variant=name")["token"]
    service.call(f"/v1/seen/{token}.gif?variant=long", headers=sent())
    change.expect(impressions=1)
    after = service.counts("variant")
    assert after["name",]["impressions"] == before.get(("name",), {"impressions": 0})["impressions"] + 1


def test_head_leaves_no_trace(service: Service, change: Change) -> None:
    token = new_token(service)
    see(service, token, method="HEAD")
    assert service.call(f"/go/{token}", headers=sent(), method="HEAD")[0] == 302
    see(service, token)
    change.expect(impressions=1)


@pytest.mark.parametrize(
    ("name", "value"), [("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "prefetch")]
)
def test_what_is_fetched_ahead_is_prefetch(service: Service, change: Change, name: str, value: str) -> None:
    see(service, new_token(service), sent(**{name: value}))
    change.expect(prefetch=1)


def test_bots_and_agents_without_end_get_normal_answers_and_are_kept_out(service: Service, change: Change) -> None:
    for agent, times in (("Mozilla/5.0 (compatible; Googlebot/2.1)", 2), ("Mozilla/5.0 " + "a" * 7_900, 1), ("", 1)):
        for _ in range(times):
            see(service, new_token(service), sent(**{"User-Agent": agent}))
    change.expect(bot=3, no_user_agent=1)


def test_the_publishers_own_network_is_internal_and_only_a_trusted_proxy_may_say_so(
    service: Service, change: Change
) -> None:
    see(service, new_token(service), sent(STAFF))
    see(service, new_token(service), sent(f"{STAFF}, {READERS[0]}"))  # what stands before was written by the reader
    change.expect(internal=1, impressions=1)


def test_what_a_client_says_of_the_time_is_ignored(service: Service, change: Change) -> None:
    token = CODEC.decode(new_token(service))
    late = CODEC.encode(token._replace(issued_second=token.issued_second - 7_205))
    service.call(f"/v1/seen/{late}.gif?now=0&at=0", headers=sent(Date="Thu, 01 Jan 1970 00:00:00 GMT"))
    change.expect(expired=1)


def test_a_burst_from_one_network_is_rate_and_is_still_answered(service: Service, change: Change) -> None:
    """On one connection, so at one worker."""
    events = [{"token": new_token(service), "kind": "seen"} for _ in range(100)]
    body = json.dumps({"events": events})
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    for number in range(RATE_EVENTS // 100 + 1):
        connection.request("POST", "/v1/seen", body, sent(f"198.18.7.{number}"))
        response = connection.getresponse()
        response.read()
        assert response.status == 204
    connection.close()
    change.expect(impressions=100, duplicate=RATE_EVENTS - 100, rate=100)


def test_nothing_of_a_reader_is_kept_but_32_bits_for_a_day(service: Service, change: Change) -> None:
    before, reached = Counter(views(service)), reach(service)
    for address in READERS:
        for _ in range(2):
            see(service, new_token(service), sent(address, **{"User-Agent": AGENT}))
    see(service, new_token(service), sent(READERS[0], **{"User-Agent": AGENT, "Sec-GPC": "1"}))
    service.await_that(lambda: len(views(service)) == before.total() + 7)

    cuts = [record.reader for record in Counter(views(service)) - before]
    assert sorted(map(cuts.count, set(cuts) - {0})) == [2, 2, 2], (
        "three readers, who came twice, whichever worker answered"
    )
    assert cuts.count(0) == 1, "and one who asks not to be followed"

    change.expect(impressions=7)
    assert reach(service) == reached + 3

    files = [path for path in service.data_dir.rglob("*") if path.is_file() and not path.is_socket()]
    assert any("appendonlydir" in str(path) for path in files), "the append-only files are among them"
    kept = {path: path.read_bytes() for path in [*files, service.output]}
    words = [*READERS, "198.51.100", "203.0.113", AGENT, "of one reader alone"]
    assert [(path.name, word) for path, data in kept.items() for word in words if word.encode() in data] == []


def reach(service: Service) -> int:
    """Return today's readers, of all flights."""
    time.sleep(0.05)  # a token may ask 20 times a second
    query = {"metrics": ["reach"], "date_range": "day"}
    status, _, body = service.call("/v1/query", body=query, headers=service.admin())
    assert status == 200, body
    readers: int = json.loads(body)["results"][0]["metrics"][0]
    return readers


def views(service: Service) -> list[Record]:
    """Return the views that stand in the spools."""
    records: list[Record] = []
    for path in sorted(Path(service.data_dir, "spools").rglob("*.spool")):
        records += [record for record in decode(path.read_bytes()) if isinstance(record, Record)]
    return [each for each in records if each.kind == RecordKind.SEEN]
