"""The WordPress plugin, its own functions run by PHP, before the few calls of WordPress that it makes."""

import html
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service import ROOT, Service, running_service

PLUGIN = ROOT / "integrations" / "wordpress" / "sponsor-slots"
WORDPRESS = ROOT / "tests" / "support" / "wordpress.php"
SERVICE = "https://sponsors.example"
SET = {"sponsor_slots_service": SERVICE, "sponsor_slots_slot": "article-top", "sponsor_slots_paragraph": 2}
POST = "<p>one</p>\n<p>two</p>\n<p>three</p>"


class WordPress:
    """PHP with the plugin loaded. One thread."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def call(self, name: str, *arguments: object, **world: object) -> dict[str, Any]:
        """Call a function; return its answer, what it printed and which calls it made of WordPress."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        empty = {"options": SET, "meta": {}, "page": {}}
        self._process.stdin.write(json.dumps({**empty, **world, "call": name, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, dict)
        return answer


@pytest.fixture(scope="module")
def wordpress() -> Iterator[WordPress]:
    command = ("php", "-d", "error_reporting=-1", str(WORDPRESS), str(PLUGIN))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield WordPress(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("file", sorted(PLUGIN.rglob("*.php")), ids=lambda path: path.name)
def test_php_reads_every_file(file: Path) -> None:
    run = subprocess.run(("php", "-l", str(file)), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_the_shortcode_prints_the_tag_with_the_frame_inside(wordpress: WordPress) -> None:
    said = {"name": "masthead", "location": "Remer,MN", "topic": "sports"}
    assert wordpress.call("sponsor_slots_shortcode", said)["answer"] == (
        '<sponsor-slot name="masthead" location="Remer,MN" topic="sports"><noscript>'
        '<iframe src="https://sponsors.example/v1/frames/masthead?location=Remer%2CMN&#038;topic=sports"'
        ' title="Sponsor" loading="lazy" sandbox="allow-popups allow-popups-to-escape-sandbox"'
        ' width="100%" height="48"></iframe></noscript></sponsor-slot>'
    )


def test_the_block_prints_the_same_as_the_shortcode(wordpress: WordPress) -> None:
    said = {"name": "masthead", "location": "Remer,MN"}
    assert (
        wordpress.call("sponsor_slots_block", said)["answer"]
        == (wordpress.call("sponsor_slots_shortcode", said)["answer"])
    )


def test_a_plugin_that_is_not_set_up_prints_nothing(wordpress: WordPress) -> None:
    assert wordpress.call("sponsor_slots_shortcode", {"name": "masthead"}, options={})["answer"] == ""
    assert wordpress.call("sponsor_slots_enqueue", options={})["calls"] == []
    assert wordpress.call("sponsor_slots_shortcode", "")["answer"] == ""


@pytest.mark.parametrize("hostile", ['"><script>alert(1)</script>', "' onload=x '", "{{7*7}}", "a&quot;b"])
def test_what_an_author_writes_adds_no_element_and_no_attribute(wordpress: WordPress, hostile: str) -> None:
    said = {"name": "masthead", "location": hostile, "topic": hostile}
    printed = wordpress.call("sponsor_slots_shortcode", said)["answer"]
    assert re.findall(r"<[a-z-]+", printed) == ["<sponsor-slot", "<noscript", "<iframe"]
    assert re.findall(r' ([a-z]+)="', re.split(r"<noscript>", printed)[0]) == ["name", "location", "topic"]
    assert wordpress.call("sponsor_slots_shortcode", {"name": hostile})["answer"] == ""


def test_the_slot_stands_after_the_paragraph_that_the_settings_name(wordpress: WordPress) -> None:
    content = run_filter(wordpress, POST, meta={"sponsor_location": "Remer,MN"})
    before, after = content.split("<sponsor-slot")
    assert before == "<p>one</p>\n<p>two</p>"
    assert after.endswith("</sponsor-slot>\n<p>three</p>")
    assert ' location="Remer,MN"' in after


@pytest.mark.parametrize(
    "world",
    [
        {"page": {"type": "page"}},
        {"page": {"loop": False}},
        {"page": {"main": False}},
        {"options": {**SET, "sponsor_slots_paragraph": 0}},
        {"options": {**SET, "sponsor_slots_paragraph": 4}},
        {"options": {**SET, "sponsor_slots_service": ""}},
    ],
)
def test_elsewhere_a_post_stays_as_it_is(wordpress: WordPress, world: dict[str, object]) -> None:
    assert run_filter(wordpress, POST, **world) == POST


def test_wordpress_is_told_of_the_shortcode_the_block_and_the_script(wordpress: WordPress) -> None:
    assert wordpress.call("run_hook", "init", 0)["calls"] == [
        ["add_shortcode", ["sponsor_slot", "sponsor_slots_shortcode"]],
        ["register_block_type", ["sponsor-slots/slot", "sponsor_slots_block"]],
    ]
    assert wordpress.call("run_hook", "wp_enqueue_scripts", 0)["calls"] == [
        ["wp_enqueue_script", ["sponsor-slots", f"{SERVICE}/slot.js", [], None, {"strategy": "defer"}]]
    ]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" https://sponsors.example/ ", "https://sponsors.example"),
        ("https://news.example/sponsors", "https://news.example/sponsors"),
        ("", ""),
    ],
)
def test_an_address_is_kept_without_its_slash(wordpress: WordPress, typed: str, kept: str) -> None:
    cleaned = wordpress.call("sponsor_slots_clean_service", typed)
    assert (cleaned["answer"], cleaned["calls"]) == (kept, [])


@pytest.mark.parametrize(
    "typed", ["javascript:alert(1)", "sponsors.example", 'https://x"onload=', "https://x/?a=b", "//x"]
)
def test_an_address_that_is_none_is_refused_in_words_and_the_old_one_stays(wordpress: WordPress, typed: str) -> None:
    cleaned = wordpress.call("sponsor_slots_clean_service", typed)
    assert cleaned["answer"] == SERVICE
    assert "https://sponsors.example" in cleaned["calls"][0][1][2]


def test_a_slot_that_is_none_is_refused_in_words(wordpress: WordPress) -> None:
    cleaned = wordpress.call("sponsor_slots_clean_slot", "Article Top")
    assert cleaned["answer"] == "article-top"
    assert "small letters" in cleaned["calls"][0][1][2]


def test_the_settings_page_shows_what_is_set_as_text(wordpress: WordPress) -> None:
    hostile = '"><script>'
    printed = wordpress.call("sponsor_slots_settings_page", options={**SET, "sponsor_slots_slot": hostile})["printed"]
    assert f'value="{html.escape(hostile)}"' in printed
    assert "<script" not in printed


def test_what_the_plugin_prints_is_filled_by_the_service(wordpress: WordPress, tmp_path: Path) -> None:
    with running_service(tmp_path, ADSERVER_WORKERS="1") as service:
        options = {"sponsor_slots_service": service.base}
        said = {"name": "masthead", "location": "Remer,MN"}
        printed = wordpress.call("sponsor_slots_shortcode", said, options=options)["answer"]
        assert "QWIKET" in frame_of(service, printed)


def run_filter(wordpress: WordPress, content: str, **world: object) -> str:
    answer = wordpress.call("run_hook", "the_content", content, **world)["answer"]
    assert isinstance(answer, str)
    return answer


def frame_of(service: Service, printed: str) -> str:
    """Load the frame that a page has printed."""
    found = re.search(r'<iframe src="([^"]+)"', printed)
    assert found is not None
    status, _, body = service.call(html.unescape(found[1]).removeprefix(service.base))
    assert status == 200
    return body.decode()
