"""The snippets of the documents for PHP and ESI, run: by php-cli, and by a stand-in for the proxy's includes."""

import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from browser_stand import serving
from delivery_stand import SHORT, Stand
from doc_pages import blocks_of

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


def included(page: str, origin: str) -> str:
    """Put in place of each `<esi:include>` what its address answers, as a proxy does that knows ESI."""

    def fetch(found: "re.Match[str]") -> str:
        with urllib.request.urlopen(origin + found[1], timeout=10) as answer:  # noqa: S310 - the stand's own address
            assert answer.headers["Surrogate-Control"] == "no-store"
            assert answer.headers["Content-Encoding"] is None
            body: bytes = answer.read()
            return body.decode()

    return re.sub(r'<esi:include src="([^"]*)"/>', fetch, page)


def test_an_include_of_esi_is_a_line_of_each_readers_own(address: str) -> None:
    first, second = (included(snippet("esi:include"), address) for _ in range(2))
    assert first.startswith(LINE)
    assert first != second
