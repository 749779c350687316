"""Goals on real processes: two workers share what is left of one, and a keeper that is gone leaves nothing to spend."""

import http.client
import json
import signal
import threading
from collections.abc import Iterator

import pytest
from service import READER, Service, kill, running_service

GOAL = 40


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("pacing")
    (folder / "campaigns").mkdir()
    slots = [{"id": slot, "site": "news"} for slot in ("sold", "capped", "even")]
    site = {"id": "news", "name": "NEWS", "home": "https://news.example/", "timezone": "UTC"}
    (folder / "campaigns" / "slots.yaml").write_text(json.dumps({"sites": [site], "slots": slots}))
    flights = [
        {"id": "sold", "slots": ["sold"], "goal": {"impressions": GOAL, "pacing": "asap"}},
        {"id": "capped", "slots": ["capped"], "caps": [{"impressions": 12, "per": "day", "scope": "flight"}]},
        {"id": "even", "slots": ["even"], "goal": {"impressions": 30}},
        {"id": "house", "tier": "house"},
    ]
    campaign = {
        "id": "season",
        "name": "Season",
        "starts": "2025-01-01",
        "ends": "2099-12-31",
        "timezone": "UTC",
        "creatives": [{"id": "line", "click_url": "https://bank.example/", "variants": {"name": "BANK"}}],
        "flights": flights,
    }
    document = {"advertiser": {"id": "bank", "name": "BANK"}, "campaigns": [campaign]}
    (folder / "campaigns" / "bank.yaml").write_text(json.dumps(document))
    with running_service(folder) as service:
        service.await_that(lambda: service.call("/readyz")[0] == 200, 30)
        yield service


def read_until(service: Service, slot: str, flight: str, quiet: int) -> list[str]:
    """Ask by several readers at once, each seeing what he is shown, until each was passed by so often in a row.

    Return the tokens of the flight's fills.
    """
    tokens: list[str] = []

    def read() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        passed = 0
        while passed < quiet:
            connection.request("GET", f"/v1/slots/{slot}", headers=READER)
            decision = json.loads(connection.getresponse().read())
            if decision["flight"] != flight:
                passed += 1
                continue
            passed = 0
            tokens.append(decision["token"])
            connection.request("GET", f"/v1/seen/{decision['token']}.gif", headers=READER)
            connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tokens


def impressions(service: Service, flight: str) -> int:
    return service.counts("flight").get((flight,), {}).get("impressions", 0)


def test_two_workers_show_no_more_than_a_goal_has_left_and_meet_it(service: Service) -> None:
    tokens: list[str] = []

    def is_met() -> bool:
        tokens.extend(read_until(service, "sold", "sold", quiet=20))
        return impressions(service, "sold") == GOAL

    service.await_that(is_met, 60)
    assert len(tokens) == GOAL
    assert service.counts("flight")["sold",]["invalid"] == 0
    assert read_until(service, "sold", "sold", quiet=5) == []


def test_a_cap_of_a_day_stops_a_flight_there_and_says_so(service: Service) -> None:
    def is_reached() -> bool:
        read_until(service, "capped", "capped", quiet=20)
        return impressions(service, "capped") == 12

    service.await_that(is_reached, 60)
    assert read_until(service, "capped", "capped", quiet=5) == []


def test_an_even_goal_of_decades_is_not_spent_on_the_first_readers(service: Service) -> None:
    tokens = read_until(service, "even", "even", quiet=60)
    assert len(tokens) <= 2


def test_of_a_keeper_that_is_gone_no_more_is_spent_than_it_granted(service: Service) -> None:
    """A fresh goal: the keeper grants a little of it at a time, and is stopped before it is spent."""
    document = json.loads((service.campaigns / "bank.yaml").read_text())
    flight = {"id": "rich", "slots": ["even"], "goal": {"impressions": 100_000, "pacing": "asap"}}
    document["campaigns"][0]["flights"].append(flight)
    status, _, body = service.call("/v1/campaigns", body=document, headers=service.admin())
    assert status == 200, body
    service.await_that(lambda: service.decide("even", "")["flight"] == "rich")
    keeper = service.pid_of("keeper")
    kill(keeper, signal.SIGSTOP)
    try:
        tokens: list[str] = []
        while more := read_until(service, "even", "rich", quiet=50):  # each worker has some, and not each was asked
            tokens += more
            assert len(tokens) < 5_000
    finally:
        kill(keeper, signal.SIGCONT)
    service.await_that(lambda: service.decide("even", "")["flight"] == "rich", 30)
