"""What every answer of the application has in common."""

import pytest
from flask import Blueprint, Response
from werkzeug.test import TestResponse

from adserver.web.app import PAGE_POLICY, AppParts, create_app
from adserver.web.hosts import HostRules


def answer(response: Response) -> TestResponse:
    blueprint = Blueprint("test", __name__)
    blueprint.add_url_rule("/", "view", lambda: response)
    return create_app(AppParts((blueprint,), HostRules())).test_client().get("/")


def test_a_page_gets_a_policy_that_lets_in_nothing_foreign() -> None:
    headers = answer(Response("<p>")).headers
    assert headers["Content-Security-Policy"] == PAGE_POLICY
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_with_a_policy_of_its_own_keeps_it() -> None:
    headers = answer(Response("<p>", headers={"Content-Security-Policy": "default-src 'none'"})).headers
    assert headers["Content-Security-Policy"] == "default-src 'none'"
    assert "Referrer-Policy" not in headers
    assert "X-Frame-Options" not in headers


@pytest.mark.parametrize("status", [204, 302])
def test_a_redirect_tells_the_sponsor_where_the_click_came_from(status: int) -> None:
    assert "Referrer-Policy" not in answer(Response(status=status, headers={"Location": "https://a.example/"})).headers
