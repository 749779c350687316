"""Many calls at once, and clients that are slow on purpose: pages and beacons are answered all the same."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest
from raw_http import Answer, exchange, read_answer, request
from service import Service, running_service

HALVES = (
    b"GET /v1/slots/mast",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-",
    b"POST /v1/seen HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
    b"POST /v1/seen HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
)
"""Requests that never end."""
PAGE_SECONDS = 5.0
"""Half of what a slow request holds a thread for, and far more than a page takes on a busy machine."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service")) as service:
        yield service
        assert "Traceback" not in service.said()
        assert "ended unasked" not in service.said()


def ask(service: Service, path: str, *headers: str) -> Answer:
    return exchange(service.port, request(path, *headers))


def bearer(service: Service) -> str:
    return f"Authorization: {service.admin()['Authorization']}"


def dry_upload(service: Service) -> bytes:
    """Return a request that is refused once it is read."""
    data = b"{}"
    kind = ("Content-Type: application/json", f"Content-Length: {len(data)}")
    return request("/v1/campaigns?dry_run=true", bearer(service), *kind, method="POST") + data


class TestBursts:
    def burst(self, service: Service, data: bytes, count: int) -> list[Answer]:
        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(lambda _: exchange(service.port, data, 30), range(count)))

    def assert_limited(self, service: Service, data: bytes, usual: int) -> None:
        answers = self.burst(service, data, 300)
        refused = [answer for answer in answers if answer.status == 429]
        assert {answer.status for answer in answers} == {usual, 429}
        assert len(answers) - len(refused) >= 20
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
        assert json.loads(refused[0].body)["status"] == 429
        time.sleep(1.0)  # what Retry-After asks for
        assert exchange(service.port, data).status == usual

    def test_of_uploads_are_told_to_wait(self, service: Service) -> None:
        upload = dry_upload(service)
        assert [exchange(service.port, upload, 30).status for _ in range(20)] == [422] * 20
        answers = self.burst(service, upload, 300)
        # Besides the limit of a token: a worker takes three at once, and none of them may keep pages waiting.
        refused = [answer for answer in answers if answer.status in (429, 503)]
        assert {answer.status for answer in answers} <= {422, 429, 503}
        assert 429 in {answer.status for answer in refused}
        assert {answer.headers["Retry-After"] for answer in refused} <= {"1", "2"}
        time.sleep(2.0)  # what Retry-After asks for
        assert exchange(service.port, upload, 30).status == 422

    def test_of_uploads_leave_a_thread_to_pages(self, service: Service) -> None:
        upload = dry_upload(service)
        with ThreadPoolExecutor(1) as pool:
            burst = pool.submit(self.burst, service, upload, 200)
            while not burst.done():
                start = time.monotonic()
                assert ask(service, "/v1/slots/masthead?location=Remer,MN").status == 200
                assert time.monotonic() - start < PAGE_SECONDS

    def test_of_queries_are_told_to_wait(self, service: Service) -> None:
        data = b"{}"
        kind = ("Content-Type: application/json", f"Content-Length: {len(data)}")
        self.assert_limited(service, request("/v1/query", bearer(service), *kind, method="POST") + data, 422)

    def test_of_wrong_tokens_are_told_to_wait_and_the_right_one_is_not(self, service: Service) -> None:
        wrong = request("/v1/campaigns", "Authorization: Bearer adsv_wrong")
        self.assert_limited(service, wrong, 401)
        self.burst(service, wrong, 100)
        assert ask(service, "/v1/campaigns", bearer(service)).status == 200

    def test_of_pages_and_beacons_never_are(self, service: Service) -> None:
        token = service.decide()["token"]
        for path in ("/v1/slots/masthead?location=Remer,MN", f"/v1/seen/{token}.gif", f"/go/{token}"):
            assert 429 not in {answer.status for answer in self.burst(service, request(path), 200)}

    def test_of_one_kind_leave_the_other_free(self, service: Service) -> None:
        data = b"{}"
        kind = ("Content-Type: application/json", f"Content-Length: {len(data)}")
        self.burst(service, request("/v1/query", bearer(service), *kind, method="POST") + data, 200)
        assert ask(service, "/v1/campaigns", bearer(service)).status == 200


class TestSlowClients:
    """More of them than the service has threads: eight."""

    def assert_pages_go_on(self, service: Service) -> None:
        for _ in range(10):
            start = time.monotonic()
            assert ask(service, "/v1/slots/masthead?location=Remer,MN").status == 200
            assert time.monotonic() - start < PAGE_SECONDS

    def connect(self, service: Service, stack: ExitStack, data: bytes, count: int) -> list[socket.socket]:
        made = []
        for _ in range(count):
            connection = stack.enter_context(closing(socket.create_connection(("127.0.0.1", service.port), 30)))
            connection.sendall(data)
            made.append(connection)
        return made

    def test_who_say_nothing_hold_nothing_up_and_are_let_go(self, service: Service) -> None:
        with ExitStack() as stack:
            quiet = self.connect(service, stack, b"", 200)
            self.assert_pages_go_on(service)
            assert {connection.recv(1) for connection in quiet} == {b""}

    def test_who_stop_in_the_middle_or_send_a_byte_now_and_then_are_let_go_and_pages_go_on(
        self, service: Service
    ) -> None:
        with ExitStack() as stack:
            slow = [connection for data in HALVES for connection in self.connect(service, stack, data, 2)]
            [slower] = self.connect(service, stack, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", 1)
            slower.settimeout(0.5)
            start = time.monotonic()
            while not ended(slower):
                assert time.monotonic() - start < 25
            assert {read_answer(connection).status for connection in slow} <= {0, 400}
            self.assert_pages_go_on(service)

    def test_who_do_not_close_hold_nothing_up(self, service: Service) -> None:
        with ExitStack() as stack:
            for connection in self.connect(service, stack, request("/healthz"), 20):
                assert connection.recv(8) == b"HTTP/1.1"
            self.assert_pages_go_on(service)

    def test_a_large_upload_that_goes_on_arriving_is_read_to_the_end(self, service: Service) -> None:
        body = b" " * 300_000 + b"{}"
        kind = ("Content-Type: application/json", f"Content-Length: {len(body)}")
        head = request("/v1/campaigns?dry_run=true", bearer(service), *kind, method="POST")
        with closing(socket.create_connection(("127.0.0.1", service.port), 30)) as connection:
            connection.sendall(head)
            for start in range(0, len(body), 25_000):
                connection.sendall(body[start : start + 25_000])
                time.sleep(1.0)  # in all longer than a request that sends nothing may take
            assert read_answer(connection).status == 422


def ended(connection: socket.socket) -> bool:
    """Send one more byte, wait half a second at most, and tell whether the server has closed."""
    try:
        connection.sendall(b"a")
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except (ConnectionResetError, BrokenPipeError):
        return True
