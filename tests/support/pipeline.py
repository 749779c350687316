"""The whole way of an event in one process, on a real Redis and a clock that the test sets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adserver.catalog.documents import JsonObject
from adserver.config import Settings
from adserver.keeping.keeper import Keeper
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.app import make_app
from adserver.runtime.keeper import make_keeper
from adserver.web.upkeep import Upkeep

TOKEN = "adsv_test-token-of-the-pipeline"
READER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"}
LONG = "QWIKET: Elevate your fantasy game! Interactive Sports Knowledge and Reasoning Support."

SLOTS: JsonObject = {
    "sites": [
        {"id": "america-one", "name": "THE AMERICA ONE NEWS", "home": "https://americaone.example/", "timezone": "UTC"}
    ],
    "slots": [
        {"id": "masthead", "site": "america-one", "max_chars": 140},
        {"id": "article-top", "site": "america-one", "max_chars": 140},
    ],
}


def campaign_file(**flight: object) -> JsonObject:
    """Return one sponsor with one flight in the masthead, changed by `flight`."""
    return {
        "advertiser": {"id": "qwiket", "name": "QWIKET"},
        "campaigns": [
            {
                "id": "season",
                "name": "Season",
                "starts": "2026-01-01",
                "timezone": "UTC",
                "creatives": [
                    {
                        "id": "elevate",
                        "click_url": "https://qwiket.com/",
                        "variants": {"name": "QWIKET", "short": "QWIKET: Elevate your fantasy game!", "long": LONG},
                    }
                ],
                "flights": [{"id": "everywhere", "slots": ["masthead"], **flight}],  # type: ignore[dict-item]
            }
        ],
    }


@cache
def load_gazetteer() -> Gazetteer:
    """Return the gazetteer, loaded once for all tests of a process; it is immutable."""
    return Gazetteer.load()


@dataclass
class Clock:
    """The present, as the test sets it; begins at the real one, for Redis keeps its own."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        """Let time go by, or back."""
        self.now += timedelta(**span)


class Pipeline:
    """Two workers and a keeper as plain objects; `settle` does what their background threads do."""

    def __init__(self, folder: Path, socket: Path, *, demo: bool = False) -> None:
        self.clock = Clock()
        self.settings = Settings(
            redis_url=f"unix://{socket}", data_dir=folder, admin_token=TOKEN, secret_keys=(b"k" * 32,), demo=demo
        )
        self._workers: list[tuple[FlaskClient, Upkeep]] = []
        for _ in range(2):
            app, upkeep = make_app(self.settings, load_gazetteer(), self.clock)
            self._workers.append((app.test_client(), upkeep))
        self.keeper: Keeper = make_keeper(self.settings, load_gazetteer())

    @property
    def client(self) -> FlaskClient:
        """The first worker."""
        return self._workers[0][0]

    @property
    def other_client(self) -> FlaskClient:
        """The second worker."""
        return self._workers[1][0]

    def close(self) -> None:
        """Let go of the spools."""
        for _, upkeep in self._workers:
            upkeep.stop()

    def flush(self) -> None:
        """Do what the workers' threads do each half second."""
        for _, upkeep in self._workers:
            upkeep.flush()

    def settle(self) -> None:
        """Bring all that was decided and answered into the counts, and what is published to the workers."""
        self.flush()
        report = self.keeper.step(0.0, self.clock())
        while report.unapplied_bytes and report.applied_ranges:
            report = self.keeper.step(0.0, self.clock())
        for _, upkeep in self._workers:
            upkeep.look()

    def publish(self, document: JsonObject, slots: JsonObject = SLOTS) -> None:
        """Make slots and one campaign file live."""
        for call, body in (("/v1/slots", slots), ("/v1/campaigns", document)):
            method = self.client.put if call == "/v1/slots" else self.client.post
            response = method(call, json=body, headers={"Authorization": f"Bearer {TOKEN}"})
            assert response.status_code == 200, response.get_data(as_text=True)
        self.settle()

    def decide(self, query: str = "", slot: str = "masthead") -> dict[str, Any]:
        """Ask for a slot and return the JSON decision, which must be a fill."""
        response = self.client.get(f"/v1/slots/{slot}{query}")
        assert response.status_code == 200, (response.status_code, response.headers.get("Sponsor-No-Fill"))
        decision: dict[str, Any] = response.get_json()
        return decision

    def seen(
        self, token: str, *, client: FlaskClient | None = None, headers: Mapping[str, str] = READER, query: str = ""
    ) -> TestResponse:
        """Send the image beacon of a token."""
        return (client or self.client).get(f"/v1/seen/{token}.gif{query}", headers=headers)

    def click(
        self, token: str, *, client: FlaskClient | None = None, headers: Mapping[str, str] = READER, query: str = ""
    ) -> TestResponse:
        """Follow the link of a token."""
        return (client or self.client).get(f"/go/{token}{query}", headers=headers)

    def events(self, *events: Mapping[str, object]) -> TestResponse:
        """Send a batch of events."""
        return self.client.post("/v1/seen", json={"events": list(events)}, headers=READER)

    def counts(self, *dimensions: str, **query: object) -> dict[Any, dict[str, int]]:
        """Settle, and return the metrics by dimensions: a word where there is one, a tuple for several, () for none."""
        self.settle()
        metrics = ["decisions", "fills", "impressions", "gross", "viewable", "clicks", "invalid"]
        document = {"metrics": metrics, "dimensions": list(dimensions), "date_range": "all", **query}
        response = self.client.post("/v1/query", json=document, headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200, response.get_data(as_text=True)
        return {
            (row["dimensions"][0] if len(dimensions) == 1 else tuple(row["dimensions"])): dict(
                zip(metrics, row["metrics"], strict=True)
            )
            for row in response.get_json()["results"]
        }

    def invalid(self) -> dict[str, int]:
        """Settle, and return the invalid events by reason, without those that are 0."""
        self.settle()
        document = {"metrics": ["invalid"], "dimensions": ["reason"], "date_range": "all"}
        response = self.client.post("/v1/query", json=document, headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200, response.get_data(as_text=True)
        rows = response.get_json()["results"]
        return {row["dimensions"][0]: row["metrics"][0] for row in rows if row["metrics"][0]}
