"""The snippets of the documents for PHP and ESI, run: by php-cli, and by a real Varnish."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from browser_stand import serving
from delivery_stand import SHORT, Stand
from doc_pages import blocks_of
from ports import free_port
from site_server import Site, running_site
from varnish_server import Varnish, running_varnish

PUBLIC: Final = "https://sponsors.example"
LINE: Final = '<div class="sponsor"><a'


def snippet(word: str) -> str:
    """Return the one block of the documents that has a word."""
    [found] = [block.text for block in blocks_of("embedding.md") if word in block.text]
    return found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(Stand()) as address:
        yield address


def run_php(folder: Path, address: str) -> "subprocess.CompletedProcess[str]":
    """Run the snippet for PHP between two brackets, with every warning shown."""
    page = folder / "page.php"
    page.write_text(f"[{snippet('file_get_contents').replace(PUBLIC, address).strip()}\n?>]")
    command = ("php", "-d", "error_reporting=-1", "-d", "display_errors=1", str(page))
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_php_prints_the_line(tmp_path: Path, address: str) -> None:
    run = run_php(tmp_path, address)
    assert run.returncode == 0
    assert run.stdout.startswith(f"[{LINE}"), run.stdout
    assert run.stdout.endswith("</div>]")
    assert SHORT in run.stdout


def test_php_prints_nothing_where_the_service_is_away(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert run_php(tmp_path, f"http://127.0.0.1:{port}").stdout == "[]"


def test_php_goes_on_without_a_service_that_hangs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        start = time.monotonic()
        assert run_php(tmp_path, f"http://127.0.0.1:{deaf.getsockname()[1]}").stdout == "[]"
        assert time.monotonic() - start < 15, "its own limit is half a second; php's usual one is a minute"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as site:
        site.pages["/story"] = snippet("esi:include")
        site.pages["/nobody"] = '<p><esi:include src="/v1/slots/none.html"/></p>'
        site.pages["/refused"] = '<p><esi:include src="/v1/slots/article-top.html?max_chars=many"/></p>'
        yield site


@pytest.fixture(scope="module")
def varnish(tmp_path_factory: pytest.TempPathFactory, address: str, site: Site) -> Iterator[Varnish]:
    port = urlsplit(address).port
    assert port is not None
    with running_varnish(tmp_path_factory.mktemp("varnish") / "kept", site.port, port) as varnish:
        yield varnish


def test_varnish_keeps_the_page_and_asks_for_each_readers_line(varnish: Varnish, site: Site) -> None:
    answers = [varnish.get("/story") for _ in range(3)]
    assert site.asked["/story"] == 1, "the page came from Varnish's cache"
    lines = [body for _, _, body in answers]
    assert all(line.startswith(LINE) and SHORT in line for line in lines)
    assert len(set(lines)) == 3, "each has a token of its own"


def test_a_page_with_a_line_in_it_stays_out_of_the_browsers_cache(varnish: Varnish) -> None:
    _, headers, _ = varnish.get("/story")
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["ETag"] is None
    assert headers["Last-Modified"] is None


@pytest.mark.parametrize("path", ["/nobody", "/refused"])
def test_varnish_prints_nothing_without_a_line(varnish: Varnish, path: str) -> None:
    status, _, body = varnish.get(path)
    assert (status, body) == (200, "<p></p>")


def test_varnish_gives_the_page_where_the_service_is_away(tmp_path: Path, site: Site) -> None:
    with running_varnish(tmp_path / "away", site.port, free_port()) as varnish:
        status, _, body = varnish.get("/nobody")
        assert (status, body) == (200, "<p></p>")


def test_varnish_gives_the_page_where_the_service_hangs(tmp_path: Path, site: Site) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as deaf,
        running_varnish(tmp_path / "deaf", site.port, deaf.getsockname()[1]) as varnish,
    ):
        start = time.monotonic()
        status, _, body = varnish.get("/nobody")
        assert (status, body) == (200, "<p></p>")
        assert time.monotonic() - start < 15, "its own limit is a second; Varnish's usual one is a minute"
