"""Behind a real nginx with deploy/nginx.conf: TLS, forwarded headers, includes, caching, a path of another host."""

import http.client
import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from nginx_server import PROXY_ADDRESS, Nginx, running_nginx
from service import Service, kill, running_service

SERVICE = "sponsors.example"
NEWS = "news.example"
MASTHEAD = "/sponsors/v1/slots/masthead.html?location=Remer,MN"
LINE = '<div class="sponsor"><a'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Without a public URL: links name what the proxy says."""
    folder = tmp_path_factory.mktemp("service")
    hosts = f"{SERVICE},{NEWS}"
    with running_service(folder, ADSERVER_TRUSTED_PROXIES=PROXY_ADDRESS, ADSERVER_ALLOWED_HOSTS=hosts) as service:
        yield service


@pytest.fixture(scope="module")
def nginx(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with running_nginx(tmp_path_factory.mktemp("nginx"), service.port) as nginx:
        yield nginx


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Under a path of the publisher's host."""
    public = {"ADSERVER_PUBLIC_URL": f"https://{NEWS}/sponsors", "ADSERVER_TRUSTED_PROXIES": PROXY_ADDRESS}
    with running_service(tmp_path_factory.mktemp("mounted"), ADSERVER_WORKERS="1", **public) as service:
        yield service


