"""A page never breaks, nor waits: whatever the service does, a slot is there in time, or empty."""

import socket
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from odd_server import answering, dribbling, hanging, odd_server
from sponsor_slots import SponsorClient

LINE = b'<div class="sponsor"><a href="/go/x">QWIKET</a></div>'
LIMIT_SECONDS = 1.0
"""Far over the client's 150 ms, far under what the service takes."""


@pytest.mark.parametrize(
    "handle",
    [
        answering("500 Internal Server Error", "text/html", LINE),
        answering("200 OK", "text/html", b"<html><form>Sign in</form></html>"),
        answering("200 OK", "application/json", LINE),
        answering("302 Found", "text/html", LINE),
        answering("204 No Content", "text/html", b""),
        answering("200 OK", "text/html", b"\xff\xfe"),
        answering("2000 What", "text/html", LINE),
        hanging,
        dribbling,
        socket.socket.close,
    ],
    ids=["500", "sign-in", "wrong type", "redirect", "no fill", "bytes", "status", "hangs", "dribbles", "closes"],
)
def test_whatever_is_no_fragment_leaves_the_slot_empty(handle: Callable[[socket.socket], None]) -> None:
    with odd_server(handle) as address:
        client = SponsorClient(address)
        began = time.monotonic()
        assert client.fragment("masthead") == ""
        assert client.fragments(["masthead"]) == {"masthead": ""}
        assert time.monotonic() - began < LIMIT_SECONDS


@pytest.mark.parametrize(
    "body", [b"", b"[", b"[]", b'{"decisions": 1}', b'{"decisions": {"a": {"html": 1}}}', b"[" * 99_999]
)
def test_an_answer_for_a_page_that_makes_no_sense_leaves_all_its_slots_empty(body: bytes) -> None:
    with odd_server(answering("200 OK", "application/json", body)) as address:
        assert SponsorClient(address).fragments(["a", "b"]) == {"a": "", "b": ""}


def test_a_good_service_fills() -> None:
    with odd_server(answering("200 OK", "text/html; charset=utf-8", LINE)) as address:
        assert SponsorClient(address).fragment("masthead") == LINE.decode()


def test_a_service_that_is_not_there_costs_nothing_after_three_pages() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = SponsorClient(address, timeout_seconds=0.1)  # it listens, and accepts nobody
        for _ in range(3):
            assert client.fragment("masthead") == ""
        began = time.monotonic()
        assert [client.fragment("masthead") for _ in range(100)] == [""] * 100
        assert time.monotonic() - began < 2  # asked each time, it would be ten


def test_the_reader_s_address_is_passed_only_when_told() -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))
        connection.close()

    with odd_server(listen) as address:
        client = SponsorClient(address)
        client.fragment("masthead")
        client.fragment("masthead", reader_address="203.0.113.7")
    assert [b"203.0.113.7" in request for request in heard] == [False, True]
