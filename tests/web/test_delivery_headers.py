"""Who may read what from where, and what may be kept."""

import pytest
from delivery_stand import Stand

OPEN = ["/v1/slots/masthead", "/v1/slots/masthead.html", "/v1/decisions", "/v1/seen", "/slot.js", "/slot.css"]
CLOSED = ["/v1/frames/masthead", "/v1/seen/x.gif", "/go/x", "/demo/"]
POSTED = {"/v1/decisions", "/v1/seen"}


@pytest.mark.parametrize("path", OPEN)
def test_any_origin_may_read_the_open_calls_without_credentials(path: str) -> None:
    client, headers = Stand().client(), {"Origin": "https://news.example"}
    method = "POST" if path in POSTED else "GET"
    for answer in (
        client.open(path, method=method, headers=headers),  # posted empty: refused, and the page may read why
        client.options(path, headers={**headers, "Access-Control-Request-Method": method}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Sponsor-No-Fill" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("path", OPEN)
def test_a_preflight_names_methods_and_the_one_header(path: str) -> None:
    answer = Stand().client().options(path)
    assert answer.status_code == 200
    assert ("POST" if path in POSTED else "GET") in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_else_is_open_to_other_origins(path: str) -> None:
    client = Stand().client()
    for answer in (client.get(path, headers={"Origin": "https://news.example"}), client.options(path)):
        assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118 - pairs


@pytest.mark.parametrize("path", [*OPEN, *CLOSED, "/v1/slots/UPPER", "/v1/slots/masthead?variant=big"])
def test_browsers_are_told_not_to_guess_types(path: str) -> None:
    method = "POST" if path in POSTED else "GET"
    assert Stand().client().open(path, method=method).headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/slot.js", "/slot.css"])
def test_the_linked_files_are_kept_for_an_hour_and_revalidated_by_tag(path: str) -> None:
    client = Stand().client()
    first = client.get(path)
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_linked_files_have_their_types() -> None:
    client = Stand().client()
    assert client.get("/slot.js").headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert client.get("/slot.css").headers["Content-Type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("path", [*OPEN, *CLOSED[:-1], "/v1/slots/UPPER.html", "/v1/slots/masthead?variant=big"])
def test_an_isolated_page_may_still_embed_them(path: str) -> None:
    method = "POST" if path in POSTED else "GET"
    assert Stand().client().open(path, method=method).headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_an_isolated_page_may_hold_the_frame_which_must_isolate_itself_too() -> None:
    assert Stand().client().get("/v1/frames/masthead").headers["Cross-Origin-Embedder-Policy"] == "require-corp"


def test_the_top_leads_to_the_demo_page_where_that_is_on() -> None:
    answer = Stand().client().get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/demo/")
    assert answer.headers.get("Cross-Origin-Resource-Policy") is None


def test_under_a_path_of_another_host_the_top_leads_to_the_page_there() -> None:
    answer = Stand().client().get("/", environ_overrides={"SCRIPT_NAME": "/sponsors"})
    assert answer.headers["Location"] == "/sponsors/demo/"


def test_the_demo_page_is_not_stored_and_runs_only_the_services_own_files() -> None:
    answer = Stand().client().get("/demo/")
    assert answer.headers["Cache-Control"] == "private, no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "unsafe" not in policy


def test_the_demo_page_is_a_page_view_of_its_slots() -> None:
    stand = Stand()
    page = stand.client().get("/demo/").text
    assert page.count('<div class="sponsor">') == 5
    assert [fill.variant.value for fill in stand.recorder.fills] == ["name", "name", "short", "long", "auto"]
    assert "Jun 20, 2025 | 0 | Remer,MN" in page


def test_the_demo_page_stands_where_nothing_runs() -> None:
    stand = Stand()
    stand.catalog.snapshot = None
    answer = stand.client().get("/demo/")
    assert answer.status_code == 200
    assert "sponsored" not in answer.text


def test_head_on_the_demo_page_leaves_no_trace() -> None:
    stand = Stand()
    assert stand.client().head("/demo/").status_code == 200
    assert stand.recorder.all == []
