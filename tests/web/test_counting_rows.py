"""What comes in as an event, and what it counts as: from the HTTP call to the answer of `POST /v1/query`."""

import base64
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pipeline import LONG, READER, Pipeline, campaign_file

from adserver.domain.token import TokenCodec

OTHER_KEY = TokenCodec((b"another key, never live here",))


@pytest.fixture
def pipeline(tmp_path: Path, valkey: redis.Redis, valkey_socket: Path) -> Iterator[Pipeline]:
    line = Pipeline(tmp_path, valkey_socket)
    line.publish(campaign_file())
    yield line
    line.close()


def net(pipeline: Pipeline) -> tuple[int, int, int]:
    """Impressions, viewables and clicks."""
    totals = pipeline.counts()[()]
    return totals["impressions"], totals["viewable"], totals["clicks"]


def test_fifty_parallel_beacons_of_one_token_count_once(pipeline: Pipeline) -> None:
    token = pipeline.decide()["token"]
    barrier = threading.Barrier(50)

    def send(number: int) -> None:
        client = (pipeline.client, pipeline.other_client)[number % 2].application.test_client()
        barrier.wait()
        assert pipeline.seen(token, client=client).status_code == 200

    threads = [threading.Thread(target=send, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert net(pipeline) == (1, 0, 0)
    assert pipeline.invalid() == {"duplicate": 49}


def test_an_expired_token_counts_as_expired(pipeline: Pipeline) -> None:
    token = pipeline.decide()["token"]
    pipeline.clock.pass_by(hours=2, seconds=1)

    assert pipeline.seen(token).status_code == 200
    assert net(pipeline) == (0, 0, 0)
    assert pipeline.invalid() == {"expired": 1}


def test_a_flipped_signature_counts_as_signature(pipeline: Pipeline) -> None:
    token = pipeline.decide()["token"]
    flipped = token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]

    assert pipeline.seen(flipped).status_code == 200
    assert net(pipeline) == (0, 0, 0)
    assert pipeline.invalid() == {"signature": 1}


def test_anothers_sequence_number_counts_as_signature(pipeline: Pipeline) -> None:
    first, second = (base64.urlsafe_b64decode(pipeline.decide()["token"] + "==") for _ in range(2))
    stolen = first[:8] + second[8:12] + first[12:]

    pipeline.seen(base64.urlsafe_b64encode(stolen).decode().rstrip("="))

    assert net(pipeline) == (0, 0, 0)
    assert pipeline.invalid() == {"signature": 1}


def test_a_click_before_its_view_through_another_worker_counts_when_the_view_comes(pipeline: Pipeline) -> None:
    token = pipeline.decide()["token"]

    assert pipeline.click(token).status_code == 302
    assert net(pipeline) == (0, 0, 0)
    assert pipeline.invalid() == {"no_view": 1}

    pipeline.seen(token, client=pipeline.other_client)
    assert net(pipeline) == (1, 0, 1)
    assert pipeline.invalid() == {}


def test_an_expired_click_goes_to_the_sponsor_uncounted(pipeline: Pipeline) -> None:
    token = pipeline.decide()["token"]
    pipeline.seen(token)
    pipeline.clock.pass_by(hours=24, seconds=1)

    assert pipeline.click(token).headers["Location"] == "https://qwiket.com/"
    assert net(pipeline) == (1, 0, 0)
    assert pipeline.invalid() == {"expired": 1}


def test_a_click_of_a_flight_removed_an_hour_ago_goes_to_the_sponsor_and_counts(pipeline: Pipeline) -> None:
    token = pipeline.decide()["token"]
    pipeline.seen(token)
    other = campaign_file(id="other")
    other["campaigns"][0]["id"] = "other"  # type: ignore[index, call-overload]
    other["campaigns"][0]["creatives"][0]["id"] = "other"  # type: ignore[index, call-overload]
    response = pipeline.client.post(
        "/v1/campaigns?prune=true", json=other, headers={"Authorization": f"Bearer {pipeline.settings.admin_token}"}
    )
    assert "campaigns.season" in response.get_json()["plan"]["remove"]
    pipeline.settle()
    pipeline.clock.pass_by(hours=1)

    assert pipeline.click(token).headers["Location"] == "https://qwiket.com/"
    assert net(pipeline) == (1, 0, 1)


@pytest.mark.parametrize("text", ["nonsense", "A" * 74, "A" * 96])
def test_an_unreadable_click_goes_home_and_counts_as_signature(pipeline: Pipeline, text: str) -> None:
    assert pipeline.click(text).headers["Location"] == "https://americaone.example/"
    assert net(pipeline) == (0, 0, 0)
    assert pipeline.invalid() == {"signature": 1}


def test_a_viewable_without_a_seen_counts_both(pipeline: Pipeline) -> None:
    pipeline.events({"token": pipeline.decide()["token"], "kind": "viewable"})

    assert net(pipeline) == (1, 1, 0)


def test_a_view_beyond_the_goal_counts_as_over_and_net_stays_at_the_goal(pipeline: Pipeline) -> None:
    pipeline.publish(campaign_file(goal={"impressions": 40}))
    tokens = [pipeline.decide()["token"] for _ in range(4)]
    pipeline.publish(campaign_file(goal={"impressions": 2}))  # nobody is shown more than is left of a goal
    for token in tokens:
        pipeline.seen(token)
        pipeline.click(token)

    assert net(pipeline) == (2, 0, 2)
    assert pipeline.invalid() == {"over": 4}
    response = pipeline.client.get("/v1/slots/masthead")
    assert (response.status_code, response.headers["Sponsor-No-Fill"]) == (204, "goal_met")


def test_a_view_nearly_two_hours_late_meets_the_goal_in_force_when_it_is_applied(pipeline: Pipeline) -> None:
    pipeline.publish(campaign_file(goal={"impressions": 30}))
    first, second, third = (pipeline.decide()["token"] for _ in range(3))
    pipeline.publish(campaign_file(goal={"impressions": 1}))
    pipeline.clock.pass_by(minutes=119)
    pipeline.seen(first)
    assert net(pipeline) == (1, 0, 0)

    pipeline.publish(campaign_file(goal={"impressions": 2}))  # raised: one more counts
    pipeline.seen(second)
    assert net(pipeline) == (2, 0, 0)

    pipeline.publish(campaign_file(goal={"impressions": 1}))  # lowered below what is delivered: none counts
    pipeline.seen(third)
    assert net(pipeline) == (2, 0, 0)
    assert pipeline.invalid() == {"over": 1}


def test_a_length_that_the_creative_lacks_counts_under_the_servers_own(pipeline: Pipeline) -> None:
    document = campaign_file()
    del document["campaigns"][0]["creatives"][0]["variants"]["long"]  # type: ignore[union-attr, index, call-overload, arg-type]
    pipeline.publish(document)

    pipeline.seen(pipeline.decide()["token"], query="?variant=long")

    by_variant = pipeline.counts("variant")
    assert {variant: row["impressions"] for variant, row in by_variant.items()} == {"auto": 1}


def test_where_the_request_named_a_length_any_other_counts_under_it(pipeline: Pipeline) -> None:
    pipeline.seen(pipeline.decide("?variant=name")["token"], query="?variant=long")

    by_variant = pipeline.counts("variant")
    assert {variant: (row["fills"], row["impressions"]) for variant, row in by_variant.items()} == {"name": (1, 1)}


def test_under_auto_events_count_under_the_length_that_the_first_reports(pipeline: Pipeline) -> None:
    decision = pipeline.decide()
    assert (decision["variant"], decision["text"]) == ("long", LONG)
    pipeline.seen(decision["token"], query="?variant=short")
    pipeline.click(decision["token"], query="?v=long")

    by_variant = pipeline.counts("variant")
    assert {variant: (row["fills"], row["impressions"], row["clicks"]) for variant, row in by_variant.items()} == {
        "auto": (1, 0, 0),
        "short": (0, 1, 1),
    }


def test_head_leaves_no_trace(pipeline: Pipeline) -> None:
    token = pipeline.decide()["token"]
    before = pipeline.counts()

    assert pipeline.client.head(f"/v1/seen/{token}.gif", headers=READER).status_code == 200
    click = pipeline.client.head(f"/go/{token}", headers=READER)
    assert (click.status_code, click.headers["Location"]) == (302, "https://qwiket.com/")
    assert pipeline.client.head("/v1/slots/masthead").status_code == 200

    assert pipeline.counts() == before
    pipeline.seen(token)
    assert net(pipeline) == (1, 0, 0)


@pytest.mark.parametrize(
    "header",
    [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
    ],
)
def test_what_a_browser_fetches_ahead_is_kept_apart_and_not_even_gross(
    pipeline: Pipeline, header: tuple[str, str]
) -> None:
    token = pipeline.decide()["token"]
    pipeline.seen(token, headers={**READER, header[0]: header[1]})

    totals = pipeline.counts()[()]
    assert (totals["impressions"], totals["gross"]) == (0, 0)
    assert pipeline.invalid() == {"prefetch": 1}

    pipeline.seen(token)  # the reader came to see it
    assert net(pipeline) == (1, 0, 0)


def test_an_empty_user_agent_counts_as_no_user_agent(pipeline: Pipeline) -> None:
    pipeline.seen(pipeline.decide()["token"], headers={"User-Agent": ""})

    assert net(pipeline) == (0, 0, 0)
    assert pipeline.invalid() == {"no_user_agent": 1}


def test_what_a_client_says_of_its_address_or_time_is_ignored(pipeline: Pipeline) -> None:
    token = pipeline.decide()["token"]
    pipeline.clock.pass_by(hours=3)
    headers = {**READER, "X-Forwarded-For": "203.0.113.9", "Date": "Thu, 01 Jan 1970 00:00:00 GMT"}
    pipeline.seen(token, headers=headers, query="?at=0&now=0&timestamp=0")

    assert pipeline.invalid() == {"expired": 1}


def test_a_batch_of_101_events_or_of_a_megabyte_is_refused_whole(pipeline: Pipeline) -> None:
    event = {"token": pipeline.decide()["token"], "kind": "seen"}

    assert pipeline.events(*[event] * 101).status_code == 413
    assert pipeline.client.post("/v1/seen", data=b"x" * 1_000_000, headers=READER).status_code == 413
    assert net(pipeline) == (0, 0, 0)
    assert pipeline.invalid() == {}


def test_a_bad_event_among_good_ones_leaves_the_good_ones_counted(pipeline: Pipeline) -> None:
    first, second = pipeline.decide()["token"], pipeline.decide()["token"]
    response = pipeline.events(
        {"token": first, "kind": "seen"},
        {"token": 5, "kind": "seen"},
        {"kind": "seen"},
        {"token": first, "kind": "bought"},
        {"token": second, "kind": "viewable", "variant": "short"},
    )

    assert response.status_code == 204
    assert net(pipeline) == (2, 1, 0)


def test_half_a_surrogate_in_one_event_leaves_the_good_ones_counted(pipeline: Pipeline) -> None:
    good = pipeline.decide()["token"]
    body = f'{{"events":[{{"token":"\\ud800","kind":"seen"}},{{"token":"{good}","kind":"seen"}},NaN]}}'

    assert pipeline.client.post("/v1/seen", data=body, headers=READER).status_code == 204
    assert net(pipeline) == (1, 0, 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"events": 5}', b"\xff\xfe", b"[" * 60_000])
def test_a_batch_that_cannot_be_read_is_400(pipeline: Pipeline, body: bytes) -> None:
    assert pipeline.client.post("/v1/seen", data=body, headers=READER).status_code == 400


def test_a_token_of_a_key_that_is_not_live_counts_as_signature(pipeline: Pipeline) -> None:
    live = TokenCodec(pipeline.settings.secret_keys)
    token = live.decode(pipeline.decide()["token"])

    pipeline.seen(OTHER_KEY.encode(token))

    assert pipeline.invalid() == {"signature": 1}


def test_counts_agree_in_all_three_families(pipeline: Pipeline) -> None:
    for place in ("Remer,MN", "Fargo,ND", ""):
        token = pipeline.decide(f"?location={place}")["token"]
        pipeline.seen(token)
        pipeline.click(token)

    totals = pipeline.counts()[()]
    for dimension in ("flight", "place", "topic", "time:day", "time:hour", "slot", "site", "advertiser"):
        by = pipeline.counts(dimension)
        assert {name: sum(row[name] for row in by.values()) for name in totals} == totals, dimension
    assert {place: row["impressions"] for place, row in pipeline.counts("place").items()} == {
        "us-mn-remer": 1,
        "us-nd-fargo": 1,
        "(unknown)": 1,
    }
