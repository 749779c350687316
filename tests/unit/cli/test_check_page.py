"""`adserver check-page` on real answers of a delivery app, careless and careful pages, and saved files."""

import json
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from browser_stand import serving
from click.testing import CliRunner, Result
from delivery_stand import Stand, make_catalog, make_site
from doc_pages import first_codes, read_page
from flask import Blueprint, Response

from adserver.catalog.compiled import Compiled, write_compiled
from adserver.catalog.file_names import COMPILED_NAME
from adserver.cli.main import main
from adserver.processes import page_checks

FRAME: Final = (
    '<iframe src="{service}/v1/frames/sidebar?location=Remer,MN" title="Sponsor" '
    'sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
)
GOOD: Final = (
    '<link rel="stylesheet" href="{service}/slot.css"><script src="{service}/slot.js" defer></script>'
    '<sponsor-slot name="masthead" location="Remer,MN">fallback</sponsor-slot>' + FRAME
)


class Site:
    """A publisher's pages beside the service they take lines from. One test."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}
        self.stand = Stand(extra=(self._blueprint(),))
        self.service = ""
        self.kept = ""

    def fragment(self) -> str:
        """Return a fragment made for this request."""
        return self.stand.client().get("/v1/slots/masthead.html?location=Remer,MN", base_url=self.service).text

    def _blueprint(self) -> Blueprint:
        blueprint = Blueprint("pages", __name__)

        @blueprint.get("/pages/<name>")
        def page(name: str) -> Response:
            html, headers = self.pages[name]
            self.kept = self.kept or self.fragment()
            html = html.replace("{service}", self.service).replace("{kept}", self.kept)
            if "{fragment}" in html:
                html = html.replace("{fragment}", self.fragment())
            return Response(html, headers={"Content-Type": "text/html; charset=utf-8", **headers})

        return blueprint


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in [name for name in os.environ if name.startswith("ADSERVER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    site = Site()
    with serving(site.stand) as site.service:
        yield site


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check-page", *arguments])


def findings(result: Result) -> dict[str, dict[str, str]]:
    return {each["code"]: each for each in json.loads(result.stdout)["findings"]}


def check(site: Site, html: str, **headers: str) -> dict[str, dict[str, str]]:
    """Return what is found of a page, but that no catalog is at hand; told by its exit status too."""
    site.pages["story"] = (html, {name.replace("_", "-"): value for name, value in headers.items()})
    result = run(f"{site.service}/pages/story", "--json")
    found = findings(result)
    assert result.exit_code == int(any(each["severity"] == "error" for each in found.values()))
    found.pop("slots_unchecked", None)
    return found


def test_a_page_as_the_documents_write_it_has_no_fault(site: Site) -> None:
    assert check(site, GOOD) == {}
    result = run(f"{site.service}/pages/story")
    assert result.exit_code == 0
    assert "0 errors, 0 warnings" in result.stdout


CASES: Final = [
    ("no_embed", "<p>News", {}),
    ("include_left", '<!--# include virtual="/v1/slots/masthead.html" -->', {}),
    ("include_left", '<esi:include src="/v1/slots/masthead.html"/>', {}),
    ("script_missing", '<sponsor-slot name="masthead"></sponsor-slot>', {}),
    (
        "stylesheet_missing",
        '<script src="{service}/slot.js"></script><sponsor-slot name="masthead"></sponsor-slot>',
        {},
    ),
    ("place_unknown", GOOD.replace("Remer,MN", "Nowhere at all"), {}),
    ("policy_blocks", GOOD, {"Content_Security_Policy": "default-src 'none'"}),
    ("policy_blocks", GOOD, {"Content_Security_Policy": "connect-src 'none'"}),
    ("policy_blocks", GOOD, {"Content_Security_Policy": "frame-src https://other.example"}),
    ("policy_blocks", '<meta http-equiv="Content-Security-Policy" content="script-src \'none\'">' + GOOD, {}),
    ("frame_title", GOOD.replace('title="Sponsor"', ""), {}),
    ("frame_sandbox", GOOD.replace("allow-popups allow-popups-to-escape-sandbox", "allow-popups"), {}),
    ("frame_sandbox", GOOD.replace('sandbox="allow-popups allow-popups-to-escape-sandbox"', "sandbox"), {}),
]


@pytest.mark.parametrize(
    ("code", "html", "headers"), CASES, ids=[f"{code}-{n}" for n, (code, _, _) in enumerate(CASES)]
)
def test_what_is_wrong_with_a_page_is_said(site: Site, code: str, html: str, headers: dict[str, str]) -> None:
    found = check(site, html, **headers)
    assert code in found
    assert found[code]["problem"]
    assert found[code]["remedy"]


def test_a_policy_that_lets_the_service_through_is_none_to_complain_of(site: Site) -> None:
    assert check(site, GOOD, Content_Security_Policy="default-src 'self'") == {}


PAGE: Final = '<link rel="stylesheet" href="{service}/slot.css">'


def test_a_token_that_two_requests_are_given_is_a_cached_one(site: Site) -> None:
    site.stand.now = _now()
    assert set(check(site, PAGE + "{kept}", Cache_Control="private, no-store")) == {"cached_token"}
    assert set(check(site, PAGE + "{fragment}", Cache_Control="private, no-store")) == set()


def test_a_token_older_than_the_page_is_a_cached_one(site: Site) -> None:
    site.stand.now = _now()
    site.stand.pass_time(minutes=-2)
    assert set(check(site, PAGE + "{fragment}", Cache_Control="private, no-store")) == {"cached_token"}


@pytest.mark.parametrize(
    ("control", "told"), [("max-age=60", True), ("", True), ("no-cache", True), ("no-store", False)]
)
def test_a_page_with_a_token_that_may_be_kept_is_warned_of(site: Site, control: str, told: bool) -> None:
    site.stand.now = _now()
    found = check(site, PAGE + "{fragment}", Cache_Control=control)
    assert set(found) == ({"page_cacheable"} if told else set())


def test_a_page_by_https_cannot_ask_by_http(site: Site, tmp_path: Path) -> None:
    (tmp_path / "saved.html").write_text(GOOD.replace("{service}", "http://sponsors.example"))
    assert "mixed_content" in findings(run("saved.html", "--json", "--url", "https://news.example/story"))
    assert "mixed_content" not in findings(run("saved.html", "--json", "--url", "http://news.example/story"))


@pytest.mark.parametrize(
    ("host", "told"), [("ads.news.example", True), ("adserver.example", True), ("sponsors.example", False)]
)
def test_a_name_that_ad_blockers_stop_is_warned_of(site: Site, tmp_path: Path, host: str, told: bool) -> None:
    (tmp_path / "saved.html").write_text(GOOD.replace("{service}", f"https://{host}"))
    assert ("blocked_name" in findings(run("saved.html", "--json", "--url", "https://news.example/story"))) == told


def test_a_saved_page_is_judged_by_when_it_was_saved(site: Site, tmp_path: Path) -> None:
    site.stand.now = _now()
    saved = tmp_path / "saved.html"
    saved.write_text((PAGE + site.fragment()).replace("{service}", site.service))
    assert "cached_token" not in findings(run(str(saved), "--json"))
    later = time.time() + 3600
    os.utime(saved, (later, later))
    result = run(str(saved), "--json")
    assert "cached_token" in findings(result)
    assert result.exit_code == 1


def test_with_a_catalog_at_hand_slots_and_origins_are_looked_at(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    monkeypatch.setenv("ADSERVER_DATA_DIR", str(data_dir))
    catalog = make_catalog(site=make_site(origins=("https://news.example",)))
    write_compiled(data_dir / COMPILED_NAME, Compiled(1, catalog))
    found = check(site, GOOD.replace("masthead", "mast-head"))
    assert set(found) == {"slot_unknown", "frame_origin"}
    assert (
        found["frame_origin"]["problem"] == f"{site.service} may not frame sidebar: its site names https://news.example"
    )
    assert found["slot_unknown"]["problem"] == "there is no slot 'mast-head': it stays empty"
    assert "masthead" in found["slot_unknown"]["remedy"]


@pytest.mark.parametrize("page", ["nowhere.html", "http://127.0.0.1:9/", "https://[::1", "http://sponsors.invalid/"])
def test_a_page_that_cannot_be_read_is_said_so(site: Site, page: str) -> None:
    result = run(page, "--json")
    assert (result.exit_code, set(findings(result))) == (1, {"page_unreadable"})


def test_an_answer_that_is_an_error_is_no_page(site: Site) -> None:
    result = run(f"{site.service}/v1/slots/No!", "--json")
    assert findings(result)["page_unreadable"]["problem"].endswith("it answers 404")


@pytest.mark.parametrize(
    "html", ["<" * 5000, "<sponsor-slot", "<iframe src='http://[::1/v1/frames/x'>", "<!--#", "\x00\ufffd", "<![CDATA[x"]
)
def test_a_page_that_is_not_html_breaks_nothing(site: Site, html: str) -> None:
    assert set(check(site, html)) <= {"no_embed", "script_missing", "slot_unknown", "stylesheet_missing"}


def test_every_finding_stands_in_the_documents_and_no_other() -> None:
    source = Path(page_checks.__file__).read_text()
    codes = set(re.findall(r'Finding\(\s*"(\w+)"', source)) | {"page_unreadable"}
    assert codes == set(first_codes(read_page("check-page.md")))


def _now() -> datetime:
    return datetime.now(UTC)