@pytest.fixture(scope="module")
def news(mounted: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with running_nginx(tmp_path_factory.mktemp("news"), mounted.port) as nginx:
        yield nginx


def direct(service: Service, path: str, headers: dict[str, str], source: str) -> tuple[int, bytes]:
    """Call the service past the proxy, from an address."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60, source_address=(source, 0))
    with closing(connection):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()


# --- a name of its own ---


def test_links_name_the_host_and_scheme_that_the_reader_used(nginx: Nginx) -> None:
    status, _, body = nginx.call(SERVICE, "/v1/slots/masthead?location=Remer,MN")
    assert status == 200
    assert json.loads(body)["click_url"].startswith(f"https://{SERVICE}/go/")


def test_the_forwarded_scheme_is_believed_from_the_proxy_only(service: Service) -> None:
    headers = {"X-Forwarded-Proto": "https", "Host": SERVICE}
    schemes = [
        urlsplit(json.loads(direct(service, "/v1/slots/masthead", headers, source)[1])["click_url"]).scheme
        for source in ("127.0.0.1", PROXY_ADDRESS, "127.0.0.8")
    ]
    assert schemes == ["http", "https", "http"]


def claims(number: int) -> dict[str, str]:
    """Return the headers of a wrong token from an address that the sender makes up."""
    return {"Authorization": "Bearer adsv_wrong", "X-Forwarded-For": f"203.0.113.{number}"}


def guesses(connection: http.client.HTTPConnection) -> set[int]:
    """Return the answers to many wrong tokens that each claim another address."""
    statuses = set()
    with closing(connection):
        for number in range(250):
            connection.request("GET", "/v1/campaigns", headers={"Host": SERVICE, **claims(number)})
            response = connection.getresponse()
            response.read()
            statuses.add(response.status)
    return statuses


def test_the_forwarded_address_is_believed_from_the_proxy_only(service: Service, nginx: Nginx) -> None:
    def connect(source: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", service.port, timeout=60, source_address=(source, 0))

    assert guesses(connect(PROXY_ADDRESS)) == {401}
    assert guesses(connect("127.0.0.8")) == {401, 429}
    assert guesses(nginx.connect()) == {401, 429}  # nginx writes the reader's own in place of what it claims


def test_a_view_and_a_click_through_the_proxy_are_counted(service: Service, nginx: Nginx) -> None:
    before = service.totals()
    decision = json.loads(nginx.call(SERVICE, "/v1/slots/masthead?location=Remer,MN")[2])
    reader = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0"}
    assert nginx.call(SERVICE, path_of(decision["seen_url"]), reader)[0] == 200
    assert nginx.call(SERVICE, path_of(decision["click_url"]), reader)[0] == 302
    service.await_counts(impressions=before["impressions"] + 1, clicks=before["clicks"] + 1)


@pytest.mark.parametrize("name", ["slot.js", "slot.css"])
def test_the_tag_and_the_stylesheet_are_kept_by_the_proxy(service: Service, nginx: Nginx, name: str) -> None:
    status, headers, body = nginx.call(SERVICE, f"/{name}")
    assert (status, headers["Cache-Control"]) == (200, "public, max-age=3600")
    kept = [path.read_bytes() for path in (nginx.pages.parent / "cache").rglob("*") if path.is_file()]
    assert any(body in file for file in kept)
    assert nginx.call(SERVICE, f"/{name}", {"If-None-Match": headers["ETag"]})[0] == 304


def test_nothing_that_holds_a_token_is_kept_by_the_proxy(nginx: Nginx) -> None:
    answers = [nginx.call(SERVICE, f"/v1/slots/masthead{end}?location=Remer,MN") for end in ("", "", ".html", ".html")]
    bodies = [body for _, _, body in answers]
    assert len(set(bodies)) == 4
    kept = b"".join(path.read_bytes() for path in (nginx.pages.parent / "cache").rglob("*") if path.is_file())
    assert b"/go/" not in kept
    assert {headers["Cache-Control"] for _, headers, _ in answers} == {"private, no-store"}


def test_an_upload_of_ten_megabytes_reaches_the_service_which_refuses_it(nginx: Nginx) -> None:
    status, headers, _ = nginx.call(SERVICE, "/v1/seen", body=" " * (10 * 1024 * 1024))
    assert (status, headers["Content-Type"]) == (413, "application/problem+json")


def test_what_the_proxy_writes_down_holds_no_token(nginx: Nginx) -> None:
    nginx.call(SERVICE, "/go/zq7-token")
    nginx.call(NEWS, "/sponsors/go/zq7-token")
    nginx.call(NEWS, "/")
    log = nginx.pages.parent / "access.txt"
    Service.await_that(lambda: "GET / " in log.read_text())  # a line is written after its answer
    assert "zq7" not in log.read_text()


# --- a path of the publisher's name ---


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def page(news: Nginx, include: str, headers: dict[str, str] | None = None) -> tuple[str, http.client.HTTPMessage]:
    """Return a page that includes an address between two brackets, what stands between them."""
    (news.pages / "page.html").write_text(f'<!doctype html>[<!--# include virtual="{include}" -->]')
    status, answered, body = news.call(NEWS, "/page.html", headers)
    assert status == 200
    found = re.fullmatch(r"<!doctype html>\[(.*)\]", body.decode(), re.DOTALL)
    assert found is not None
    return found[1], answered


def line_of(news: Nginx, include: str, headers: dict[str, str] | None = None) -> str:
    """Return the line of a page; where the service is so busy that a page does not wait for it, of the next."""
    found: list[str] = []

    def comes() -> bool:
        found.append(page(news, include, headers)[0])
        return found[-1] != ""

    Service.await_that(comes)
    return found[-1]


def test_an_include_puts_the_sponsors_line_into_the_page(news: Nginx) -> None:
    line = line_of(news, MASTHEAD)
    assert line.startswith(LINE)
    assert "QWIKET: Elevate your fantasy game! Interactive Sports Knowledge." in line
    assert f'href="https://{NEWS}/sponsors/go/' in line
    assert page(news, MASTHEAD)[1]["Cache-Control"] == "private, no-store"


def test_an_included_address_may_be_as_long_as_twenty_topics_make_it(news: Nginx) -> None:
    topics = ",".join(f"topic-of-this-story-number-{number}" for number in range(20))
    assert line_of(news, f"{MASTHEAD}&topic={topics}").startswith(LINE)


def test_each_reader_gets_a_line_with_a_token_of_its_own(news: Nginx) -> None:
    assert line_of(news, MASTHEAD) != line_of(news, MASTHEAD)


def test_what_the_readers_browser_sends_does_not_reach_the_include(news: Nginx) -> None:
    headers = {
        "Accept-Encoding": "gzip, br",
        "Cookie": "a=" + "b" * 7000,
        "Range": "bytes=0-3",
        "If-None-Match": '"x"',
        **{f"X-{number}": "y" for number in range(110)},
    }
    assert line_of(news, MASTHEAD, headers).startswith(LINE)


@pytest.mark.parametrize(
    "include",
    [
        "/sponsors/v1/slots/nowhere.html",
        "/sponsors/v1/slots/masthead.html?variant=tall",
        "/sponsors/v1/slots/masthead.html?location=" + "a" * 300,
        "/sponsors/v1/slots/MASTHEAD.html",
        "/sponsors/v1/slots/masthead.html?topic=" + "a" * 4050,  # longer than a line may be
    ],
)
def test_no_fill_and_what_is_refused_print_nothing(news: Nginx, include: str) -> None:
    assert page(news, include)[0] == ""


def test_links_and_beacons_of_an_include_lead_through_the_path_and_count(mounted: Service, news: Nginx) -> None:
    before = mounted.totals()
    line = line_of(news, MASTHEAD)
    [link], [image] = re.findall(r'href="([^"]+)"', line), re.findall(r'src="([^"]+)"', line)
    reader = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0"}
    assert news.call(NEWS, path_of(image), reader)[0] == 200
    status, headers, _ = news.call(NEWS, path_of(link), reader)
    assert (status, urlsplit(headers["Location"]).hostname) == (302, "qwiket.com")
    mounted.await_counts(impressions=before["impressions"] + 1, clicks=before["clicks"] + 1)


@pytest.mark.parametrize("path", ["/sponsors/v1/frames/masthead?location=Remer,MN", "/sponsors/demo/"])
def test_all_that_a_page_of_the_service_links_is_there(news: Nginx, path: str) -> None:
    status, _, body = news.call(NEWS, path)
    assert status == 200
    base = f"https://{NEWS}{path}"
    links = [urljoin(base, link) for link in re.findall(r'(?:href|src)="([^"#]+)"', body.decode())]
    assert len(links) >= 3
    for link in links:
        assert link.startswith(f"https://{NEWS}/sponsors/")
        assert news.call(NEWS, path_of(link))[0] in (200, 302)


def test_the_path_may_be_cut_off_by_the_proxy_or_left_on(mounted: Service) -> None:
    for prefix in ("", "/sponsors"):
        decision = json.loads(mounted.call(f"{prefix}/v1/slots/masthead?location=Remer,MN")[2])
        assert decision["seen_url"].startswith(f"https://{NEWS}/sponsors/v1/seen/")
        assert mounted.call(f"{prefix}/slot.js")[0] == 200
        assert mounted.call(f"{prefix}/healthz")[0] == 200


def test_the_prefix_that_a_request_claims_is_not_believed(mounted: Service, news: Nginx) -> None:
    headers = {"X-Forwarded-Prefix": "/evil", "X-Script-Name": "/evil", "Script-Name": "/evil"}
    for _, _, body in (
        mounted.call("/v1/slots/masthead?location=Remer,MN", headers=headers),
        news.call(NEWS, "/sponsors/v1/slots/masthead?location=Remer,MN", headers),
    ):
        assert b"evil" not in body


def is_ready(service: Service, path: str) -> bool:
    return service.call(path)[0] == 200


def test_script_name_alone_mounts_the_service_and_its_health_checks_go_on(tmp_path: Path) -> None:
    with running_service(tmp_path, ADSERVER_WORKERS="1", SCRIPT_NAME="/sponsors") as service:
        for prefix in ("", "/sponsors"):
            decision = json.loads(service.call(f"{prefix}/v1/slots/masthead?location=Remer,MN")[2])
            assert decision["click_url"].startswith(f"{service.base}/sponsors/go/")
            service.await_that(partial(is_ready, service, f"{prefix}/readyz"))


def test_an_underscored_script_name_header_is_dropped(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
        connection.sendall(
            b"GET /v1/slots/masthead HTTP/1.1\r\nHost: localhost\r\nSCRIPT_NAME: /evil\r\nConnection: close\r\n\r\n"
        )
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 200")
    assert b"evil" not in received


def test_with_the_service_hung_or_stopped_pages_go_on_without_their_line(mounted: Service, news: Nginx) -> None:
    """The last one here, for the service is stopped then."""
    master, workers = mounted.pid_of("gunicorn"), mounted.workers()
    for pid in (master, *workers):
        kill(pid, signal.SIGSTOP)
    print(f"stopped gunicorn {master} and its workers {workers}")
    assert page(news, MASTHEAD)[0] == ""
    for pid in (master, *workers):
        kill(pid, signal.SIGCONT)
    assert line_of(news, MASTHEAD).startswith(LINE)
    mounted.stop()
    assert page(news, MASTHEAD)[0] == ""
