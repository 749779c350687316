"""`GET /v1/reasons`: from pages' questions to the answer, who may ask, and what is refused."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result
from pipeline import TOKEN, Pipeline, campaign_file, load_gazetteer
from valkey_server import connect, running_valkey
from werkzeug.test import TestResponse

from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.watch import CatalogWatch
from adserver.cli.main import main
from adserver.counting.delivered import DeliveredWatch
from adserver.domain.reasons import NoFillReason
from adserver.keeping.reasons import ReasonKeeper
from adserver.keeping.redis_reasons import RedisReasonStore
from adserver.statistics.reason_words import WORDS
from adserver.statistics.reasons import SAMPLED

MINNESOTA = {"targeting": {"places": ["MN"], "exclude_places": ["Cook County, MN"]}}
HOUSE = {"id": "house", "slots": ["masthead"], "tier": "house"}


class World:
    """A service that was asked, and a keeper that has judged all of it. For one thread."""

    def __init__(self, folder: Path, socket: Path) -> None:
        self.folder, self.socket = folder, socket
        self.line = Pipeline(folder, socket)
        self.now = 0.0
        document = campaign_file(**MINNESOTA)
        document["campaigns"][0]["flights"].append(HOUSE)  # type: ignore[index, union-attr, call-overload, arg-type]
        self.line.publish(document)
        with connect(socket) as client:
            snapshots = CatalogWatch(folder / COMPILED_NAME)
            keeper = ReasonKeeper(
                folder,
                store=RedisReasonStore(client),
                snapshots=snapshots,
                delivered=DeliveredWatch(folder),
                place=load_gazetteer().get,
                table=lambda: None,
                rng=Random(1),
                clock=lambda: self.now,
            )
            keeper.step(self.line.clock().timestamp() - 60)
            self._ask_around()
            self.line.flush()
            for _ in range(400):
                self.now += 1
                keeper.step(self.line.clock().timestamp())

    def _ask_around(self) -> None:
        for query, times in (("?location=Remer,MN", 3), ("?location=Fargo,ND", 2), ("?location=Duluth,MN", 1)):
            for _ in range(times):
                self.line.decide(query)
        page = {"location": "Remer,MN", "slots": [{"id": "a", "slot": "masthead"}, {"id": "b", "slot": "masthead"}]}
        assert self.line.client.post("/v1/decisions", json=page).status_code == 200

    def ask(self, query: str, token: str = TOKEN) -> TestResponse:
        return self.line.client.get(f"/v1/reasons?{query}", headers={"Authorization": f"Bearer {token}"})

    def command(self, *arguments: str) -> Result:
        environ = {
            "ADSERVER_REDIS_URL": f"unix://{self.socket}", "ADSERVER_DATA_DIR": str(self.folder), "COLUMNS": "150"
        }  # fmt: skip
        return CliRunner().invoke(main, ["explain", *arguments], env=environ)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_valkey() as socket:
        world = World(tmp_path_factory.mktemp("reasons"), socket)
        yield world
        world.line.close()


def test_a_flight_is_told_with_all_that_stopped_it_at_a_place(world: World) -> None:
    answer = world.ask("flight=everywhere&location=Remer,MN&slot=masthead")
    today = f"{world.line.clock():%Y-%m-%d}"
    assert answer.get_json() == {
        "flight": "everywhere",
        "campaign": "season",
        "slot": "masthead",
        "place": "us-mn-remer",
        "day": today,
        "questions": 5,
        "looked_at": 5,
        "one_in": 1,
        "won": 4,
        "reasons": [
            {"reason": "same_sponsor", "detail": WORDS[NoFillReason.SAME_SPONSOR], "questions": 1, "part": 0.2}
        ],
        "everywhere": [],
        "notes": [SAMPLED],
    }
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_place_is_all_that_lies_in_it_and_no_place_is_everywhere(world: World) -> None:
    def found(query: str) -> tuple[int, int, dict[str, int]]:
        document = world.ask(query).get_json()
        return document["questions"], document["won"], {e["reason"]: e["questions"] for e in document["reasons"]}

    assert found("flight=everywhere&location=MN") == (6, 5, {"same_sponsor": 1})
    assert found("flight=everywhere") == (8, 5, {"place": 2, "same_sponsor": 1})
    assert found("flight=house&location=Duluth,MN") == (1, 0, {"lower_tier": 1})
    assert found("flight=house&location=ND") == (2, 2, {})
    assert found("flight=house&day=" + f"{world.line.clock() - timedelta(days=1):%Y-%m-%d}") == (0, 0, {})


def test_where_it_cannot_run_targeting_says_why(world: World) -> None:
    answer = world.ask("flight=everywhere&location=Fargo,ND").get_json()
    assert (answer["questions"], answer["everywhere"]) == (0, [])
    assert answer["notes"][0] == (
        "As it is live now, it cannot run there (place): runs in us-mn, which do not contain us-nd-fargo."
    )
    elsewhere = world.ask("flight=everywhere&slot=article-top").get_json()
    assert elsewhere["notes"][0] == "It runs in masthead, not in article-top."


@pytest.mark.parametrize(
    ("query", "status", "name"),
    [
        ("", 400, "flight"),
        ("flight=No%20slug", 400, "flight"),
        ("flight=everywhere&flight=house", 400, "flight"),
        ("flight=everywhere&slot=gone", 400, "slot"),
        ("flight=everywhere&slot=No%20slug", 400, "slot"),
        ("flight=everywhere&location=Atlantis", 400, "location"),
        ("flight=everywhere&day=yesterday", 400, "day"),
        ("flight=everywhere&day=2020-01-01", 400, "day"),
        ("flight=everywhere&day=2999-01-01", 400, "day"),
        ("flight=nobody", 404, ""),
        ("flight=nobody&slot=gone", 404, ""),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(world: World, query: str, status: int, name: str) -> None:
    answer = world.ask(query)
    assert answer.status_code == status
    assert name in answer.get_data(as_text=True)


def test_a_bound_token_has_its_own_flights_and_others_do_not_exist_for_it(world: World) -> None:
    assert world.ask("flight=everywhere", "nonsense").status_code == 401
    for advertiser, status in (("qwiket", 200), ("another", 404)):
        token = bound_token(world, advertiser)
        assert world.ask("flight=everywhere", token).status_code == status
    assert world.ask("flight=everywhere&slot=gone", token).status_code == 404, "nor is it told apart from no flight"


def bound_token(world: World, advertiser: str) -> str:
    environ = {"ADSERVER_REDIS_URL": f"unix://{world.socket}", "ADSERVER_DATA_DIR": str(world.folder)}
    arguments = ["token", "create", f"of-{advertiser}", "--role", "analyst", "--advertiser", advertiser, "--json"]
    made = CliRunner().invoke(main, arguments, env=environ)
    assert made.exit_code == 0, made.output
    world.line.settle()
    token: str = json.loads(made.output)["token"]
    return token


def test_the_command_tells_it_in_words_and_as_the_api_does(world: World) -> None:
    told = world.command("--flight", "everywhere", "--location", "Remer,MN")
    assert told.exit_code == 0
    today = f"{world.line.clock():%Y-%m-%d}"
    assert [line.rstrip() for line in told.output.splitlines()][:3] == [
        f"everywhere in Remer, MN, all its slots, on {today}: won 80% of about 5 questions (5 looked at)",
        "80.0%  won",
        "20.0%  same_sponsor  its advertiser was on the page already",
    ]
    as_json = world.command("--flight", "everywhere", "--location", "Remer,MN", "--json")
    assert json.loads(as_json.output) == world.ask("flight=everywhere&location=Remer,MN").get_json()
    assert "nothing was found" in world.command("--flight", "everywhere", "--location", "Fargo,ND").output


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--flight", "nobody"], 1, "no flight nobody is live"),
        (["--flight", "everywhere", "--at", "2026-01-01T00:00:00Z"], 2, "with --flight only"),
        (["--flight", "everywhere", "--day", "yesterday"], 2, "--day"),
        (["--slot", "masthead", "--day", "2026-01-01"], 2, "--day is taken with --flight"),
        ([], 2, "--flight"),
    ],
)
def test_the_command_refuses_what_it_cannot_tell(world: World, arguments: list[str], status: int, words: str) -> None:
    told = world.command(*arguments)
    assert told.exit_code == status
    assert words in told.output


def test_every_reason_has_words() -> None:
    assert WORDS.keys() == set(NoFillReason)
