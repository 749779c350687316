"""The webhook against a real server: one signed POST a notice, no redirect followed, nothing lost where it is down."""

import json
import socket
import time

import pytest
from alert_scenes import make_notices
from hook_receiver import running_receiver

from adserver.alerts.notice import make_test_notice
from adserver.alerts.signing import sign
from adserver.alerts.webhook import Webhook

SECRET = "a secret of these tests"
LINK = "https://ads.example/console/alerts"


def test_each_notice_is_one_signed_post() -> None:
    first, second = make_notices("behind_plan:minnesota", "gaps", at=1_795_532_400.0)
    with running_receiver() as receiver:
        delivery = Webhook(receiver.url, SECRET, LINK).send((first, second), 1_795_532_500.7)
    assert (dict(delivery.outcomes), delivery.fault) == ({first.id: True, second.id: True}, "")
    post, other = receiver.received
    assert post.path == "/hook?room=7"
    assert post.headers["Content-Type"] == "application/json"
    assert (post.headers["Adserver-Notice"], other.headers["Adserver-Notice"]) == (first.id, second.id)
    assert post.headers["Adserver-Timestamp"] == "1795532500"
    assert post.headers["Adserver-Signature"] == sign(SECRET, 1_795_532_500, post.body)
    assert SECRET not in str(post)
    assert json.loads(post.body) == {
        "version": 1,
        "id": first.id,
        "event": "began",
        "at": "2026-11-24T15:00:00Z",
        "alert": {
            "id": "behind_plan:minnesota",
            "kind": "behind_plan",
            "severity": "warning",
            "title": first.alert.title,
            "text": first.alert.text,
            "advice": first.alert.advice,
            "advertisers": ["qwiket"],
            "campaign": None,
            "flight": None,
            "slot": None,
            "since": "2026-11-24T15:00:00Z",
        },
        "link": LINK,
    }


def test_a_signature_is_pinned() -> None:
    by_openssl = "108a6b09a99352c780bbbd42b0558094d4d3b7ef6d3ab3bde1808ff8ec63c3d0"
    assert sign("secret", 1_764_000_000, b'{"version":1}') == f"v1={by_openssl}"


@pytest.mark.parametrize("status", [400, 404, 410, 301, 302])
def test_a_notice_that_is_refused_holds_up_no_other(status: int) -> None:
    first, second = make_notices("gaps", "drops")
    with running_receiver() as receiver:
        receiver.answers = [status]
        delivery = Webhook(receiver.url, SECRET, None).send((first, second), 1.0)
    assert dict(delivery.outcomes) == {first.id: False, second.id: True}
    assert delivery.fault == f"the receiver answered {status}"
    assert len(receiver.received) == 2, "no redirect is followed"


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_receiver_that_is_busy_is_left_alone(status: int) -> None:
    first, second = make_notices("gaps", "drops")
    with running_receiver() as receiver:
        receiver.answers = [status]
        delivery = Webhook(receiver.url, SECRET, None).send((first, second), 1.0)
    assert dict(delivery.outcomes) == {first.id: False, second.id: None}
    assert len(receiver.received) == 1


def test_one_that_is_away_is_told_without_its_address() -> None:
    with running_receiver() as receiver:
        url = receiver.url
    first, second = make_notices("gaps", "drops")
    delivery = Webhook(url, SECRET, None).send((first, second), 1.0)
    assert dict(delivery.outcomes) == {first.id: False, second.id: None}
    assert delivery.fault == "the receiver cannot be reached: Connection refused"


def test_one_that_hangs_is_waited_for_only_so_long() -> None:
    [notice] = make_notices("gaps")
    with running_receiver(hangs=True) as receiver:
        began = time.monotonic()
        delivery = Webhook(receiver.url, SECRET, None, answer_seconds=0.2).send((notice,), 1.0)
        assert time.monotonic() - began < 5
    assert delivery.fault == "the receiver cannot be reached: no answer in time"
    assert dict(delivery.outcomes) == {notice.id: False}


def test_what_is_no_answer_is_none() -> None:
    [notice] = make_notices("gaps")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        webhook = Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/", SECRET, None, answer_seconds=0.5)
        delivery = webhook.send((notice,), 1.0)
    assert dict(delivery.outcomes) == {notice.id: False}


def test_a_test_says_that_it_is_one() -> None:
    with running_receiver() as receiver:
        Webhook(receiver.url, SECRET, None).send((make_test_notice(1.0),), 1.0)
    assert json.loads(receiver.received[0].body)["event"] == "test"
