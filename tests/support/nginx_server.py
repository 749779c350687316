"""A real nginx with the project's own configuration, on free ports of this machine."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ports import free_port
from service import ROOT, Service

PROXY_ADDRESS = "127.0.0.9"
"""Where nginx calls the service from; everyone else calls from 127.0.0.1."""


@dataclass(frozen=True)
class Nginx:
    """A running nginx."""

    port: int
    pages: Path
    """The folder of news.example's pages."""

    def call(
        self, host: str, path: str, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Make one request by TLS, whatever the certificate says; redirects are not followed."""
        with closing(self.connect()) as connection:
            connection.request("GET" if body is None else "POST", path, body, {"Host": host, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def connect(self) -> http.client.HTTPSConnection:
        """Return a connection for several requests, to be closed by the caller."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)


@contextmanager
def running_nginx(folder: Path, service_port: int) -> Iterator[Nginx]:
    """Start nginx with deploy/nginx.conf in front of a service, and stop it."""
    nginx = Nginx(free_port(), folder / "pages")
    nginx.pages.mkdir(parents=True)
    certificate = make_certificate(folder)
    site = (ROOT / "deploy/nginx.conf").read_text()
    for ours, theirs in {
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{service_port};",
        "listen 443 ssl": f"listen 127.0.0.1:{nginx.port} ssl",
        "/etc/ssl/sponsors.example.": f"{certificate}.",
        "/etc/ssl/news.example.": f"{certificate}.",
        "/var/www/news": str(nginx.pages),
        "/var/cache/nginx/adserver": str(folder / "cache"),
    }.items():
        assert ours in site
        site = site.replace(ours, theirs)
    (folder / "site.conf").write_text(site)
    user = "user root;" if os.geteuid() == 0 else ""  # else root's nginx gives up the right to read the test's folder
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, proxy_address=PROXY_ADDRESS, user=user))
    command = (binary(), "-e", str(folder / "errors.txt"), "-p", str(folder), "-c", str(folder / "nginx.conf"))
    process = subprocess.Popen(command)
    try:
        Service.await_that(lambda: listens(nginx.port) or process.poll() is not None)
        assert process.poll() is None, (folder / "errors.txt").read_text()
        yield nginx
    finally:
        process.terminate()
        process.wait(15)


def binary() -> str:
    """Return nginx's path; Debian keeps it where only root looks."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    assert found is not None
    return found


def make_certificate(folder: Path) -> Path:
    """Make a certificate that nobody believes; returns its path without `.pem` and `.key`."""
    path = folder / "certificate"
    request = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    files = ("-subj", "/CN=news.example", "-days", "2", "-keyout", f"{path}.key", "-out", f"{path}.pem")
    subprocess.run((*request, *files), check=True, capture_output=True)
    return path


def listens(port: int) -> bool:
    """Tell whether somebody takes connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/errors.txt warn;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    default_type text/html;
    access_log {folder}/access.txt;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_bind {proxy_address};
    include {folder}/site.conf;
}}
"""
