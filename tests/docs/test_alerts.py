"""What the page of alerts says: every kind, the body of a webhook, and the check of a signature, which runs."""

import json
from collections.abc import Callable
from typing import cast

import pytest
from alert_scenes import make_alert, make_notices
from doc_pages import blocks_of, first_codes, is_like, rows_of, section
from hook_receiver import running_receiver

from adserver.alerts.alert import SEVERITY_OF, AlertKind
from adserver.alerts.notice import Happening, make_notice, payload
from adserver.alerts.webhook import Webhook
from adserver.config_alerts import ALERT_SETTINGS

KINDS = "## What there are alerts of"
SECRET = "a secret of these tests"


def block(language: str) -> str:
    [found] = [each.text for each in blocks_of("alerts.md") if each.language == language]
    return found


def is_genuine() -> Callable[[str, dict[str, str], bytes, float], bool]:
    names: dict[str, object] = {}
    exec(block("python"), names)  # noqa: S102 - the documents' own
    return cast("Callable[[str, dict[str, str], bytes, float], bool]", names["is_genuine"])


def test_every_kind_is_documented_with_its_severity_in_the_order_of_the_code() -> None:
    assert first_codes(section("alerts.md", KINDS)) == list(AlertKind)
    assert [row[1] for row in rows_of(section("alerts.md", KINDS))] == [SEVERITY_OF[kind] for kind in AlertKind]


def test_the_settings_of_each_way_are_named() -> None:
    names = first_codes(section("alerts.md", "## By mail")) + first_codes(section("alerts.md", "## By webhook"))
    assert sorted(name for name in names if name.startswith("ADSERVER_")) == sorted(one.name for one in ALERT_SETTINGS)


def test_the_body_is_as_it_is_shown() -> None:
    at = 1_795_532_400.0
    alert = make_alert(since=at, campaign="qwiket-season", flight="minnesota")
    sent = payload(make_notice(Happening.BEGAN, alert, at), "https://ads.news.example/console/alerts")
    assert is_like(json.loads(block("json")), json.loads(sent))
    assert list(json.loads(sent)) == list(json.loads(block("json")))


def test_what_is_sent_is_genuine_by_the_check_and_nothing_else_is() -> None:
    with running_receiver() as receiver:
        Webhook(receiver.url, SECRET, None).send(make_notices("gaps"), 1_000_000.0)
    [post] = receiver.received
    headers, check = dict(post.headers), is_genuine()
    assert check(SECRET, headers, post.body, 1_000_010.0)
    assert not check("another secret here", headers, post.body, 1_000_010.0)
    assert not check(SECRET, headers, post.body.replace(b"gaps", b"gasp"), 1_000_010.0)
    assert not check(SECRET, headers, post.body, 1_000_301.0)
    assert not check(SECRET, {**headers, "Adserver-Timestamp": "1000200"}, post.body, 1_000_301.0)


@pytest.mark.parametrize("event", Happening)
def test_every_event_is_documented(event: Happening) -> None:
    assert f"`{event}`" in section("alerts.md", "## By webhook")
