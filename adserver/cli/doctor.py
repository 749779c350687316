"""`adserver doctor`: what is wrong with the set-up, and how to mend it."""

import os
import time
from collections.abc import Callable

import click

from adserver.alerts.notice import make_test_notice
from adserver.alerts.way import Way
from adserver.catalog.following import describe_difference
from adserver.cli.findings import show_findings
from adserver.config import Settings
from adserver.domain.errors import AdserverError, InputRefused, SettingRefused
from adserver.processes.doctor import diagnose
from adserver.processes.examination import examine_environ, examine_folder, examine_redis, examine_service
from adserver.processes.facts import Facts, FolderFacts, RedisFacts
from adserver.processes.findings import Finding, Severity
from adserver.runtime.alert_ways import make_ways
from adserver.runtime.layout import SPOOLS_NAME, WORKER_SUMS_NAME
from adserver.runtime.publishing import open_publisher
from adserver.runtime.reader_places import examine_reader_places
from adserver.runtime.redis_client import open_redis


@click.command("doctor")
@click.option("--send-test-alert", is_flag=True, help="Only send an alert that is none, every way that is set.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor_command(*, send_test_alert: bool, as_json: bool) -> None:
    """Say what is wrong with the set-up, and how to mend it; run it as the service's user, with its settings.

    Exits 1 where counts or pages are at risk, else 0. It changes nothing.
    """
    show_findings(_findings(_send_test_alert if send_test_alert else _diagnose), as_json=as_json)


def _findings(find: Callable[[Settings], tuple[Finding, ...]]) -> tuple[Finding, ...]:
    try:
        settings = Settings.from_environ(os.environ)
    except SettingRefused as error:
        return (Finding("setting", Severity.ERROR, str(error), "docs/settings.md says what each setting takes"),)
    return find(settings)


def _diagnose(settings: Settings) -> tuple[Finding, ...]:
    return diagnose(_examine(settings))


def _send_test_alert(settings: Settings) -> tuple[Finding, ...]:
    ways = make_ways(settings)
    if not ways:
        problem = "no setting says where alerts are sent"
        remedy = "set ADSERVER_ALERT_WEBHOOK or ADSERVER_SMTP_URL, and what goes with it; see docs/alerts.md"
        return (Finding("alert_ways_unset", Severity.ERROR, problem, remedy),)
    return tuple(_try_way(way, time.time()) for way in ways)


def _try_way(way: Way, now: float) -> Finding:
    notice = make_test_notice(now)
    delivery = way.send((notice,), now)
    if delivery.outcomes[notice.id]:
        told = f"a test alert was taken by {way.name}{f', but {delivery.fault}' if delivery.fault else ''}"
        return Finding("alert_sent", Severity.INFO, told, "look whether it has arrived")
    return Finding(
        "alert_not_sent",
        Severity.ERROR,
        f"a test alert was not taken by {way.name}: {delivery.fault}",
        "mend what it says, in the settings or on the other side, and try again",
    )


def _examine(settings: Settings) -> Facts:
    folder = settings.data_dir.absolute()
    redis, fault = _examine_redis(settings)
    folder_facts = examine_folder(folder)
    return Facts(
        embedded_redis=settings.redis_url is None,
        remote_redis=settings.redis_is_remote,
        encrypted_redis=settings.redis_address is not None and settings.redis_address.encrypted,
        public_url=settings.public_url is not None,
        trusted_proxies=bool(settings.trusted_proxies),
        unknown_settings=examine_environ(os.environ),
        folder=folder_facts,
        service=examine_service(folder, folder / SPOOLS_NAME, folder / WORKER_SUMS_NAME),
        redis=redis,
        redis_fault=fault,
        campaigns=_examine_campaigns(settings, folder_facts) if redis is not None else None,
        now=time.time(),
        reader_places=examine_reader_places(settings),
    )


def _examine_redis(settings: Settings) -> tuple[RedisFacts | None, str]:
    try:
        return examine_redis(open_redis(settings)), ""
    except AdserverError as error:
        return None, str(error)


def _examine_campaigns(settings: Settings, folder: FolderFacts | None) -> str | None:
    if folder is None or not folder.writable:
        return None
    try:
        publisher = open_publisher(settings)
        return describe_difference(settings.campaigns_dir, publisher) if publisher.live().revision else None
    except InputRefused as refused:
        return f"{settings.campaigns_dir}/ cannot be published: {refused.faults[0]}"
    except AdserverError as error:
        return f"{settings.campaigns_dir}/ was not compared with what is live: {error}"
