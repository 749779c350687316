"""A page that nginx keeps, with each embed on it, before a hundred readers in a real browser on the real service."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from nginx_server import binary, listens
from playwright.sync_api import Browser, Request
from ports import free_port
from service import Service, running_service

pytestmark = pytest.mark.processes

READERS: Final = 100
PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Kept</title>
<link rel="icon" href="data:,"><script src="{service}/slot.js" defer></script><main>
<p><sponsor-slot name="article-top" location="Remer,MN">fallback</sponsor-slot></p>
<iframe src="{service}/v1/frames/article-bottom?location=Remer,MN" title="Sponsor" loading="lazy"
        sandbox="allow-popups allow-popups-to-escape-sandbox" width="100%" height="48"></iframe>
<!--# include virtual="/v1/slots/masthead.html?location=Remer,MN" -->
</main></html>
"""
CONFIG: Final = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/errors.txt warn;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    default_type text/html;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=pages:1m;

    server {{  # a careless one: it keeps whatever comes
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{origin};
            proxy_cache pages;
            proxy_cache_valid 200 1h;
            proxy_ignore_headers Cache-Control Expires Set-Cookie;
            add_header X-Kept $upstream_cache_status;
        }}
    }}

    server {{  # the publisher's own
        listen 127.0.0.1:{origin};
        root {folder}/pages;
        location / {{ ssi on; }}
        location /v1/slots/ {{
            proxy_pass {service};
            proxy_set_header Host {host};
            proxy_pass_request_headers off;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("cached")) as service:
        yield service


@contextmanager
def caching_nginx(folder: Path, service: Service) -> Iterator[str]:
    """Start a cache before a publisher's own nginx; yields the cache's address."""
    port, origin = free_port(), free_port()
    (folder / "pages").mkdir()
    (folder / "pages/story.html").write_text(PAGE.format(service=service.base))
    config = CONFIG.format(
        user="user root;" if os.geteuid() == 0 else "",
        folder=folder,
        port=port,
        origin=origin,
        service=service.base,
        host=service.base.removeprefix("http://"),
    )
    (folder / "nginx.conf").write_text(config)
    command = (binary(), "-e", str(folder / "errors.txt"), "-p", str(folder), "-c", str(folder / "nginx.conf"))
    process = subprocess.Popen(command)
    try:
        Service.await_that(lambda: (listens(port) and listens(origin)) or process.poll() is not None)
        assert process.poll() is None, (folder / "errors.txt").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


def read(browser: Browser, address: str) -> list[str]:
    """Let a hundred readers open the page and see all of its lines; return what the cache said of each."""
    said = []
    page = browser.new_context(viewport={"width": 1280, "height": 700}).new_page()
    for _ in range(READERS):
        images: list[str] = []

        def are_both_there(request: Request, images: list[str] = images) -> bool:
            images += [request.url] if request.url.endswith(".gif") else []
            return len(images) == 2  # the fragment's and the frame's

        with page.expect_request("**/v1/seen"), page.expect_event("requestfinished", are_both_there):
            answer = page.goto(f"{address}/story.html", wait_until="load")
        assert answer is not None
        said.append(answer.headers["x-kept"])
    page.context.close()
    return said


def doctor(service: Service) -> list[dict[str, Any]]:
    command = (sys.executable, "-m", "adserver.cli.main", "doctor", "--json")
    done = subprocess.run(
        command, cwd=service.folder, env=service.environ, capture_output=True, text=True, check=False, timeout=60
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return [finding for finding in found if finding["code"] == "cached_embed"]


def test_a_kept_page_counts_each_reader_by_tag_and_frame_and_its_fragment_is_found_out(
    service: Service, browser: Browser, tmp_path: Path
) -> None:
    with caching_nginx(tmp_path, service) as address:
        assert read(browser, address) == ["MISS"] + ["HIT"] * (READERS - 1)

    def impressions() -> dict[str, int]:
        return {slot: counts["impressions"] for (slot,), counts in service.counts("slot").items()}

    service.await_that(lambda: sum(impressions().values()) >= 2 * READERS + 1)
    assert impressions() == {"article-top": READERS, "article-bottom": READERS, "masthead": 1}

    service.await_that(lambda: b"adserver_cached_embed{" in service.call("/metrics", headers={})[2])
    service.await_that(lambda: f"}} {READERS}.0" in service.call("/metrics", headers={})[2].decode())
    [line] = [
        line
        for line in service.call("/metrics", headers={})[2].decode().splitlines()
        if line.startswith("adserver_cached_embed{")
    ]
    assert 'slot="masthead"' in line
    assert 'place="Remer, MN"' in line

    service.await_that(lambda: f"came {READERS} times" in json.dumps(doctor(service)))
    [finding] = doctor(service)
    assert finding["severity"] == "warning"
    assert finding["problem"].startswith("a token for slot masthead at Remer, MN, issued in the hour of 20")
