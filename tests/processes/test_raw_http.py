"""What may be thrown at the real servers over a socket, row by row, and that they go on answering.

`zq7` stands in all that is sent and must not come back, nor stand in the log, however it is encoded.
"""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest
from raw_http import Answer, exchange, request
from service import Service, running_service

DELIVERY = ("/v1/slots/masthead", "/v1/slots/masthead.html", "/v1/frames/masthead", "/slot.js", "/slot.css")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service")) as service:
        yield service
        assert "Traceback" not in service.said()
        assert "zq7" not in service.said()
        assert "127.0.0.1 " not in service.said()


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("public")
    with running_service(folder, ADSERVER_WORKERS="1", ADSERVER_PUBLIC_URL="https://sponsors.example") as service:
        yield service


def ask(service: Service, path: str, *headers: str, method: str = "GET", host: str | None = "localhost") -> Answer:
    return exchange(service.port, request(path, *headers, method=method, host=host))


def post(service: Service, path: str, body: object, *headers: str, method: str = "POST") -> Answer:
    data = json.dumps(body).encode()
    kind = ("Content-Type: application/json", f"Content-Length: {len(data)}")
    return exchange(service.port, request(path, *kind, *headers, method=method) + data)


def bearer(service: Service) -> str:
    return f"Authorization: {service.admin()['Authorization']}"


def problem(answer: Answer, status: int) -> dict[str, object]:
    assert answer.status == status, answer.sent
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert b"zq7" not in answer.sent
    document: dict[str, object] = json.loads(answer.body)
    assert document["status"] == status
    return document


class TestHost:
    @pytest.mark.parametrize("path", ["/v1/slots/masthead", "/v1/campaigns", "/demo/", "/slot.js", "/nowhere"])
    def test_a_foreign_one_is_refused_and_the_setting_named(self, service: Service, path: str) -> None:
        assert "ADSERVER_ALLOWED_HOSTS" in str(problem(ask(service, path, host="zq7.example"), 400)["detail"])

    @pytest.mark.parametrize("path", ["/v1/slots/masthead.html", "/v1/frames/masthead"])
    def test_a_foreign_one_prints_nothing_on_a_page(self, service: Service, path: str) -> None:
        answer = ask(service, path, host="zq7.example")
        assert (answer.status, answer.body) == (400, b"")

    @pytest.mark.parametrize("path", DELIVERY)
    def test_with_a_public_url_delivery_does_not_look_at_it(self, public: Service, path: str) -> None:
        answer = ask(public, f"{path}?location=Remer,MN", host="zq7.example")
        assert answer.status == 200
        assert b"zq7" not in answer.sent

    def test_with_a_public_url_links_begin_with_it(self, public: Service) -> None:
        decision = json.loads(ask(public, "/v1/slots/masthead?location=Remer,MN", host="zq7.example").body)
        assert decision["click_url"].startswith("https://sponsors.example/go/")
        assert decision["seen_url"].startswith("https://sponsors.example/v1/seen/")
        assert 'href="https://sponsors.example/go/' in decision["html"]

    @pytest.mark.parametrize("path", ["/v1/campaigns", "/v1/query", "/demo/"])
    def test_with_a_public_url_all_else_still_does(self, public: Service, path: str) -> None:
        problem(ask(public, path, host="zq7.example"), 400)

    def test_the_forwarded_one_is_ignored(self, service: Service) -> None:
        decision = json.loads(
            ask(
                service,
                "/v1/slots/masthead",
                "X-Forwarded-Host: zq7.example",
                "Forwarded: host=zq7.example;proto=https",
            ).body
        )
        assert decision["click_url"].startswith("http://localhost/go/")
        problem(ask(service, "/v1/campaigns", "X-Forwarded-Host: localhost", host="zq7.example"), 400)

    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_health_takes_any(self, service: Service, path: str) -> None:
        assert ask(service, path, host="10.1.2.3").status == 200

    @pytest.mark.parametrize("path", ["/healthz", "/v1/slots/masthead", "/demo/"])
    def test_none_is_refused(self, service: Service, public: Service, path: str) -> None:
        assert ask(service, path, host=None).status == 400
        assert ask(public, path, host=None).status == 400

    def test_two_are_refused(self, service: Service) -> None:
        assert ask(service, "/v1/campaigns", "Host: zq7.example").status == 400


