"""How often people may call, and that pages may always."""

import threading

import pytest
from catalog_bench import campaign, campaign_file
from flask import Flask, Response
from flask.testing import FlaskClient
from management_desk import ADMIN, Desk, desk

from adserver.web.auth import Principal, Role, require
from adserver.web.limits import CallLimit, GuardedAuthenticator, TooManyCalls, caller_key
from adserver.web.problems import install_problems


class Clock:
    """Monotonic seconds, as the test sets them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def passed(limit: CallLimit, key: bytes, calls: int) -> int:
    """Return how many of some calls at once get through."""
    count = 0
    for _ in range(calls):
        try:
            limit.take(key)
        except TooManyCalls:
            continue
        count += 1
    return count


def test_a_rested_caller_may_burst_and_is_then_held_to_the_rate() -> None:
    clock = Clock()
    limit = CallLimit(clock, calls_a_second=20, burst=40)
    assert passed(limit, b"a", 100) == 40
    clock.now += 1.0
    assert passed(limit, b"a", 100) == 20
    clock.now += 3600.0
    assert passed(limit, b"a", 100) == 40


def test_twenty_calls_a_second_always_pass_whenever_in_the_second_they_come() -> None:
    clock = Clock()
    limit = CallLimit(clock)
    for second in range(60):
        clock.now = float(second)
        assert passed(limit, b"a", 20) == 20


def test_callers_have_limits_of_their_own() -> None:
    limit = CallLimit(Clock(), burst=1)
    assert [passed(limit, key, 2) for key in (b"a", b"b")] == [1, 1]


@pytest.mark.parametrize(("rate", "seconds"), [(20.0, 1), (0.5, 2), (0.3, 4), (0.1, 10)])
def test_the_wait_that_is_told_is_enough(rate: float, seconds: int) -> None:
    clock = Clock()
    limit = CallLimit(clock, calls_a_second=rate, burst=1)
    limit.take(b"a")
    with pytest.raises(TooManyCalls) as refused:
        limit.take(b"a")
    assert refused.value.retry_after_seconds == seconds
    clock.now += seconds
    limit.take(b"a")


def test_a_refused_call_costs_nothing() -> None:
    clock = Clock()
    limit = CallLimit(clock, calls_a_second=1, burst=1)
    passed(limit, b"a", 1000)
    clock.now += 1.0
    limit.take(b"a")


def test_memory_is_bounded_and_who_calls_is_not_forgotten() -> None:
    limit = CallLimit(Clock(), burst=1, most_buckets=10)
    limit.take(b"busy")
    for number in range(1000):
        limit.take(number.to_bytes(2, "big"))
        for key in (b"busy", number.to_bytes(2, "big")):
            with pytest.raises(TooManyCalls):
                limit.take(key)
    assert len(limit) == 10


def test_threads_at_once_get_no_more_than_there_is() -> None:
    limit = CallLimit(Clock(), burst=500)
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(passed(limit, b"a", 200))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 500


class OneToken:
    """Knows one token."""

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        return Principal("ann", Role.ADMIN) if authorization_header == "Bearer right" else None


def guarded(limit: CallLimit) -> FlaskClient:
    app = Flask(__name__)
    install_problems(app)
    authenticator = GuardedAuthenticator(OneToken(), limit)
    app.add_url_rule("/", "view", lambda: Response(require(authenticator).name))
    return app.test_client()


def guess(client: FlaskClient, token: str, address: str = "203.0.113.9") -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return client.get("/", headers=headers, environ_overrides={"REMOTE_ADDR": address}).status_code


def test_an_address_may_try_only_so_many_wrong_tokens() -> None:
    client = guarded(CallLimit(Clock(), burst=3))
    assert [guess(client, f"wrong-{number}") for number in range(5)] == [401, 401, 401, 429, 429]
    assert guess(client, "wrong", "203.0.113.10") == 401


def test_a_valid_token_passes_from_an_address_that_guessed() -> None:
    client = guarded(CallLimit(Clock(), burst=1))
    assert [guess(client, token) for token in ("wrong", "wrong", "right", "wrong")] == [401, 429, 200, 429]


def test_who_shows_no_token_guesses_nothing() -> None:
    client = guarded(CallLimit(Clock(), burst=1))
    assert [client.get("/").status_code for _ in range(3)] == [401] * 3


def test_no_token_is_kept_but_as_a_hash() -> None:
    app = Flask(__name__)
    with app.test_request_context(headers={"Authorization": "Bearer adsv_secret"}):
        one = caller_key()
    with app.test_request_context(headers={"Authorization": "bearer  adsv_secret "}):
        assert caller_key() == one
    with app.test_request_context(headers={"Authorization": "Bearer adsv_other"}):
        assert caller_key() != one
    assert b"secret" not in one


def limited_desk(burst: int) -> Desk:
    made = desk()
    made.uploads = CallLimit(Clock(), burst=burst)
    made.__post_init__()
    return made


def test_uploads_over_the_limit_are_429_with_the_wait_and_change_nothing() -> None:
    made = limited_desk(burst=2)
    assert made.put_slots([]).status_code == 422
    assert made.post(campaign_file(campaign("summer")), "?dry_run=true").status_code == 200
    refused = made.post(campaign_file(campaign("autumn")))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.content_type == "application/problem+json"
    assert made.put_slots([]).status_code == 429
    assert made.bench.live_campaigns() == ["spring"]
    assert made.get("/v1/campaigns").status_code == 200


def test_a_token_that_may_not_upload_has_no_limit_to_use_up() -> None:
    made = limited_desk(burst=1)
    analyst = {"Authorization": "Bearer analyst"}
    assert [made.put_slots([], headers=analyst).status_code for _ in range(3)] == [403] * 3
    assert made.put_slots([], headers=ADMIN).status_code == 422
