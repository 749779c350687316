import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from alert_scenes import make_alert

from adserver.alerts.book import NO_BOOK, settle, turn
from adserver.keeping.cached_embeds_file import NO_CACHED_EMBEDS, CachedEmbed, CachedEmbeds
from adserver.keeping.keeper_state import KeeperState
from adserver.processes import host_checks, service_checks, store_checks
from adserver.processes.doctor import diagnose
from adserver.processes.facts import Facts, FolderFacts, ReaderPlacesFacts, RedisFacts, ServerFacts, ServiceFacts
from adserver.processes.findings import Severity

NOW = 4_000_000_000.0
KEEPER = KeeperState(at=NOW - 1, pid=7, redis=True, revision=3)
FOLDER = FolderFacts(
    path="/srv/adserver",
    writable=True,
    filesystem="ext4",
    free_bytes=50 << 30,
    keeps_locks=True,
    open_to_others=(),
)
SERVICE = ServiceFacts(
    running=True,
    keepers=(7,),
    keeper=KEEPER,
    snapshot=None,
    published=True,
    shards=1,
    dropped_events=0,
    cached_embeds=NO_CACHED_EMBEDS,
    untrusted_proxies=0,
)
SERVER = ServerFacts(
    name="",
    version="8.0.1",
    eviction_policy="noeviction",
    maxmemory_bytes=0,
    used_bytes=1 << 20,
    aof=True,
    aof_failing=False,
    replica=False,
    clock_ahead_seconds=0.02,
)
REDIS = RedisFacts(servers=(SERVER,), silent=(), shards=1, drops={}, gap_bytes=0)
WELL = Facts(
    embedded_redis=False,
    remote_redis=True,
    encrypted_redis=True,
    public_url=True,
    trusted_proxies=True,
    unknown_settings=(),
    folder=FOLDER,
    service=SERVICE,
    redis=REDIS,
    redis_fault="",
    campaigns=None,
    now=NOW,
)

BEGUN = turn(NO_BOOK, [make_alert("gaps")], NOW, ["mail"])
UNSENT = settle(BEGUN, "mail", {BEGUN.to_send[0].notice.id: False}, NOW)


def ill(**changes: object) -> Facts:
    """Return the facts of a set-up where all is well but for some, each in the part that has a field of its name."""
    facts = WELL
    for name, value in changes.items():
        if name in {field.name for field in fields(SERVER)}:
            assert facts.redis is not None
            server = replace(facts.redis.servers[0], **{name: value})  # type: ignore[arg-type]  # as below
            facts = replace(facts, redis=replace(facts.redis, servers=(server,)))
            continue
        for part_name in ("folder", "service", "redis"):
            part = getattr(WELL, part_name)
            if name in {field.name for field in fields(part)} and name != part_name:
                facts = replace(facts, **{part_name: replace(getattr(facts, part_name), **{name: value})})
                break
        else:
            facts = replace(facts, **{name: value})  # type: ignore[arg-type]  # of the field's type, or the test fails
    return facts


def codes(facts: Facts) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in diagnose(facts)}


def test_a_set_up_where_all_is_well_has_no_findings() -> None:
    assert diagnose(WELL) == ()


def test_a_folder_that_is_cut_otherwise_than_redis_is_an_error_that_says_both_numbers() -> None:
    [finding] = diagnose(replace(WELL, redis=replace(REDIS, shards=16)))
    assert (finding.code, finding.severity) == ("shards_differ", Severity.ERROR)
    assert "in 1 shards, Redis in 16" in finding.problem


def test_a_folder_that_nothing_was_served_from_goes_with_any_redis() -> None:
    new = replace(WELL, service=replace(SERVICE, shards=None), redis=replace(REDIS, shards=16))
    assert diagnose(new) == ()


def test_each_server_of_a_cluster_is_judged_by_its_name() -> None:
    one, two = replace(SERVER, name="10.0.0.1:7000"), replace(SERVER, name="10.0.0.2:7000", aof=False)
    [finding] = diagnose(replace(WELL, redis=replace(REDIS, servers=(one, two))))
    assert finding.code == "redis_no_aof"
    assert finding.problem.startswith("10.0.0.2:7000: Redis keeps no append-only file")


