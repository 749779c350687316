"""`/metrics`: who may read it, and what it says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alert_scenes import make_alert
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from adserver.alerts.book import NO_BOOK, settle, turn
from adserver.alerts.book_file import write_book
from adserver.counting.losses import Losses
from adserver.counting.spool import SpoolWriter
from adserver.counting.tally import Tally
from adserver.counting.worker_sums import SumsFile
from adserver.domain.ids import IdHash, Kind, SlotId, id_hash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.keeping.cached_embeds_file import CachedEmbed, CachedEmbeds, write_cached_embeds
from adserver.keeping.keeper import KeeperReport
from adserver.keeping.keeper_state import KeeperStateFile
from adserver.web.app import AppParts, create_app
from adserver.web.auth import AdminTokenAuthenticator
from adserver.web.hosts import HostRules
from adserver.web.metrics import METRICS, MetricKind
from adserver.web.readings import Standing
from adserver.web.scraping import look_at_host, scraping_blueprint

TOKEN = "adsv_a-token-of-this-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NOW = 4_000_000_000.0
SLOTS = {id_hash(Kind.SLOT, name): SlotId(name) for name in ("masthead", "gone")}
Samples = dict[tuple[str, ...], float]


class Host:
    """A data folder as workers and keeper leave it, and the application that tells of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.slots = frozenset({"masthead"})
        self.catalog_readable = True

    def worker(self, revision: int = 7, name: Callable[[IdHash], SlotId | None] = SLOTS.get) -> tuple[Tally, SumsFile]:
        tally = Tally()
        return tally, SumsFile(self.folder / "metrics", tally, name, lambda: revision)

    def standing(self) -> Standing:
        return look_at_host(
            self.folder,
            self.folder / "metrics",
            self.folder / "spools",
            slots=self.slots,
            catalog_readable=self.catalog_readable,
            now=self.now,
        )

    def client(self, public_url: str | None = None) -> FlaskClient:
        blueprint = scraping_blueprint(self.standing, AdminTokenAuthenticator(TOKEN))
        return create_app(AppParts((blueprint,), HostRules(public_url))).test_client()

    def samples(self) -> Samples:
        """Return the values by (sample's name, label values in the order of the labels' names…)."""
        response = self.client().get("/metrics")
        assert response.status_code == 200
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_decisions_and_events_are_summed_over_all_workers_those_that_are_gone_included(host: Host) -> None:
    masthead = id_hash(Kind.SLOT, "masthead")
    tally, file = host.worker()
    tally.decisions(masthead, None, 5)
    tally.decisions(masthead, NoFillReason.PLACE, 2)
    tally.event(EventKind.SEEN, None)
    file.close()
    for _ in range(2):
        tally, file = host.worker()
        tally.decisions(masthead, None, 10)
        tally.event(EventKind.SEEN, InvalidReason.BOT)
        tally.decision_took(0.0002)
        file.flush()

    samples = host.samples()

    assert samples["adserver_decisions_total", "masthead"] == 27
    assert samples["adserver_no_fills_total", "place", "masthead"] == 2
    assert samples["adserver_events_total", "seen", "counted"] == 1
    assert samples["adserver_events_total", "seen", "bot"] == 2
    assert samples["adserver_decision_seconds_count",] == 2
    assert samples["adserver_decision_seconds_bucket", "0.0001"] == 0
    assert samples["adserver_decision_seconds_bucket", "0.00025"] == 2
    assert samples["adserver_decision_seconds_bucket", "+Inf"] == 2
    assert samples["adserver_decision_seconds_sum",] == pytest.approx(0.0004)
    assert samples["adserver_workers",] == 2


def test_a_slot_is_a_label_only_while_the_catalog_names_it(host: Host) -> None:
    tally, file = host.worker()
    tally.decisions(id_hash(Kind.SLOT, "gone"), None, 3)
    tally.decisions(IdHash(b"nobod"), None, 4)
    tally.decisions(Kind.SLOT.unknown, NoFillReason.UNKNOWN_SLOT, 5)
    file.flush()

    slots = {key[1]: value for key, value in host.samples().items() if key[0] == "adserver_decisions_total"}

    assert slots == {"(unknown)": 9}


