"""Every example of the documents is run, page by page from top to end, by the convention of docs/README.md."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

import pytest
from doc_pages import EXAMPLE_PAGES, Block, blocks_of, is_like, is_text_like, rows_of, section
from doc_shell import BASE, Outcome, Shell
from pipeline import TOKEN, Pipeline, load_gazetteer
from sample import copy_sample
from valkey_server import connect, running_valkey

from adserver.catalog.build import build_catalog
from adserver.catalog.checking import check_campaign_file, check_rules_file, check_slots_file
from adserver.catalog.documents import Documents
from adserver.catalog.folder import check_folder
from adserver.catalog.reading import Parsed, RawValue
from adserver.catalog.yaml_reading import read_yaml
from adserver.cli import validate
from adserver.domain.errors import Fault, InputRefused
from adserver.places.gazetteer import Gazetteer

PUBLIC: Final = "https://sponsors.example"
"""The service's address in the examples of markup."""

FRAME: Final = """
advertiser: {id: frame, name: Frame}
campaigns:
  - id: frame-season
    name: Season
    starts: 2025-01-01
    ends: 2027-12-31
    timezone: America/Chicago
    creatives:
      - {id: frame-line, click_url: "https://frame.example/", variants: {name: Frame, short: "Frame: a line."}}
      - {id: frame-other, click_url: "https://frame.example/other", variants: {name: Frame}}
    flights:
      - {id: frame-flight}
"""
LAYOUT: Final = """
sites: [{id: news, name: NEWS, home: "https://news.example/", timezone: America/Chicago}]
slots: [{id: masthead, site: news}, {id: article-top, site: news}]
"""
RULES: Final = """
rules: [{category: betting, as_of: 2026-11-01, source: the law}]
"""


class World:
    """What a page's examples find: the sample's campaigns live, on a service of their own. One test."""

    def __init__(self, folder: Path, socket: Path) -> None:
        self.folder = folder
        data_dir = folder / ".adserver"
        data_dir.mkdir()
        copy_sample(folder / "campaigns")
        (data_dir / "admin-token").write_text(f"{TOKEN}\n")
        self.pipeline = Pipeline(data_dir, socket, demo=True)
        self.shell = Shell(self.pipeline, folder, {"ADSERVER_REDIS_URL": f"unix://{socket}"})
        self.shell.run('adserver push -m "first"')
        self.pipeline.settle()


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with running_valkey() as path:
        yield path


@pytest.fixture
def world(tmp_path: Path, socket: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with connect(socket) as client:
        client.flushall()
    gazetteer = load_gazetteer()
    monkeypatch.setattr(Gazetteer, "load", lambda: gazetteer)  # immutable: read once, not at every command
    monkeypatch.setattr(validate, "today", lambda: date(2026, 11, 24))  # the sample's rules grow old
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path, socket)
    yield world
    world.pipeline.close()


@pytest.mark.parametrize("page", EXAMPLE_PAGES)
def test_the_examples_of_a_page_do_what_it_says(page: str, world: World) -> None:
    outcome = Outcome("", 0)
    unseen: Block | None = None
    for block in blocks_of(page):
        if block.rest == "answer":
            check_answer(block, outcome)
            unseen = None
            continue
        check_success(unseen, outcome)
        unseen = None
        if block.language == "sh":
            outcome = world.shell.run(block.text)
            unseen = block
        else:
            check_text(block, world)
    check_success(unseen, outcome)


def check_success(block: Block | None, outcome: Outcome) -> None:
    """What no answer is shown of must have succeeded; exit codes the shell has looked at already."""
    assert block is None or not 400 <= outcome.status < 600, (str(block), outcome)


def check_answer(block: Block, outcome: Outcome) -> None:
    """Hold a shown answer against the given one."""
    told = f"{block} shows\n{block.text}\nbut it is\n{outcome.status} {outcome.headers}\n{outcome.output}"
    match block.language:
        case "json":
            shown = json.loads(block.text)
            assert is_like(shown, json.loads(outcome.output)), told
            is_problem = isinstance(shown, dict) and "type" in shown
            assert outcome.status == (shown["status"] if is_problem else outcome.status if outcome.status < 400 else 0)
        case "http":
            status, *headers = block.text.strip().splitlines()
            assert status.split()[1] == str(outcome.status), told
            for header in headers:
                name, _, value = header.partition(": ")
                assert is_text_like(value, outcome.headers.get(name.lower(), "")), f"{name}: {told}"
        case "html" | "csv" | "text":
            assert is_text_like(plain(block.text), plain(outcome.output)), told
        case _:
            raise AssertionError(f"{block}: an answer of an unknown kind")


