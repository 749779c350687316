"""The management API over a catalog bench, with tokens that are called after their roles."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from catalog_bench import Bench, campaign, campaign_file
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adserver.catalog.desk import LocalDesk
from adserver.domain.ids import FlightId
from adserver.web.app import AppParts, create_app
from adserver.web.auth import Authenticator, Principal, Role
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit
from adserver.web.management import management_blueprint
from adserver.web.revisions import edits_blueprint, revisions_blueprint
from adserver.web.store_gate import StoreGate

ADMIN: Final[dict[str, str]] = {"Authorization": "Bearer admin"}
JSON: Final = "application/json"
YAML: Final = "application/yaml"


class TokensAreRoles:
    """Takes `Bearer <role>`. Immutable."""

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        word = (authorization_header or "").removeprefix("Bearer ")
        return Principal(f"the {word}", Role(word)) if word in list(Role) else None


@dataclass
class Desk:
    """The API before a bench. For one thread."""

    bench: Bench = field(default_factory=Bench)
    delivered: dict[str, int] = field(default_factory=dict)
    uploads: CallLimit = field(default_factory=lambda: CallLimit(lambda: 0.0, burst=1000))
    gate: StoreGate = field(default_factory=lambda: StoreGate(lambda: 0.0))
    tokens: Authenticator = field(default_factory=TokensAreRoles)

    def __post_init__(self) -> None:
        local = LocalDesk(self.bench.publisher)
        blueprint = management_blueprint(
            self.bench.publisher,
            local,
            self.tokens,
            self.uploads,
            self.count,
            lambda: self.bench.now,
            self.gate,
        )
        blueprints = (
            blueprint,
            edits_blueprint(local, self.tokens, self.uploads, self.gate),
            revisions_blueprint(self.bench.publisher, self.tokens, self.gate),
        )
        self.client: FlaskClient = create_app(AppParts(blueprints, HostRules())).test_client()

    def count(self, flights: Sequence[FlightId]) -> Mapping[FlightId, int]:
        return {id_: self.delivered[id_] for id_ in flights if id_ in self.delivered}

    def get(self, path: str, headers: Mapping[str, str] = ADMIN) -> TestResponse:
        return self.client.get(path, headers=headers)

    def post(
        self, document: object, query: str = "", content_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        sent = {**ADMIN, **(headers or {})}
        return self.client.post(f"/v1/campaigns{query}", data=data, content_type=content_type, headers=sent)

    def edit(self, path: str, headers: Mapping[str, str] | None = None, method: str = "POST") -> TestResponse:
        return self.client.open(path, method=method, headers={**ADMIN, **(headers or {})})

    def put_slots(self, document: object, headers: Mapping[str, str] = ADMIN) -> TestResponse:
        return self.client.put("/v1/slots", data=json.dumps(document), content_type=JSON, headers=headers)

    def put_rules(self, document: object, headers: Mapping[str, str] = ADMIN) -> TestResponse:
        return self.client.put("/v1/rules", data=json.dumps(document), content_type=JSON, headers=headers)


def rules_file(*categories: str) -> dict[str, Any]:
    """Return a rules.yaml that lets each of the categories run in Iowa alone."""
    states = {"IA": {"allow": True, "disclosure": "21+"}}
    return {
        "rules": [
            {"category": category, "as_of": "2026-11-01", "source": "the law", "states": dict(states)}
            for category in categories
        ]
    }


def desk(tokens: Authenticator | None = None) -> Desk:
    """Return a desk with slots at revision 1 and one campaign, `spring`, at revision 2."""
    made = Desk(tokens=tokens or TokensAreRoles())
    made.bench.publish_slots()
    made.bench.publish_files(campaign_file(campaign("spring")))
    return made


def errors_of(answer: TestResponse) -> list[tuple[str, str]]:
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.data)
    assert problem["status"] == answer.status_code
    return [(one["path"], one["message"]) for one in problem.get("errors", [])]
