"""Every call of the service under `/v1` has a line in the description, and no line is of a call that is not there."""

import re
from pathlib import Path

from flask import Flask
from pipeline import TOKEN, Clock, load_gazetteer

from adserver.config import Settings
from adserver.runtime.app import make_app
from adserver.web.api_calls import CALLS


def routes_of(app: Flask) -> set[str]:
    """Return the calls under `/v1`, as `GET /v1/slots`."""
    return {
        f"{method} {re.sub('<[a-z]+:', '<', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/")
    }


def test_each_call_has_a_line_in_the_table(tmp_path: Path) -> None:
    settings = Settings(
        redis_url="unix:///nowhere/redis.sock", data_dir=tmp_path, admin_token=TOKEN, secret_keys=(b"k" * 32,)
    )
    app, upkeep = make_app(settings, load_gazetteer(), Clock())
    upkeep.stop()
    assert {f"{call.method} {call.path}" for call in CALLS} == routes_of(app)