class TestQuery:
    @pytest.mark.parametrize(
        "query",
        [
            "variant=short&variant=long",
            "variant=short&variant=short",
            "location=a&location=b",
            "max_chars=10&max_chars=20",
        ],
    )
    def test_a_single_valued_name_given_twice_is_refused_by_name(self, service: Service, query: str) -> None:
        name = query.partition("=")[0]
        document = problem(ask(service, f"/v1/slots/masthead?{query}"), 400)
        assert [error["path"] for error in document["errors"]] == [name]  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("&".join(f"topic=t{number}" for number in range(21)), "topic"),
            ("topic=" + ",".join(f"t{number}" for number in range(21)), "topic"),
            ("topic=" + "a" * 65, "topic"),
            ("location=" + "a" * 300, "location"),
            ("variant=tall", "variant"),
            ("max_chars=0", "max_chars"),
            ("max_chars=" + "9" * 300, "max_chars"),
            ("exclude=" + "a" * 65, "exclude"),
        ],
    )
    def test_what_is_too_much_is_refused_by_name_and_prints_nothing_on_a_page(
        self, service: Service, query: str, name: str
    ) -> None:
        document = problem(ask(service, f"/v1/slots/masthead?{query}"), 400)
        assert [error["path"] for error in document["errors"]] == [name]  # type: ignore[attr-defined]
        for path in ("/v1/slots/masthead.html", "/v1/frames/masthead"):
            answer = ask(service, f"{path}?{query}")
            assert (answer.status, answer.body) == (400, b"")

    def test_twenty_topics_and_unknown_names_are_taken(self, service: Service) -> None:
        topics = ",".join(f"t{number}" for number in range(20))
        assert ask(service, f"/v1/slots/masthead?topic={topics}&colour=red&colour=blue&utm_source=x").status == 200

    @pytest.mark.parametrize("name", ["location", "topic", "variant", "max_chars", "exclude", "callback", "zq7", "v"])
    @pytest.mark.parametrize(
        "path", [*DELIVERY, "/v1/seen/zq7.gif", "/go/zq7", "/demo/", "/readyz", "/nowhere", "/v1/campaigns"]
    )
    def test_markup_in_a_value_is_never_reflected(self, service: Service, path: str, name: str) -> None:
        for value in (
            "zq7%3Cscript%3Ealert(1)%3C/script%3Ezq7",
            "zq7%22%27%3E%3Cimg+src=x+onerror=y%3E",
            "zq7<b>'\"zq7",
        ):
            answer = ask(service, f"{path}?{name}={value}")
            assert answer.status < 500
            assert b"zq7" not in answer.sent


class TestPath:
    @pytest.mark.parametrize(
        "slot",
        [
            "mast%00head",
            "%00",
            "zq7%00zq7",
            "../zq7",
            "..%2f..%2fzq7",
            "%2e%2e/%2e%2e/zq7",
            "..%5czq7",
            "zq7" * 100,
            "zq7%3Cscript%3E",
            "MASTHEAD-ZQ7",
            "zq7%ff%fe",
            "zq7%0d%0aSet-Cookie:%20a=b",
        ],
    )
    @pytest.mark.parametrize("prefix", ["/v1/slots/", "/v1/frames/"])
    def test_a_malformed_slot_is_not_found_and_leaves_no_trace(self, service: Service, prefix: str, slot: str) -> None:
        for end in ("", ".html"):
            answer = ask(service, f"{prefix}{slot}{end}")
            assert answer.status == 404
            assert b"zq7" not in answer.sent.lower()
            assert answer.headers["Set-Cookie"] is None

    @pytest.mark.parametrize("path", ["/../../etc/passwd", "//zq7.example/%2e%2e", "/demo/../zq7", "/static/..%2fzq7"])
    def test_nothing_outside_is_reached_and_no_redirect_leaves(self, service: Service, path: str) -> None:
        answer = ask(service, path)
        assert answer.status == 404
        assert b"root:" not in answer.sent
        assert b"zq7" not in answer.sent


