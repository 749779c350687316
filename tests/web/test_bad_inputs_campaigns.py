"""The groups "links" and "upload" of the bad inputs, row by row: over the API, and at the command line by `validate`.

What only the API can be sent (sizes, encodings, content types, `If-Match`) stands in test_management_limits.py and
test_management_sheets.py.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from catalog_bench import campaign, campaign_file, creative, flight, slots_file
from click.testing import CliRunner
from management_desk import JSON, YAML, Desk, desk
from pipeline import load_gazetteer
from sheets import csv_bytes, row, xlsx_bytes

from adserver.cli.main import main
from adserver.places.gazetteer import Gazetteer
from adserver.web.bodies import CSV_TYPE, XLSX_TYPE

SUFFIXES: Final = {JSON: ".json", YAML: ".yaml", CSV_TYPE: ".csv", XLSX_TYPE: ".xlsx"}

LINKS: Final = {
    "javascript": "javascript:alert(1)",
    "a tab within": "java\tscript:alert(1)",
    "a control before": "\x01javascript:alert(1)",
    "data": "data:text/html,x",
    "vbscript": "vbscript:x",
    "file": "file:///etc/passwd",
    "blob": "blob:https://good.example/1",
    "no scheme": "//evil.example",
    "a backslash": "/\\evil.example",
    "no slashes": "https:evil.example",
    "a user": "https://good@evil.example",
    "a user and a backslash": "https://good\\@evil.example",
    "a line end": "https://good.example/\r\nSet-Cookie:a=b",
    "half an address": "http://[::1",
    "a port that is none": "https://good.example:99999/",
    "too long": "https://good.example/" + "a" * 2_048,
    "plain http": "http://good.example/",
    "a macro in the path": "https://good.example/{slot}",
    "an unknown macro": "https://good.example/?a={reader}",
}
GOOD_LINKS: Final = {
    "mailto": ("mailto:office@clinic.example", "mailto:office@clinic.example"),
    "tel": ("tel:+12185550100", "tel:+12185550100"),
    "IDN": ("https://bücher.example/", "https://xn--bcher-kva.example/"),
}


def linked(link: str, **fields: object) -> dict[str, object]:
    return campaign("autumn", creatives=[creative("autumn-creative", click_url=link, **fields)])


@dataclass(frozen=True)
class Bad:
    """What is sent, and what it gets: a status of the API, and a word of what is said."""

    data: bytes
    content_type: str
    status: int
    said: str


def refused(said: str, **fields: object) -> Bad:
    """Return a campaign that is wrong in one field, as JSON."""
    return Bad(json.dumps(campaign_file(campaign("autumn", **fields))).encode(), JSON, 422, said)


def flown(said: str, **fields: object) -> Bad:
    return refused(said, flights=[flight("autumn-flight", **fields)])


def yaml(said: str, text: str, status: int = 422) -> Bad:
    return Bad(text.encode(), YAML, status, said)


HEAD: Final = "advertiser: {id: shop, name: Shop}\ncampaigns:\n"
BOMB: Final = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))

UPLOADS: Final = {
    "depth 100,000": Bad(b"[" * 100_000, JSON, 400, "nested deeper"),
    "5,000 digits": Bad(b'{"a": ' + b"9" * 5_000 + b"}", JSON, 400, "5,000 digits"),
    "no UTF-8": Bad(b'{"a": "\xff"}', JSON, 400, "UTF-8"),
    "UTF-16": Bad('{"a": 1}'.encode("utf-16"), JSON, 400, "UTF-16"),
    "NaN": Bad(
        json.dumps(campaign_file(campaign("autumn", flights=[flight("f", weight=float("nan"))]))).encode(),
        JSON, 422, "weight",
    ),
    "1e999": Bad(
        json.dumps(campaign_file(campaign("autumn", flights=[flight("f", weight=77)]))).replace("77", "1e999").encode(),
        JSON, 422, "weight",
    ),
    "true for a number": flown("weight", weight=True),
    "a negative goal": flown("goal.impressions", goal={"impressions": -5}),
    "a negative price": flown("price.cpm", price={"cpm": "-1.00", "currency": "USD"}),
    "share over 100": flown("share", tier="sponsorship", share=101),
    "end before start": refused("ends", ends="2025-01-01"),
    "a day that does not exist": refused("starts", starts="2025-02-30"),
    "a time of day in a day": refused("starts", starts="2025-06-01T02:30"),
    "an unknown field": flown("colour", colour="red"),
    "a duplicate JSON key": Bad(b'{"advertiser": {"id": "a", "id": "b", "name": "A"}}', JSON, 422, "stands twice"),
    "a duplicate YAML key": yaml("stands twice", "advertiser: {id: a, id: b, name: A}\n"),
    "an unknown slot": flown("slots[0]", slots=["mast-head"]),
    "an unknown place": flown("targeting.places[0]", targeting={"places": ["Nowhere, MN"]}),
    "an unknown creative": flown("creatives[0]", creatives=["nobody"]),
    "a topic that is no word": flown("targeting.topics[0]", targeting={"topics": [5]}),
    "an id twice": Bad(
        json.dumps(campaign_file(campaign("autumn", flights=[flight("f"), flight("f", weight=2)]))).encode(),
        JSON, 422, "stands already",
    ),
    "an alias bomb": yaml("aliases stand for more than", BOMB),
    "a YAML tag": yaml("tags such as", "advertiser: !!python/object:os.system {id: a}\n"),
    "several documents": yaml("a second document", "a: 1\n---\nb: 2\n"),
    "012345 for a number": yaml("goal", HEAD + "  - {id: c, name: C, starts: 2026-01-01, timezone: UTC, flights: [{id: f, goal: {impressions: 012345}}]}\n"),  # noqa: E501
    "1_000 for a number": yaml("goal", HEAD + "  - {id: c, name: C, starts: 2026-01-01, timezone: UTC, flights: [{id: f, goal: {impressions: 1_000}}]}\n"),  # noqa: E501
    "12:30 for a number": yaml("goal", HEAD + "  - {id: c, name: C, starts: 2026-01-01, timezone: UTC, flights: [{id: f, goal: {impressions: 12:30}}]}\n"),  # noqa: E501
    "a sheet without a column": Bad(csv_bytes(row(), drop="timezone"), CSV_TYPE, 422, "this column is missing"),
    "merged cells": Bad(
        xlsx_bytes(row(), row("b"), change=lambda sheet, _: sheet.merge_range(1, 0, 2, 0, "shop")),
        XLSX_TYPE, 422, "is merged",
    ),
    "a formula": Bad(
        xlsx_bytes(row(), change=lambda sheet, _: sheet.write_formula(1, 1, "=A1", value="The Shop")),
        XLSX_TYPE, 422, "holds a formula",
    ),
    "100,000 rows": Bad(csv_bytes(row()) + b"x\n" * 100_000, CSV_TYPE, 422, "more than 20,000 rows"),
    "the wrong sheet": Bad(xlsx_bytes(row(), sheet="Spring", others=("Notes",)), XLSX_TYPE, 422, "has several sheets"),
}  # fmt: skip
GOOD_UPLOADS: Final = {
    "a sheet with semicolons": (csv_bytes(row(), separator=";"), CSV_TYPE),
    "a sheet with a byte order mark": (b"\xef\xbb\xbf" + csv_bytes(row()), CSV_TYPE),
    "YAML's NO, 012345 and 12:30 as text": (
        (HEAD + "  - {id: c, name: NO, starts: 2026-01-01, timezone: UTC, creatives: "
         "[{id: k, click_url: 'https://s.example/', variants: {name: 012345x, short: 12:30}}]}\n").encode(),
        YAML,
    ),
}  # fmt: skip


class Shell:
    """`adserver validate FILE` in a folder with the slots of the desk. One test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.campaigns = folder / "campaigns"
        self.campaigns.mkdir()
        (self.campaigns / "slots.json").write_text(json.dumps(slots_file()))

    def validate(self, data: bytes, content_type: str) -> tuple[int, str]:
        path = self.folder / f"upload{SUFFIXES[content_type]}"
        path.write_bytes(data)
        environ = {"ADSERVER_CAMPAIGNS_DIR": str(self.campaigns)}
        result = CliRunner(env=environ).invoke(main, ["validate", str(path)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result.exit_code, result.output


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    gazetteer = load_gazetteer()
    monkeypatch.setattr(Gazetteer, "load", lambda: gazetteer)
    return Shell(tmp_path)


def stays(api: Desk, send: Callable[[], object]) -> None:
    """Send something that must leave all that is live as it is."""
    before = api.bench.publisher.live()
    send()
    assert api.bench.publisher.live() == before
    assert api.get("/v1/campaigns/spring").status_code == 200


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_a_link_that_is_not_what_it_seems_is_refused_with_its_path(link: str, shell: Shell) -> None:
    data, api = json.dumps(campaign_file(linked(link))).encode(), desk()

    def send() -> None:
        answer = api.post(data)
        assert answer.status_code == 422
        assert [one["path"] for one in json.loads(answer.data)["errors"]] == ["campaigns[0].creatives[0].click_url"]

    stays(api, send)
    code, output = shell.validate(data, JSON)
    assert (code, "campaigns[0].creatives[0].click_url: " in output) == (1, True)


def test_utm_with_markup_is_refused_with_its_path(shell: Shell) -> None:
    data, api = json.dumps(campaign_file(linked("https://s.example/", utm={"source": "<b>"}))).encode(), desk()
    stays(api, lambda: api.post(data))
    assert [one["path"] for one in json.loads(api.post(data).data)["errors"]] == [
        "campaigns[0].creatives[0].utm.source"
    ]
    assert shell.validate(data, JSON)[0] == 1


@pytest.mark.parametrize(("link", "stored"), GOOD_LINKS.values(), ids=GOOD_LINKS)
def test_a_link_that_small_sponsors_have_is_taken(link: str, stored: str, shell: Shell) -> None:
    data, api = json.dumps(campaign_file(linked(link))).encode(), desk()
    assert api.post(data).status_code == 200
    given = json.loads(api.get("/v1/campaigns/autumn").data)
    assert given["campaigns"][0]["creatives"][0]["click_url"] == stored
    assert shell.validate(data, JSON) == (0, "no faults\n")


@pytest.mark.parametrize("bad", UPLOADS.values(), ids=UPLOADS)
def test_an_upload_is_refused_and_what_is_live_stays(bad: Bad, shell: Shell) -> None:
    api = desk()

    def send() -> None:
        answer = api.post(bad.data, content_type=bad.content_type)
        assert answer.status_code == bad.status
        assert answer.content_type == "application/problem+json"
        assert bad.said in answer.text

    stays(api, send)
    code, output = shell.validate(bad.data, bad.content_type)
    assert (code, bad.said in output) == (1, True), output


@pytest.mark.parametrize(("data", "content_type"), GOOD_UPLOADS.values(), ids=GOOD_UPLOADS)
def test_an_upload_that_reads_right_is_taken(data: bytes, content_type: str, shell: Shell) -> None:
    assert desk().post(data, content_type=content_type).status_code == 200
    assert shell.validate(data, content_type) == (0, "no faults\n")


def test_a_half_valid_batch_is_refused_whole_with_every_fault(shell: Shell) -> None:
    good = campaign("winter")
    bad = campaign("autumn", ends="2025-01-01", flights=[flight("f", weight=0, colour="red")])
    data, api = json.dumps(campaign_file(good, bad)).encode(), desk()
    stays(api, lambda: api.post(data))
    found = [one["path"] for one in json.loads(api.post(data).data)["errors"]]
    assert set(found) == {"campaigns[1].flights[0].colour", "campaigns[1].flights[0].weight"}
    assert "2 faults" in shell.validate(data, JSON)[1]


def test_an_id_that_another_campaign_holds_is_409_and_at_the_command_line_a_fault(shell: Shell) -> None:
    data, api = json.dumps(campaign_file(campaign("autumn", flights=[flight("spring-flight")]))).encode(), desk()
    stays(api, lambda: api.post(data))
    assert api.post(data).status_code == 409
    (shell.campaigns / "spring.json").write_text(json.dumps(campaign_file(campaign("spring"))))
    code, output = shell.validate(data, JSON)
    assert (code, "the flight id `spring-flight` stands already" in output) == (1, True)


def test_a_stale_if_match_is_409_with_the_newer_revision() -> None:
    api = desk()
    answer = api.post(campaign_file(campaign("autumn")), headers={"If-Match": '"1"'})
    assert answer.status_code == 409
    assert "the live revision is 2" in json.loads(answer.data)["detail"]
