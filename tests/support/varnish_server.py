"""A real Varnish with the project's own configuration, in front of a site and of the service, on free ports."""

import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ports import free_port
from service import ROOT

START_SECONDS: Final = 30
"""Varnish compiles its configuration before it listens."""


@dataclass(frozen=True)
class Varnish:
    """A running Varnish."""

    port: int

    def get(self, path: str) -> tuple[int, http.client.HTTPMessage, str]:
        """Ask for one page, as a reader with a cookie of the site."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path, headers={"Host": "news.example", "Accept-Encoding": "gzip"})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()


@contextmanager
def running_varnish(folder: Path, site_port: int, service_port: int) -> Iterator[Varnish]:
    """Start Varnish with deploy/varnish.vcl in front of a site and a service, and stop it.

    Raises:
        AssertionError: the configuration lacks what is replaced, or Varnish doesn't come up.
    """
    text = (ROOT / "deploy/varnish.vcl").read_text()
    for ours, theirs in {'"8000"': f'"{site_port}"', '"8080"': f'"{service_port}"'}.items():
        assert text.count(ours) == 1
        text = text.replace(ours, theirs)
    folder.mkdir(parents=True)
    configuration = folder / "varnish.vcl"
    configuration.write_text(text)
    varnish = Varnish(free_port())
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(_command(folder, configuration, varnish.port), stdout=out, stderr=out)
        try:
            _wait_until_it_answers(process, varnish, log)
            yield varnish
        finally:
            process.terminate()
            process.wait(30)


def _command(folder: Path, configuration: Path, port: int) -> list[str]:
    path = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which("varnishd", path=path)
    assert found, "scripts/need test installs Varnish"
    listen = f"127.0.0.1:{port}"
    # No jail: it would ask for users of its own; no command line by TCP: nobody asks it anything.
    return [found, "-F", "-j", "none", "-n", str(folder / "work"), "-a", listen, "-T", "none", "-f", str(configuration)]


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", varnish: Varnish, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            varnish.get("/")
        except OSError:
            time.sleep(0.05)  # until it listens
        else:
            return
    raise AssertionError(log.read_text())