class TestFraming:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            (["Content-Length: 3", "Transfer-Encoding: chunked"], 400),
            (["Transfer-Encoding: chunked", "Content-Length: 3"], 400),
            (["Content-Length: 3", "Content-Length: 4"], 400),
            (["Content-Length: 3, 3"], 400),
            (["Content-Length: -1"], 400),
            (["Content-Length: +3"], 400),
            (["Content-Length: zq7"], 400),
            (["Transfer-Encoding: chunked, identity"], 400),
            (["Transfer-Encoding: zq7"], 501),
            (["Transfer-Encoding : chunked"], 400),
            (["X-A: b\r\n folded-zq7"], 400),
            (["zq7<script>: b"], 400),
            (["X-A: zq7\x00"], 400),
            ([f"X-{number}: zq7" for number in range(101)], 431),
            (["X-Long: " + "zq7" * 3000], 431),
            (["Cookie: " + "zq7" * 3000], 431),
        ],
    )
    def test_what_two_servers_could_read_differently_or_is_too_long_is_refused(
        self, service: Service, headers: list[str], status: int
    ) -> None:
        answer = exchange(service.port, request("/v1/seen", *headers, method="POST") + b"0\r\n\r\n")
        problem(answer, status)
        assert answer.headers["Connection"] == "close"

    @pytest.mark.parametrize("path", ["/v1/slots/masthead?location=", "/v1/slots/", "/"])
    def test_a_line_of_five_thousand_bytes_is_too_long(self, service: Service, path: str) -> None:
        problem(ask(service, path + "zq7" * 1700), 414)

    @pytest.mark.parametrize(
        "line",
        ["GET /zq7", "zq7", "GET /zq7 HTTP/9.9", "GET  /zq7  HTTP/1.1", "G\x00T /zq7 HTTP/1.1", "\x16\x03\x01zq7"],
    )
    def test_a_line_that_is_none_is_refused(self, service: Service, line: str) -> None:
        answer = exchange(service.port, f"{line}\r\nHost: localhost\r\n\r\n".encode("latin-1"))
        problem(answer, 400)

    def test_a_second_request_hidden_in_a_body_is_not_answered(self, service: Service) -> None:
        hidden = request("/healthz")
        smuggled = (
            b"POST /v1/seen HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(hidden))
        )
        answer = exchange(service.port, smuggled + hidden)
        assert answer.sent.count(b"HTTP/1.1 ") == 1
        assert answer.status == 400

    @pytest.mark.parametrize(
        ("path", "size"),
        [("/v1/seen", 2**20), ("/v1/decisions", 2**20), ("/v1/campaigns", 10**7), ("/v1/query", 10**7)],
    )
    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_that_is_too_large_is_refused_before_it_is_read_whole(
        self, service: Service, path: str, size: int, chunked: bool
    ) -> None:
        kind = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        head = request(path, bearer(service), "Content-Type: application/json", kind, method="POST")
        body = b"".join(b"10000\r\n%s\r\n" % (b" " * 65_536) for _ in range(size // 65_536 + 1)) + b"0\r\n\r\n"
        # Declared: refused by its length, with not a byte of it there.
        problem(exchange(service.port, head + (body if chunked else b"")), 413)


class TestCalls:
    def test_fifty_one_slots_are_refused_by_name(self, service: Service) -> None:
        slots = [{"id": str(number), "slot": "masthead"} for number in range(51)]
        document = problem(post(service, "/v1/decisions", {"slots": slots}), 400)
        assert [error["path"] for error in document["errors"]] == ["slots"]  # type: ignore[attr-defined]
        assert post(service, "/v1/decisions", {"slots": slots[:50]}).status == 200

    @pytest.mark.parametrize(
        ("page", "name"),
        [
            ({"topics": [f"t{number}" for number in range(21)]}, "topics"),
            ({"location": "zq7" * 100}, "location"),
            ({"slots": [{"id": "a", "slot": "../zq7"}]}, "slots[0].slot"),
            ({"slots": [{"id": "a", "slot": "masthead"}] * 2}, "slots[1].id"),
        ],
    )
    def test_what_is_too_much_for_a_page_is_refused_by_name(
        self, service: Service, page: dict[str, object], name: str
    ) -> None:
        document = problem(post(service, "/v1/decisions", {"slots": [], **page}), 400)
        assert [error["path"] for error in document["errors"]] == [name]  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/v1/campaigns"),
            ("GET", "/v1/campaigns/qwiket-season"),
            ("POST", "/v1/campaigns"),
            ("GET", "/v1/slots"),
            ("PUT", "/v1/slots"),
            ("GET", "/v1/revisions"),
            ("POST", "/v1/query"),
            ("POST", "/v1/query.csv"),
        ],
    )
    def test_without_a_token_or_with_a_wrong_one_nothing_is_told(
        self, service: Service, method: str, path: str
    ) -> None:
        for headers in ((), ("Authorization: Bearer adsv_zq7",), ("Authorization: Basic enE3Og==",)):
            answer = ask(service, path, *headers, "Content-Length: 0", method=method)
            problem(answer, 401)
            assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_a_method_that_an_address_does_not_take_is_told_which_it_does(self, service: Service) -> None:
        answer = ask(service, "/v1/slots/masthead", "Content-Length: 0", method="DELETE")
        problem(answer, 405)
        assert "GET" in answer.headers["Allow"]


