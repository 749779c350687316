"""The proxies' sample configurations say the same, and what the service says of itself."""

import re
from pathlib import Path
from typing import Final

from adserver.catalog.reading import LIMIT_BYTES
from adserver.cli.serve import serve_command
from adserver.processes import gunicorn_conf, gunicorn_worker, patient_socket
from adserver.web.delivery_bodies import BODY_MAX_BYTES, EVENTS_MAX, SLOTS_MAX
from adserver.web.limits import BURST_CALLS, CALLS_A_SECOND
from adserver.web.statistics import MAX_BODY_BYTES

ROOT: Final = Path(__file__).parents[2]
NGINX: Final = (ROOT / "deploy/nginx.conf").read_text()
CADDY: Final = (ROOT / "deploy/Caddyfile").read_text()
DOCS: Final = " ".join((ROOT / "docs/proxies.md").read_text().split())


def caddy_blocks() -> list[str]:
    """Return the path of every block, outermost first, such as `news.example > handle @line`.

    A block opens with a brace at the end of its line and closes with one alone, as Caddy itself demands.
    """
    paths: list[str] = []
    open_blocks: list[str] = []
    for line in CADDY.splitlines():
        text = line.strip()
        if text.startswith("#"):
            continue
        if text.endswith("{"):
            open_blocks.append(text.removesuffix("{").strip())
            paths.append(" > ".join(open_blocks))
        elif text == "}":
            open_blocks.pop()
    assert open_blocks == []
    return paths


def test_both_call_the_service_where_it_listens() -> None:
    default = {option.name: option.default for option in serve_command.params}
    address = f"{default['host']}:{default['port']}"
    assert re.findall(r"^\s+server ([\d.:]+);", NGINX, re.MULTILINE) == [address]
    assert set(re.findall(r"reverse_proxy (\S+)", CADDY)) == {address}


def test_both_know_an_included_line_by_the_same_address() -> None:
    [included] = re.findall(r"location ~ (\S+html\$) \{", NGINX)
    assert re.findall(r"path_regexp (\S+)", CADDY) == [included]
    assert re.fullmatch(included, "/sponsors/v1/slots/masthead.html")


def test_in_caddy_the_line_is_tried_before_the_rest_of_the_path() -> None:
    paths = caddy_blocks()
    assert "news.example > handle /sponsors/* > handle @line > reverse_proxy 127.0.0.1:8080" in paths
    assert "news.example > handle_errors" in paths
    assert "news.example > handle @line" not in paths


def test_both_let_every_upload_through_that_the_service_takes() -> None:
    sizes = re.findall(r"client_max_body_size (\d+)m;", NGINX) + re.findall(r"max_size (\d+)MB", CADDY)
    assert len(sizes) == 4
    assert all(LIMIT_BYTES < int(size) * 10**6 < patient_socket.LINGER_BYTES for size in sizes)


def test_the_limits_stand_in_the_documents() -> None:
    assert gunicorn_conf.limit_request_line == 4094
    assert "request line | 4,094 bytes" in DOCS
    assert f"{gunicorn_conf.limit_request_fields}; {gunicorn_conf.limit_request_field_size:,} bytes" in DOCS
    assert f"{BODY_MAX_BYTES // 1024} KB; {EVENTS_MAX} events, {SLOTS_MAX} slots" in DOCS
    assert f"query of statistics | {MAX_BODY_BYTES // 1024} KB" in DOCS
    assert f"{CALLS_A_SECOND:g} a second each, and {BURST_CALLS} at once, at each worker" in DOCS


def test_the_patience_of_a_worker_stands_in_the_documents() -> None:
    assert f"closed after {gunicorn_worker.FIRST_BYTE_SECONDS:g} s" in DOCS
    assert f"has {patient_socket.REQUEST_SECONDS:g} s to arrive" in DOCS
    assert f"a second more for each {patient_socket.BYTES_A_SECOND // 1024} KB of it" in DOCS
    assert f"given {patient_socket.SEND_SECONDS} s to be read" in DOCS