def plain(text: str) -> str:
    """Return a text without blanks at the ends of its lines, or empty lines around it."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def check_text(block: Block, world: World) -> None:
    """Take a file, or ask every address of the service that stands in a page's markup."""
    if block.language == "yaml":
        take_yaml(block, world)
        return
    if block.rest.endswith((".html", ".csv")):
        (world.folder / block.rest).write_text(block.text)
    if block.language == "csv" and block.rest.endswith(".csv"):
        return
    assert block.language in ("html", "jinja", "php"), f"{block}: nothing runs such a block"
    addresses = [address.replace("&amp;", "&") for address in re.findall(rf'{PUBLIC}(/[^"\'\s<>;)]*)', block.text)]
    addresses += re.findall(r'(?:virtual|src)="(/[^"]*)"', block.text)
    for address in addresses:
        answer = world.pipeline.client.get(address, base_url=BASE)
        assert answer.status_code == 200, f"{block}: {address} is answered with {answer.status_code}"
        assert "Sponsor-No-Fill" not in answer.headers, f"{block}: {address} is not filled"


def take_yaml(block: Block, world: World) -> None:
    """Save a file of the campaigns folder, or put one flight, creative or slot into files that are right."""
    if block.rest.endswith(".yaml"):
        (world.folder / block.rest).write_text(block.text)
        check_folder(world.folder / "campaigns", load_gazetteer())
    elif block.rest == "slots":
        build_catalog(Documents(slots=check_slots_file(read_yaml(block.text.encode()))), load_gazetteer())
    elif block.rest == "rules":
        check_rules_file(read_yaml(block.text.encode()))
    else:
        faults = faults_of(block.rest, block.text)
        assert not faults, f"{block}: {faults}"


THINGS: Final[Mapping[str, Callable[[dict[str, RawValue]], RawValue]]] = {
    "advertiser": lambda file: at(file, "advertiser"),
    "campaign": lambda file: at(file, "campaigns", 0),
    "creative": lambda file: at(file, "campaigns", 0, "creatives", 0),
    "flight": lambda file: at(file, "campaigns", 0, "flights", 0),
    "rule": lambda file: at(file, "rules", 0),
    "site": lambda file: at(file, "sites", 0),
    "slot": lambda file: at(file, "slots", 0),
}


def at(value: RawValue, *path: str | int) -> RawValue:
    for step in path:
        value = value[step]  # type: ignore[index]  # the frames above have all of them
    return value


def faults_of(thing: str, text: str) -> list[str]:
    """Return the messages for a thing of a right file, changed by what a page writes."""
    campaigns, layout, rules = (read_yaml(frame.encode()).content for frame in (FRAME, LAYOUT, RULES))
    file = rules if thing == "rule" else layout if thing in ("site", "slot") else campaigns
    changed, change = THINGS[thing](file), read_yaml(text.encode())  # type: ignore[arg-type]  # both frames are mappings
    assert isinstance(changed, dict)
    assert isinstance(change.content, dict), text
    changed.update(change.content)
    try:
        change.refuse_any()
        documents = Documents(
            {"frame.yaml": check_campaign_file(parsed(campaigns))},
            check_slots_file(parsed(layout)),
            check_rules_file(parsed(rules)),
        )
        build_catalog(documents, load_gazetteer())
    except InputRefused as refused:
        return [tail(fault) for fault in refused.faults]
    return []


def parsed(content: RawValue) -> Parsed:
    return Parsed(content, read_yaml(b"{}").positions)


def tail(fault: Fault) -> str:
    """Return a fault as the tables show it: without the path of the thing itself."""
    path = re.sub(
        r"^(campaigns\[0\](\.(flights|creatives)\[0\])?|advertiser|(sites|slots|rules)\[0\])\.?", "", fault.path
    )
    return f"{path}: {fault.message}" if path else fault.message


MISTAKES: Final = rows_of(section("campaigns.md", "## Mistakes, and what is said of them"))


@pytest.mark.parametrize(("thing", "written", "message"), MISTAKES, ids=[row[1] for row in MISTAKES])
def test_a_mistake_is_refused_in_the_words_that_stand_in_the_documents(thing: str, written: str, message: str) -> None:
    assert faults_of(thing, written.strip("`")) == [message]


def test_a_page_cannot_show_an_answer_that_is_not_so() -> None:
    assert is_like({"a": "…", "b": [1, "…"]}, {"a": {}, "b": [1, 2]})
    assert not is_like({"a": 1}, {"a": 1, "b": 2})
    assert not is_like({"a": 1}, {"a": True})
    assert not is_like([1], [1, 2])
    assert is_text_like("a … c", "a b\nb c")
    assert not is_text_like("a … c", "a b d")
