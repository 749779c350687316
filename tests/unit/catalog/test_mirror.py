"""Each host follows the store, outlives its absence, and gives it back what it lost."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from catalog_bench import (
    NOON,
    Bench,
    NoPlaces,
    campaign,
    campaign_file,
    creative,
    slots,
    slots_file,
)
from mirrored import bench, campaign_ids, compiled, retired

from adserver.catalog.backup import RevisionBackup
from adserver.catalog.compiled import read_compiled
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.mirror import FOLLOWED, PUT_BACK, STORE_AWAY, CatalogMirror
from adserver.catalog.names import Names
from adserver.catalog.revisions import NO_HEAD
from adserver.domain.errors import AdserverError
from adserver.domain.ids import Kind, id_hash


class TestFollowing:
    def test_with_nothing_published_there_is_nothing(self, tmp_path: Path) -> None:
        mirror = Bench().mirror(tmp_path)
        assert mirror.step(NOON) == 0
        assert mirror.fault == ""
        assert list(tmp_path.iterdir()) == []

    def test_a_published_revision_is_compiled_at_the_next_step(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        assert mirror.step(NOON) == 1
        assert campaign_ids(tmp_path) == ["spring"]
        one.publish_files(campaign_file(campaign("autumn")))
        assert mirror.step(NOON) == 2
        assert campaign_ids(tmp_path) == ["autumn", "spring"]
        assert compiled(tmp_path).head == one.store.head()

    def test_without_news_nothing_is_fetched_or_written(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(NOON)
        before, one.store.reads = (tmp_path / COMPILED_NAME).stat(), 0
        assert [mirror.step(NOON) for _ in range(5)] == [1] * 5
        assert (tmp_path / COMPILED_NAME).stat() == before
        assert one.store.reads == 0

    def test_a_revision_of_the_same_number_from_another_host_is_followed(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(NOON)
        one.store.wipe()
        one.push(campaign_file(campaign("theirs")))
        assert mirror.step(NOON) == 1
        assert campaign_ids(tmp_path) == ["theirs"]

    def test_it_is_logged_once(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        mirror = bench().mirror(tmp_path)
        with caplog.at_level(logging.INFO):
            mirror.step(NOON)
            mirror.step(NOON)
        assert [record.message for record in caplog.records] == [FOLLOWED]


class TestAStoreThatIsAway:
    def test_leaves_what_was_compiled(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(NOON)
        one.store.away = True
        with caplog.at_level(logging.WARNING):
            assert [mirror.step(NOON) for _ in range(3)] == [1] * 3
        assert [record.message for record in caplog.records] == [STORE_AWAY]
        assert mirror.fault == ""
        assert campaign_ids(tmp_path) == ["spring"]

    def test_at_the_start_leaves_what_the_data_folder_has(self, tmp_path: Path) -> None:
        one = bench()
        one.mirror(tmp_path).step(NOON)
        one.store.away = True
        assert one.mirror(tmp_path).step(NOON) == 1
        assert campaign_ids(tmp_path) == ["spring"]

    def test_at_the_first_start_of_all_leaves_nothing_to_serve(self, tmp_path: Path) -> None:
        one = bench()
        one.store.away = True
        mirror = one.mirror(tmp_path)
        assert mirror.step(NOON) == 0
        assert mirror.fault == ""

    @pytest.mark.parametrize("damage", [b"garbage", None])
    def test_lets_a_lost_compiled_file_be_made_from_the_copy(self, tmp_path: Path, damage: bytes | None) -> None:
        one = bench()
        one.mirror(tmp_path).step(NOON)
        whole = compiled(tmp_path)
        (tmp_path / COMPILED_NAME).unlink()
        if damage is not None:
            (tmp_path / COMPILED_NAME).write_bytes(damage)
        one.store.away = True
        assert one.mirror(tmp_path).step(NOON) == 1
        assert compiled(tmp_path) == whole

    def test_is_followed_again_when_it_is_back(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(NOON)
        one.publish_files(campaign_file(campaign("autumn")))
        one.store.away = True
        mirror.step(NOON)
        one.store.away = False
        assert mirror.step(NOON) == 2
        assert mirror.fault == ""


class TestAStoreThatForgot:
    def test_everything_has_the_newest_revision_and_all_names_back(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        one = bench()
        one.publish_files(campaign_file(campaign("autumn")))
        one.push(campaign_file(campaign("autumn")))
        mirror = one.mirror(tmp_path)
        mirror.step(NOON)
        head, names = one.store.head(), one.store.name_fields()
        one.store.wipe()
        with caplog.at_level(logging.WARNING):
            assert mirror.step(NOON) == 3
        assert [record.message for record in caplog.records] == [PUT_BACK]
        assert one.store.head() == head
        assert one.store.name_fields() == names
        assert "flight:" + id_hash(Kind.FLIGHT, "spring-flight").hex() in names
        assert one.live_campaigns() == ["autumn"]

    def test_everything_has_it_back_from_a_start_too(self, tmp_path: Path) -> None:
        one = bench()
        one.mirror(tmp_path).step(NOON)
        one.store.wipe()
        assert one.mirror(tmp_path).step(NOON) == 1
        assert one.live_campaigns() == ["spring"]

    def test_the_newest_revision_has_it_back_and_numbers_go_on(self, tmp_path: Path) -> None:
        one = bench()
        older = one.store.inner
        newer = Bench()
        newer.push(campaign_file(campaign("spring")))
        newer.publish_files(campaign_file(campaign("autumn")))
        mirror = newer.mirror(tmp_path)
        mirror.step(NOON)
        newer.store.inner = older
        assert mirror.step(NOON) == 2
        assert newer.live_campaigns() == ["autumn", "spring"]
        assert newer.publish_files(campaign_file(campaign("winter"))).revision == 3

    def test_names_of_a_revision_that_was_lost_to_another_are_put_back(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(NOON)
        one.store.wipe()
        one.push(campaign_file(campaign("theirs")))
        one.publish_files(campaign_file(campaign("theirs-too")))
        mirror.step(NOON)
        names = Names.parse(one.store.name_fields())
        assert names.flight(id_hash(Kind.FLIGHT, "spring-flight")) is not None
        backup = RevisionBackup(tmp_path).read()
        assert backup is not None
        assert backup.names == one.store.name_fields()

    def test_a_host_that_is_behind_gives_nothing_back(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(NOON)
        one.publish_files(campaign_file(campaign("autumn")))
        mirror.step(NOON)
        assert one.store.head().number == 2
        assert one.live_campaigns() == ["autumn", "spring"]


class TestRetiredCreatives:
    def test_are_those_removed_less_than_48_hours_ago(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(one.now)
        one.pass_time(hours=1)
        one.push(campaign_file(campaign("autumn")))
        mirror.step(one.now)
        assert retired(tmp_path) == {"spring-creative": one.now + timedelta(hours=48)}
        assert [(kept.campaign, kept.creative.click_url) for kept in compiled(tmp_path).retired] == [
            ("spring", "https://sponsor.example/")
        ]
        one.pass_time(hours=48)
        one.publish(slots(slots_file("masthead", "other")))
        mirror.step(one.now)
        assert retired(tmp_path) == {}

    def test_that_return_are_not_retired_and_begin_anew_when_they_go_again(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        for name in ("autumn", "spring", "autumn"):
            one.pass_time(hours=1)
            one.push(campaign_file(campaign(name)))
            mirror.step(one.now)
        assert retired(tmp_path) == {"spring-creative": one.now + timedelta(hours=48)}

    def test_are_the_same_on_a_host_that_saw_every_step_and_on_one_that_comes_new(self, tmp_path: Path) -> None:
        one = bench()
        witness, late, new = (tmp_path / name for name in ("witness", "late", "new"))
        for folder in (witness, late, new):
            folder.mkdir()
        seeing, missing = one.mirror(witness), one.mirror(late)
        missing.step(one.now)
        for name, hours in (("a", 30), ("b", 10), ("a", 23), ("c", 10), ("d", 5), ("c", 1)):
            one.pass_time(hours=hours)
            one.push(campaign_file(campaign(name)))
            seeing.step(one.now)
        missing.step(one.now)
        one.mirror(new).step(one.now)
        left = {"b-creative": 48 - 16, "a-creative": 48 - 6, "d-creative": 48}
        expected = {id_: one.now + timedelta(hours=hours) for id_, hours in left.items()}
        assert retired(witness) == expected
        assert retired(late) == expected
        assert retired(new) == expected

    def test_of_a_revision_that_the_store_lost_are_kept_from_the_compiled_file(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(one.now)
        one.store.wipe()
        one.pass_time(hours=1)
        one.push(campaign_file(campaign("theirs")))
        mirror.step(one.now)
        assert retired(tmp_path) == {"spring-creative": one.now + timedelta(hours=48)}

    def test_outlive_a_start_without_the_store(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(one.now)
        one.push(campaign_file(campaign("autumn")))
        mirror.step(one.now)
        before = retired(tmp_path)
        one.store.away = True
        one.mirror(tmp_path).step(one.now + timedelta(hours=1))
        assert retired(tmp_path) == before != {}

    def test_that_only_changed_their_link_are_served_with_the_new_one(self, tmp_path: Path) -> None:
        one = bench()
        mirror = one.mirror(tmp_path)
        mirror.step(one.now)
        changed = campaign("spring", creatives=[creative("spring-creative", click_url="https://new.example/")])
        one.publish_files(campaign_file(changed))
        mirror.step(one.now)
        assert retired(tmp_path) == {}


def test_a_compiled_catalog_that_was_removed_comes_back_with_its_shards_without_redis(tmp_path: Path) -> None:
    bench = Bench()
    bench.publish_slots()
    mirror_in(bench, tmp_path, 16).step(bench.now)
    (tmp_path / COMPILED_NAME).unlink()
    bench.store.away = True

    mirror = mirror_in(bench, tmp_path, 1)
    mirror.step(bench.now)

    assert mirror.shards == 16
    assert read_compiled(tmp_path / COMPILED_NAME).shards == 16


def test_a_store_that_counts_otherwise_than_the_folder_is_not_served_nor_given_anything(tmp_path: Path) -> None:
    ours, theirs = Bench(), Bench()
    ours.publish_slots()
    mirror_in(ours, tmp_path, 1).step(ours.now)

    def refuse(of_folder: int | None) -> int:
        raise AdserverError(f"this data folder counts in {of_folder}")

    mirror = CatalogMirror(theirs.store, NoPlaces(), tmp_path, refuse)
    mirror.step(theirs.now)

    assert mirror.fault == "this data folder counts in 1"
    assert theirs.store.head() == NO_HEAD
    assert read_compiled(tmp_path / COMPILED_NAME).revision == 1


def mirror_in(bench: Bench, folder: Path, shards: int) -> CatalogMirror:
    return CatalogMirror(bench.store, NoPlaces(), folder, lambda of_folder: of_folder or shards)