class TestPages:
    @pytest.mark.parametrize(
        "path",
        [
            "/demo/",
            "/v1/slots/masthead.html?location=Remer,MN",
            "/v1/slots/nowhere.html",
            "/v1/slots/masthead.html?variant=x",
            "/v1/frames/masthead?location=Remer,MN",
            "/v1/frames/nowhere",
            "/v1/frames/masthead?variant=x",
            "/v1/frames/-",
        ],
    )
    def test_every_html_page_tells_browsers_what_not_to_do(self, service: Service, path: str) -> None:
        headers = ask(service, path).headers
        assert headers.get_content_type() == "text/html"
        assert headers["X-Content-Type-Options"] == "nosniff"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith(("default-src 'none'", "default-src 'self'"))
        assert "unsafe" not in policy
        assert ("frame-ancestors" in policy) or path == "/demo/"
        assert headers["Set-Cookie"] is None

    def test_a_redirect_shows_no_page_of_its_own(self, service: Service) -> None:
        answer = ask(service, "/demo?zq7=1")
        assert answer.status == 308
        assert answer.body == b""


class TestOneConnection:
    """What gunicorn's own worker does by itself, and ours does in its own way."""

    def test_requests_sent_at_once_are_all_answered_in_their_order(self, service: Service) -> None:
        paths = ("/v1/slots/masthead?location=Remer,MN", "/nowhere", "/slot.css", "/healthz")
        going_on = [request(path).replace(b"Connection: close\r\n", b"") for path in paths[:-1]]
        sent = exchange(service.port, b"".join([*going_on, request(paths[-1])])).sent
        assert re.findall(rb"HTTP/1\.1 (\d+)", sent) == [b"200", b"404", b"200", b"200"]

    def test_a_connection_goes_on_after_a_body_that_nobody_wanted(self, service: Service) -> None:
        body = b"x" * 20_000
        asked = request("/nowhere", f"Content-Length: {len(body)}", method="POST")
        unwanted = asked.replace(b"Connection: close\r\n", b"")
        sent = exchange(service.port, unwanted + body + request("/healthz")).sent
        assert re.findall(rb"HTTP/1\.1 (\d+)", sent) == [b"404", b"200"]

    def test_more_connections_than_threads_take_turns_and_each_goes_on(self, service: Service) -> None:
        with ExitStack() as stack:
            clients = [HTTPConnection("127.0.0.1", service.port, timeout=60) for _ in range(24)]
            for _ in range(3):
                for client in clients:
                    stack.enter_context(closing(client))
                    client.request("GET", "/v1/slots/masthead?location=Remer,MN")
                answers = [client.getresponse() for client in clients]
                assert [(answer.status, answer.will_close, len(answer.read()) > 0) for answer in answers] == [
                    (200, False, True)
                ] * len(clients)

    def test_a_decision_comes_in_one_piece(self, service: Service) -> None:
        with closing(socket.create_connection(("127.0.0.1", service.port), 10)) as connection:
            connection.sendall(request("/v1/slots/masthead?location=Remer,MN"))
            head, _, body = connection.recv(65_536).partition(b"\r\n\r\n")
            assert f"Content-Length: {len(body)}".encode() in head


def test_after_all_of_it_the_workers_are_those_of_the_start(service: Service) -> None:
    assert len(service.workers()) == 2
    assert "ended unasked" not in service.said()