def test_the_revision_is_the_lowest_that_a_living_worker_serves(host: Host) -> None:
    _, gone = host.worker(revision=5)
    gone.flush()
    living = [host.worker(revision)[1] for revision in (8, 7)]
    for file in living:
        file.flush()
    gone.close()

    assert host.samples()["adserver_revision",] == 7


def test_keeper_and_redis_are_told_of_by_what_the_keeper_wrote(host: Host) -> None:
    file = KeeperStateFile(host.folder)
    file.report(KeeperReport(redis=False, unapplied_bytes=640, applied_ranges=0, revision=9, trouble="away"), NOW - 4)

    samples = host.samples()

    assert samples["adserver_keeper_up",] == 1
    assert samples["adserver_redis_up",] == 0
    assert samples["adserver_keeper_age_seconds",] == 4
    assert samples["adserver_spool_backlog_bytes",] == 640
    assert samples["adserver_spool_lag_seconds",] == 4
    assert samples["adserver_host_revision",] == 9


def test_a_silent_keeper_is_down_and_nothing_is_known_of_redis(host: Host) -> None:
    KeeperStateFile(host.folder).report(KeeperReport(True, 0, 1, 9), NOW)
    host.now = NOW + 60

    samples = host.samples()

    assert samples["adserver_keeper_up",] == 0
    assert ("adserver_redis_up",) not in samples
    assert ("adserver_archive_ok",) not in samples
    assert samples["adserver_spool_lag_seconds",] == 60


@pytest.mark.parametrize(("fault", "told"), [("", 1), ("No space left on device", 0)])
def test_an_archive_that_takes_nothing_is_told(host: Host, fault: str, told: int) -> None:
    KeeperStateFile(host.folder).report(KeeperReport(True, 0, 1, 9, archive_fault=fault), NOW)

    assert host.samples()["adserver_archive_ok",] == told


def test_without_workers_and_keeper_the_rest_is_told(host: Host) -> None:
    samples = host.samples()
    assert samples["adserver_keeper_up",] == samples["adserver_workers",] == 0
    assert ("adserver_revision",) not in samples
    assert ("adserver_keeper_age_seconds",) not in samples
    assert samples["adserver_data_dir_free_bytes",] > 0


def test_drops_log_lines_proxies_and_the_catalog_are_told(host: Host) -> None:
    writer = SpoolWriter.open_in(host.folder / "spools")
    writer.declare_dropped(3)
    tally, file = host.worker()
    tally.log_line("error")
    tally.untrusted_proxy()
    file.flush()
    assert host.samples()["adserver_catalog_readable",] == 1
    host.catalog_readable = False

    samples = host.samples()

    assert samples["adserver_dropped_events_total",] == 3
    assert (samples["adserver_log_lines_total", "error"], samples["adserver_log_lines_total", "warning"]) == (1, 0)
    assert samples["adserver_untrusted_proxy_requests_total",] == 1
    assert samples["adserver_catalog_readable",] == 0
    writer.close()


def test_cached_markup_is_told_by_slot_place_and_hour_of_issue_each_once(host: Host) -> None:
    embeds = [CachedEmbed("masthead", "Remer, MN", 1_764_000_000, beacons) for beacons in (57, 21)]
    write_cached_embeds(host.folder, CachedEmbeds(tokens=2, worst=tuple(embeds)))
    found = {key: value for key, value in host.samples().items() if key[0] == "adserver_cached_embed"}
    assert found == {("adserver_cached_embed", "2025-11-24T16:00Z", "Remer, MN", "masthead"): 78}


