"""`POST /v1/explain` from outside: now, then, by token; who sees what, and what is refused."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from catalog_bench import Bench, campaign, campaign_file, creative, flight
from flask.testing import FlaskClient
from management_desk import ADMIN, JSON
from werkzeug.test import TestResponse

from adserver.catalog.moments import Moments
from adserver.decision.snapshot import Snapshot
from adserver.domain.ids import FlightId, IdHash, Kind
from adserver.domain.places import Place
from adserver.domain.token import Token, TokenCodec
from adserver.domain.variants import Variant
from adserver.web.app import AppParts, create_app
from adserver.web.auth import Principal, Role
from adserver.web.explain import explain_blueprint
from adserver.web.explainer import Explainer
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit
from adserver.web.store_gate import StoreGate

CODEC = TokenCodec((bytes(32),))


class NoPlaces:
    def find(self, text: str) -> Place:
        raise AssertionError(text)

    def resolve(self, text: str) -> Place | None:
        return None

    def by_hash(self, hash_: IdHash) -> Place | None:
        return None


class Tokens:
    """Takes `Bearer <role>`, or `Bearer bank`, bound to that advertiser."""

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        word = (authorization_header or "").removeprefix("Bearer ")
        if word == "bank":
            return Principal("bank", Role.ANALYST, frozenset({"bank"}))
        return Principal(word, Role(word)) if word in list(Role) else None


@dataclass
class World:
    """A service of what a bench has published. For one thread."""

    bench: Bench = field(default_factory=Bench)
    delivered: dict[FlightId, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        explainer = Explainer(
            moments=Moments(self, self.bench.store, NoPlaces()),
            delivered=Delivered(self.delivered),
            places=NoPlaces(),
            codec=CODEC,
            clock=lambda: self.bench.now,
            rng=Random(1),
        )
        blueprint = explain_blueprint(explainer, Tokens(), CallLimit(lambda: 0.0), StoreGate(lambda: 0.0))
        self.client: FlaskClient = create_app(AppParts((blueprint,), HostRules())).test_client()

    def current(self) -> Snapshot | None:
        live = self.bench.publisher.live()
        return Snapshot.build(self.bench.publisher.catalog(live), live.revision) if live.revision else None

    def ask(self, headers: dict[str, str] = ADMIN, /, **document: object) -> TestResponse:
        return self.client.post("/v1/explain", data=json.dumps(document), content_type=JSON, headers=headers)

    def flights(self, **document: object) -> dict[str, tuple[str | None, float]]:
        answer = self.ask(**document)
        assert answer.status_code == 200, answer.data
        return {one["flight"]: (one["reason"], one["odds"]) for one in answer.json["flights"]}  # type: ignore[index]

    def token(self, flight: str, creative: str) -> str:
        snapshot = self.current()
        assert snapshot is not None
        second = int(self.bench.now.timestamp())
        return CODEC.encode(
            Token(
                issuer=bytes(6),
                shard=0,
                sequence=1,
                issued_second=second,
                flight=snapshot.hashes.flights[FlightId(flight)],
                creative=snapshot.hashes.creatives[creative],  # type: ignore[index]
                slot=snapshot.hashes.slots["masthead"],  # type: ignore[index]
                place=Kind.PLACE.unknown,
                topic=Kind.TOPIC.none,
                variant=Variant.AUTO,
            )
        )


@dataclass(frozen=True)
class Delivered:
    counts: dict[FlightId, int]

    def current(self) -> dict[FlightId, int]:
        return self.counts


@pytest.fixture
def world() -> World:
    world = World()
    world.bench.publish_slots()
    bank = campaign("bank", flights=[flight("bank-flight", weight=3), flight("bank-house", tier="house")])
    shop = campaign(
        "shop", flights=[flight("shop-flight", slots=["masthead"], goal={"impressions": 5, "pacing": "asap"})]
    )
    world.bench.publish_files(
        campaign_file(bank, advertiser="bank", name="Bank"), campaign_file(shop, advertiser="shop", name="Shop")
    )
    return world


def test_every_flight_has_its_odds_and_all_but_the_winner_a_reason(world: World) -> None:
    document = world.ask(slot="masthead").json
    assert document is not None
    assert document["winner"]["flight"] in ("bank-flight", "shop-flight")
    assert sum(one["odds"] for one in document["flights"]) == 1
    assert [one["flight"] for one in document["flights"] if one["reason"] is None] == [document["winner"]["flight"]]
    reasons = {one["flight"]: one["reason"] for one in document["flights"]}
    assert reasons["bank-house"] == "lower_tier"
    assert (document["slot"], document["place"], document["no_fill"]) == ("masthead", None, None)


def test_a_goal_that_is_met_is_the_reason_now(world: World) -> None:
    world.delivered[FlightId("shop-flight")] = 5
    assert world.flights(slot="masthead") == {
        "bank-flight": (None, 1.0),
        "bank-house": ("lower_tier", 0.0),
        "shop-flight": ("goal_met", 0.0),
    }


def test_the_past_is_explained_by_the_revision_that_was_live_then(world: World) -> None:
    then = world.bench.now
    world.bench.pass_time(hours=2)
    world.bench.publish_files(campaign_file(campaign("bank", status="paused"), advertiser="bank", name="Bank"))
    assert world.flights(slot="masthead", exclude=["shop"])["bank-flight"][0] == "paused"
    past = world.ask(slot="masthead", exclude=["shop"], at=(then + timedelta(hours=1)).isoformat()).json
    assert past is not None
    assert past["winner"]["flight"] == "bank-flight"
    assert past["revision"] < world.bench.publisher.live().revision
    before = world.ask(slot="masthead", at=(then - timedelta(days=1)).isoformat())
    assert (before.status_code, before.json and before.json["title"]) == (422, "Nothing to explain")


def test_a_token_is_explained_by_its_second_and_its_winner(world: World) -> None:
    token = world.token("bank-house", "bank-creative")
    world.bench.pass_time(minutes=5)
    world.bench.publish_files(campaign_file(campaign("bank", status="paused"), advertiser="bank", name="Bank"))
    answer = world.ask(token=token).json
    assert answer is not None
    assert answer["winner"] == {
        "campaign": "bank", "flight": "bank-house", "creative": "bank-creative", "variant": "name"
    }  # fmt: skip
    assert next(one for one in answer["flights"] if one["flight"] == "bank-house")["reason"] is None


def test_a_bound_token_sees_its_own_flights_only(world: World) -> None:
    answer = world.ask({"Authorization": "Bearer bank"}, slot="masthead", exclude=["bank"]).json
    assert answer is not None
    assert answer["winner"] is None
    assert {one["flight"]: one["reason"] for one in answer["flights"]} == {
        "bank-flight": "excluded", "bank-house": "excluded"
    }  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_ask(world: World, role: Role) -> None:
    assert world.ask({"Authorization": f"Bearer {role}"}, slot="masthead").status_code == 200


def test_nobody_may_not(world: World) -> None:
    assert world.ask({"Authorization": "Bearer nobody"}, slot="masthead").status_code == 401


@pytest.mark.parametrize(
    ("document", "status", "says"),
    [
        ({}, 422, "slot"),
        ({"slot": "masthead", "token": "x"}, 422, "slot"),
        ({"slot": 7}, 422, "slot"),
        ({"slot": "masthead", "colour": "red"}, 422, "colour"),
        ({"slot": "nowhere"}, 400, "slot"),
        ({"slot": "No Slot"}, 400, "slot"),
        ({"slot": "masthead", "at": "yesterday"}, 400, "at"),
        ({"slot": "masthead", "at": "2026-11-24T08:00:00"}, 400, "at"),
        ({"slot": "masthead", "variant": "huge"}, 400, "variant"),
        ({"slot": "masthead", "max_chars": 0}, 400, "max_chars"),
        ({"slot": "masthead", "topics": ["a"] * 21}, 400, "topics"),
        ({"token": "x" * 74}, 400, "token"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    world: World, document: dict[str, object], status: int, says: str
) -> None:
    answer = world.ask(**document)
    assert answer.status_code == status
    assert says in answer.get_data(as_text=True)


def test_nothing_published_is_nothing_to_explain() -> None:
    answer = World().ask(slot="masthead")
    assert answer.status_code == 422
    assert b"adserver push" in answer.data


def test_a_body_that_is_no_json_is_refused(world: World) -> None:
    assert world.client.post("/v1/explain", data=b"{", content_type=JSON, headers=ADMIN).status_code == 400
    assert world.client.post("/v1/explain", data=b"{}", content_type="text/plain", headers=ADMIN).status_code == 415


def test_creatives_are_weighed_only_among_those_that_fit(world: World) -> None:
    wordy = creative("wordy", variants={"name": "x" * 139})
    world.bench.publish_files(
        campaign_file(campaign("bank", creatives=[wordy]), advertiser="bank", name="Bank"),
    )
    assert world.flights(slot="masthead", max_chars=20, exclude=["shop"])["bank-flight"][0] == "variant"
