"""Alerts on real processes: a flight behind plan is told by webhook and mail, once, whatever dies meanwhile."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hook_receiver import HookReceiver, running_receiver
from mail_server import MailServer, running_mail_server
from ports import free_port
from sample import copy_sample
from service import ROOT, Service, kill, running_service

from adserver.alerts.book_file import read_book
from adserver.alerts.signing import sign

SECRET = "webhook-secret-of-this-test"
LATE = "behind_plan:bakery-late"


def late_campaign() -> str:
    """Return a campaign whose flight has run for two weeks, and was shown to nobody."""
    today = datetime.now(UTC).date()
    return json.dumps(
        {
            "advertiser": {"id": "bakery", "name": "Corner Bakery"},
            "campaigns": [
                {
                    "id": "bakery-autumn",
                    "name": "Autumn pies",
                    "starts": str(today - timedelta(days=14)),
                    "ends": str(today + timedelta(days=30)),
                    "timezone": "UTC",
                    "creatives": [
                        {"id": "pie", "click_url": "https://bakery.example/", "variants": {"name": "Corner Bakery"}}
                    ],
                    "flights": [{"id": "bakery-late", "slots": ["masthead"], "goal": {"impressions": 100_000}}],
                }
            ],
        }
    )


class Outside:
    """Where notices go: ports that are held for a receiver and a mail server, up or down."""

    def __init__(self) -> None:
        self.hook_port, self.mail_port = free_port(), free_port()

    def environ(self) -> dict[str, str]:
        return {
            "ADSERVER_ALERT_WEBHOOK": f"http://127.0.0.1:{self.hook_port}/hook",
            "ADSERVER_ALERT_WEBHOOK_SECRET": SECRET,
            "ADSERVER_SMTP_URL": f"smtp://127.0.0.1:{self.mail_port}",
            "ADSERVER_ALERT_MAIL_FROM": "ads@news.example",
            "ADSERVER_ALERT_MAIL_TO": "sales@news.example",
        }


@pytest.fixture(scope="module")
def outside() -> Outside:
    return Outside()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("alerts")
    campaigns = copy_sample(folder / "campaigns")
    (campaigns / "bakery.yaml").write_text(late_campaign())
    with running_service(folder, **outside.environ()) as service:
        yield service


def alerts(service: Service) -> list[str]:
    """Return the ids of the alerts that the API shows."""
    status, _, body = service.call("/v1/alerts", headers=service.admin())
    assert status == 200
    return [alert["id"] for alert in json.loads(body)["alerts"]]


def revision_of(service: Service) -> int:
    """Return the revision that the keeper has brought to the host."""
    return int(json.loads((service.data_dir / "keeper.json").read_text())["revision"])


def happened(receiver: HookReceiver) -> list[tuple[str, str]]:
    bodies = [json.loads(post.body) for post in receiver.received]
    return [(body["event"], body["alert"]["id"]) for body in bodies if body["alert"]["id"] == LATE]


def told(server: MailServer) -> int:
    return sum("Autumn pies: flight bakery-late is 100 % behind plan" in mail.get_content() for mail in server.mails)


def test_a_flight_behind_plan_is_told_once_though_receivers_and_the_keeper_die(
    service: Service, outside: Outside
) -> None:
    service.await_that(lambda: LATE in alerts(service), 30)
    service.await_that(lambda: "alerts.unsent" in service.said(), 30)
    kill(service.pid_of("keeper"))
    service.await_that(lambda: "keeper" in " ".join(service.pids().values()), 30)
    with running_receiver(outside.hook_port) as receiver, running_mail_server(outside.mail_port) as mail_server:
        service.await_that(lambda: happened(receiver) == [("began", LATE)], 60)
        service.await_that(lambda: told(mail_server) == 1, 60)
        post = next(post for post in receiver.received if LATE.encode() in post.body)
        stamp = post.headers["Adserver-Timestamp"]
        assert post.headers["Adserver-Signature"] == sign(SECRET, int(stamp), post.body)
        assert abs(int(stamp) - datetime.now(UTC).timestamp()) < 60

        status, _, _ = service.call("/v1/campaigns/bakery-autumn/pause", method="POST", headers=service.admin())
        assert status == 200
        service.await_that(lambda: revision_of(service) == 2)
        service.await_that(lambda: read_book(service.data_dir).to_send == ())
        kill(service.pid_of("keeper"))  # the next one looks at once, not in a minute
        service.await_that(lambda: happened(receiver) == [("began", LATE), ("ended", LATE)], 30)
        service.await_that(lambda: LATE not in alerts(service))
        assert len({post.headers["Adserver-Notice"] for post in receiver.received}) == len(receiver.received)
        assert told(mail_server) >= 1
    assert [line for line in service.said().splitlines() if SECRET in line] == []


def test_the_doctor_tries_the_ways_out_and_says_what_became_of_it(tmp_path: Path, outside: Outside) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADSERVER_")}
    bare = {**kept, "PYTHONPATH": str(ROOT)}

    def doctor(**environ: str) -> tuple[int, dict[str, str]]:
        command = (sys.executable, "-m", "adserver.cli.main", "doctor", "--send-test-alert", "--json")
        done = subprocess.run(
            command,
            env={**bare, **environ},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, {each["problem"]: each["code"] for each in json.loads(done.stdout)["findings"]}

    assert doctor() == (1, {"no setting says where alerts are sent": "alert_ways_unset"})
    with running_receiver(outside.hook_port) as receiver:
        status, found = doctor(**outside.environ())
    assert [json.loads(post.body)["event"] for post in receiver.received] == ["test"]
    assert status == 1
    assert found == {
        "a test alert was taken by webhook": "alert_sent",
        "a test alert was not taken by mail: the mail server cannot be reached: Connection refused": "alert_not_sent",
    }