CASES = [
    (ill(folder=None), "data_dir_missing", "info"),
    (ill(writable=False), "data_dir_readonly", "error"),
    (ill(keeps_locks=False), "data_dir_locks", "error"),
    (ill(open_to_others=("/srv/adserver/admin-token",)), "secrets_readable", "error"),
    (ill(filesystem="nfs4"), "data_dir_network", "error"),
    (ill(filesystem="fuse.sshfs"), "data_dir_network", "error"),
    (ill(filesystem="tmpfs"), "data_dir_memory", "warning"),
    (ill(free_bytes=900 << 20), "disk_space", "warning"),
    (ill(free_bytes=90 << 20), "disk_space", "error"),
    (ill(reader_places=ReaderPlacesFacts("it is torn", 0)), "geoip_unreadable", "error"),
    (ill(reader_places=ReaderPlacesFacts(None, NOW - 181 * 86_400)), "geoip_old", "warning"),
    (ill(redis=None, redis_fault="refused"), "redis_away", "error"),
    (ill(shards=16), "shards_differ", "error"),
    (ill(cached_embeds=CachedEmbeds(tokens=1, worst=(CachedEmbed("top", "", 0, 30),))), "cached_embed", "warning"),
    (ill(alerts=UNSENT), "alerts_unsent", "warning"),
    (ill(silent=("10.0.0.3:7000",)), "redis_node_away", "warning"),
    (ill(version="6.2.14"), "redis_old", "error"),
    (ill(aof=False), "redis_no_aof", "warning"),
    (ill(aof_failing=True), "redis_aof_failing", "error"),
    (ill(replica=True), "redis_replica", "error"),
    (ill(eviction_policy="allkeys-lru"), "redis_evicts", "error"),
    (ill(eviction_policy=None), "redis_eviction_unknown", "warning"),
    (ill(maxmemory_bytes=100 << 20, used_bytes=95 << 20), "redis_memory", "warning"),
    (ill(clock_ahead_seconds=-20.0), "clock", "warning"),
    (ill(clock_ahead_seconds=3600.0), "clock", "error"),
    (ill(keepers=(7, 8)), "two_keepers", "error"),
    (ill(running=False), "service_stopped", "info"),
    (ill(keepers=()), "keeper_absent", "error"),
    (ill(keepers=None, keeper=None), "keeper_absent", "error"),
    (ill(keeper=None), "keeper_silent", "error"),
    (ill(now=NOW + 60), "keeper_silent", "error"),
    (ill(keeper=KeeperState(at=NOW, pid=7, redis=False, trouble="no answer")), "not_counting", "error"),
    (ill(keeper=KeeperState(at=NOW, pid=7, redis=True, behind_since=NOW - 45)), "backlog", "warning"),
    (ill(dropped_events=3), "dropped", "warning"),
    (ill(drops={"late": 2}), "dropped_late", "warning"),
    (ill(drops={"corrupt": 2}), "dropped_corrupt", "warning"),
    (ill(gap_bytes=640), "gaps", "warning"),
    (ill(snapshot="it is torn"), "snapshot_unreadable", "error"),
    (ill(keeper=KeeperState(at=NOW, pid=7, redis=True, catalog_fault="disk full")), "catalog_stuck", "error"),
    (ill(published=False), "nothing_published", "error"),
    (ill(unknown_settings=("ADSERVER_TRUSTED_PROXY",)), "setting_unknown", "warning"),
    (ill(public_url=False), "public_url_unset", "warning"),
    (ill(encrypted_redis=False), "redis_plain", "info"),
    (ill(untrusted_proxies=12), "proxies_untrusted", "warning"),
    (ill(campaigns="campaigns/ differs from revision 7 (3 changes)"), "campaigns_differ", "warning"),
]


@pytest.mark.parametrize(("facts", "code", "severity"), CASES, ids=[f"{code}-{of}" for _, code, of in CASES])
def test_what_is_wrong_is_found_with_its_weight(facts: Facts, code: str, severity: str) -> None:
    assert codes(facts)[code] == severity


def test_every_finding_has_a_case() -> None:
    modules = (host_checks, service_checks, store_checks)
    named = {
        code
        for module in modules
        for code in re.findall(r'Finding\(\s*"(\w+)"', Path(str(module.__file__)).read_text())
    }
    assert named <= {code for _, code, _ in CASES}
    assert len(named) > 25


@pytest.mark.parametrize("facts", [facts for facts, _, _ in CASES])
def test_every_finding_says_what_to_do(facts: Facts) -> None:
    for finding in diagnose(facts):
        assert finding.problem
        assert finding.remedy


def test_cached_markup_is_told_by_slot_place_and_hour() -> None:
    embed = CachedEmbed("article-top", "Remer, MN", 1_764_000_000, 57)
    elsewhere = CachedEmbed("masthead", "", 1_764_000_000, 21)
    problems = [
        finding.problem for finding in diagnose(ill(cached_embeds=CachedEmbeds(tokens=5, worst=(embed, elsewhere))))
    ]
    assert problems[0].startswith(
        "a token for slot article-top at Remer, MN, issued in the hour of 2025-11-24T16:00Z, came 57 times: "
    )
    assert problems[1].startswith("a token for slot masthead, issued")
    assert problems[2] == "so did 3 more tokens"


def test_the_worst_comes_first() -> None:
    facts = ill(encrypted_redis=False, public_url=False, replica=True)
    assert list(codes(facts)) == ["redis_replica", "public_url_unset", "redis_plain"]


@pytest.mark.parametrize(
    "facts",
    [
        ill(running=False, embedded_redis=True, redis=None),  # it ends with the service
        ill(running=False, published=False),
        ill(remote_redis=False, encrypted_redis=False),
        ill(free_bytes=None, filesystem=None, keeps_locks=None),
        ill(version="7.0.0"),
        ill(version=""),
        ill(drops={"late": 0}),
        ill(maxmemory_bytes=100 << 20, used_bytes=50 << 20),
        ill(keeper=KeeperState(at=NOW, pid=7, redis=True, behind_since=NOW - 5)),
        ill(keepers=None),
    ],
)
def test_what_is_as_it_should_be_is_no_error_and_no_warning(facts: Facts) -> None:
    assert set(codes(facts)) <= {"service_stopped"}


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("ADSERVER_TRUSTED_PROXY", "name it ADSERVER_TRUSTED_PROXIES, or unset it"), ("ADSERVER_Q", "unset it; docs/se")],
)
def test_a_name_that_is_no_setting_is_told_which_it_may_have_meant(name: str, remedy: str) -> None:
    [finding] = diagnose(ill(unknown_settings=(name,)))
    assert name in finding.problem
    assert finding.remedy.startswith(remedy)


def test_alerts_that_were_not_tried_yet_are_no_finding() -> None:
    assert "alerts_unsent" not in codes(ill(alerts=BEGUN))
    [problem] = [finding.problem for finding in diagnose(ill(alerts=UNSENT))]
    assert problem.startswith("1 notices of alerts do not get through by mail")