def test_every_metric_is_there_under_its_name_and_with_its_labels(host: Host) -> None:
    tally, file = host.worker()
    tally.decisions(id_hash(Kind.SLOT, "masthead"), NoFillReason.PLACE, 1)
    tally.event(EventKind.SEEN, None)
    file.flush()
    KeeperStateFile(host.folder).report(KeeperReport(True, 0, 1, 9), NOW)
    write_cached_embeds(host.folder, CachedEmbeds(tokens=1, worst=(CachedEmbed("masthead", "", 0, 30),)))
    write_book(host.folder, settle(turn(NO_BOOK, [make_alert()], NOW, ["mail"]), "mail", {}, NOW))
    families = {
        family.name + ("_total" if family.type == "counter" else ""): family
        for family in text_string_to_metric_families(host.client().get("/metrics").text)
    }

    assert set(families) == {spec.name for spec in METRICS}
    for spec in METRICS:
        family = families[spec.name]
        assert (family.type, family.documentation) == (spec.kind, spec.meaning)
        if spec.kind is not MetricKind.HISTOGRAM:
            assert {tuple(sorted(sample.labels)) for sample in family.samples} == {tuple(sorted(spec.labels))}


def test_it_is_kept_by_no_cache(host: Host) -> None:
    assert host.client().get("/metrics").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.0.1", "::1"])
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1:8080", "[::1]:8080"])
def test_this_machine_needs_no_token(host: Host, peer: str, name: str) -> None:
    response = host.client().get("/metrics", headers={"Host": name}, environ_overrides={"REMOTE_ADDR": peer})
    assert response.status_code == 200


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "", "2001:db8::1"])
def test_another_machine_and_a_socket_need_one(host: Host, peer: str) -> None:
    client = host.client()
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": peer}).status_code == 401
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": peer}, headers=BEARER).status_code == 200
    wrong = {"Authorization": "Bearer adsv_another"}
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": peer}, headers=wrong).status_code == 401


@pytest.mark.parametrize(
    "header", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"]
)
def test_a_reader_behind_a_proxy_on_this_machine_is_no_local_one(host: Host, header: str) -> None:
    assert host.client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 401


def test_a_page_of_a_foreign_name_that_leads_here_is_no_local_one(host: Host) -> None:
    client = host.client("https://sponsors.example")
    assert client.get("/metrics", headers={"Host": "sponsors.example"}).status_code == 401


def test_what_is_in_no_count_is_told_by_cause(host: Host) -> None:
    lost = Losses(gaps=2, late=3, corrupt=4, unwritten=5)
    KeeperStateFile(host.folder).report(KeeperReport(True, 0, 1, 9, losses=lost), NOW)

    samples = host.samples()

    assert samples["adserver_gaps",] == 2
    causes = ("late", "corrupt", "unwritten")
    assert [samples["adserver_lost_events_total", cause] for cause in causes] == [3, 4, 5]


def test_alerts_are_counted_by_kind_and_their_sendings_by_way_and_outcome(host: Host) -> None:
    assert [name for name, *_ in host.samples() if name.startswith("adserver_alert")] == []
    alerts = [make_alert(), make_alert("behind_plan:iowa"), make_alert("gaps")]
    book = turn(NO_BOOK, alerts, NOW - 30, ["mail", "webhook"])
    first, second, _ = (each.notice.id for each in book.to_send if each.way == "mail")
    write_book(host.folder, settle(book, "mail", {first: True, second: False}, NOW))
    samples = host.samples()
    assert samples["adserver_alerts", "behind_plan"] == 2
    assert samples["adserver_alerts", "gaps"] == 1
    assert samples["adserver_alerts", "drops"] == 0
    assert samples["adserver_alerts_age_seconds",] == 30
    assert samples["adserver_alerts_waiting", "mail"] == 2
    assert samples["adserver_alerts_waiting", "webhook"] == 3
    for outcome, number in (("sent", 1), ("failed", 1), ("given_up", 0)):
        assert samples["adserver_alert_sendings_total", outcome, "mail"] == number
