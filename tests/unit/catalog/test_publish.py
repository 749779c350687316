"""An upload becomes the next revision whole, or not at all."""

from pathlib import Path

import pytest
from catalog_bench import (
    NOON,
    Bench,
    campaign,
    campaign_file,
    campaigns,
    creative,
    flight,
    folder,
    slots,
    slots_file,
)
from hypothesis import given
from hypothesis import strategies as st

from adserver.catalog.backup import BACKUP_NAME
from adserver.catalog.documents import Documents
from adserver.catalog.merging import Extent, refuse_taken, settled_documents, trial_documents
from adserver.catalog.names import Names
from adserver.catalog.plan import make_plan
from adserver.catalog.revisions import NO_HEAD, Head, Revision, RevisionUnreadable
from adserver.domain.errors import IdTaken, InputRefused, StaleBase, StoreUnavailable
from adserver.domain.ids import Kind, id_hash


def bench() -> Bench:
    """Return a bench whose revision 1 has the slots and whose revision 2 has two campaigns of one advertiser."""
    made = Bench()
    made.publish_slots()
    made.publish_files(campaign_file(campaign("spring"), campaign("autumn")))
    return made


class TestOneCampaignFile:
    def test_adds_its_campaigns_and_leaves_the_others(self) -> None:
        one = bench()
        published = one.publish_files(campaign_file(campaign("winter"), advertiser="bank", name="Bank"))
        assert (published.base, published.revision) == (2, 3)
        assert published.plan.add == ("advertisers.bank", "campaigns.winter")
        assert not published.plan.change
        assert not published.plan.remove
        assert one.live_campaigns() == ["autumn", "spring", "winter"]

    def test_replaces_a_campaign_that_is_live_in_its_place(self) -> None:
        one = bench()
        published = one.publish_files(campaign_file(campaign("spring", name="Another name")))
        assert [change.path for change in published.plan.change] == ["campaigns.spring.name"]
        assert one.live_files() == {"qwiket.yaml": ["spring", "autumn"]}

    def test_puts_a_new_campaign_into_its_advertisers_file(self) -> None:
        one = bench()
        one.push(campaign_file(campaign("spring")), campaign_file(campaign("loan"), advertiser="bank", name="Bank"))
        one.publish_files(campaign_file(campaign("mortgage"), advertiser="bank", name="Bank"))
        assert one.live_files() == {"0.yaml": ["spring"], "1.yaml": ["loan", "mortgage"]}

    def test_with_new_words_for_its_advertiser_changes_them_in_all_its_files(self) -> None:
        one = Bench()
        one.push(campaign_file(campaign("spring")), campaign_file(campaign("autumn")))
        published = one.publish_files(campaign_file(campaign("spring"), name="QWIKET Inc."))
        assert [change.path for change in published.plan.change] == ["advertisers.qwiket.name"]
        words = [file["advertiser"] for file in one.publisher.live().documents.campaign_files.values()]
        assert words == [{"id": "qwiket", "name": "QWIKET Inc."}] * 2

    def test_removes_what_it_lacks_when_it_speaks_for_all_campaigns(self) -> None:
        one = bench()
        published = one.publish(campaigns(campaign_file(campaign("autumn"))), Extent.CAMPAIGNS)
        assert published.plan.remove == ("campaigns.spring",)
        assert one.live_campaigns() == ["autumn"]
        assert one.publisher.live().documents.slots is not None

    def test_may_hand_a_flight_to_another_of_its_own_campaigns(self) -> None:
        one = bench()
        one.publish_files(
            campaign_file(
                campaign("spring", flights=[flight("autumn-flight")]),
                campaign("autumn", flights=[flight("spring-flight")]),
            )
        )
        assert one.live_campaigns() == ["autumn", "spring"]


class TestSeveralFiles:
    def test_are_taken_together(self) -> None:
        one = bench()
        published = one.publish_files(
            campaign_file(campaign("loan"), advertiser="bank", name="Bank"),
            campaign_file(campaign("check-up"), advertiser="clinic", name="Clinic"),
        )
        assert published.revision == 3
        assert one.live_campaigns() == ["autumn", "check-up", "loan", "spring"]

    def test_are_refused_together_with_every_fault(self) -> None:
        one = bench()
        with pytest.raises(InputRefused) as caught:
            one.publish_files(
                campaign_file(campaign("loan", flights=[flight("a", slots=["nowhere"])]), advertiser="bank"),
                campaign_file(campaign("check-up"), advertiser="clinic"),
                campaign_file(campaign("cure", flights=[flight("b", slots=["nowhere"])]), advertiser="health"),
            )
        assert [(fault.file, fault.path) for fault in caught.value.faults] == [
            ("files[0]", "campaigns[0].flights[0].slots[0]"),
            ("files[2]", "campaigns[0].flights[0].slots[0]"),
        ]
        assert one.store.head().number == 2
        assert one.live_campaigns() == ["autumn", "spring"]


class TestFaults:
    def test_name_the_field_of_the_upload_wherever_the_campaign_is_kept(self) -> None:
        one = bench()
        with pytest.raises(InputRefused) as caught:
            one.publish_files(campaign_file(campaign("autumn", flights=[flight("f", slots=["nowhere"])])))
        [fault] = caught.value.faults
        assert (fault.file, fault.path) == ("upload", "campaigns[0].flights[0].slots[0]")
        assert fault.line == 1

    def test_an_id_twice_in_one_upload_is_refused(self) -> None:
        one = bench()
        with pytest.raises(InputRefused, match="season-flight"):
            one.publish_files(
                campaign_file(campaign("season"), campaign("other", flights=[flight("season-flight")])),
            )

    def test_slots_that_live_campaigns_need_cannot_go(self) -> None:
        one = bench()
        one.publish_files(campaign_file(campaign("spring", flights=[flight("f", slots=["masthead"])])))
        with pytest.raises(InputRefused, match="masthead"):
            one.publish(slots(slots_file("article-top")))
        assert one.store.head().number == 3


class TestIdsOfOthers:
    @pytest.mark.parametrize(
        ("taken", "path"),
        [
            ({"flights": [flight("mine"), flight("spring-flight")]}, "campaigns[0].flights[1].id"),
            ({"creatives": [creative("spring-creative")]}, "campaigns[0].creatives[0].id"),
        ],
    )
    def test_that_stay_are_taken(self, taken: dict[str, object], path: str) -> None:
        one = bench()
        with pytest.raises(IdTaken) as caught:
            one.publish_files(campaign_file(campaign("loan", **taken), advertiser="bank"))
        assert [fault.path for fault in caught.value.faults] == [path]
        assert "'spring'" in caught.value.faults[0].message
        assert one.store.head().number == 2

    def test_campaigns_of_another_advertiser_are_taken(self) -> None:
        one = bench()
        with pytest.raises(IdTaken, match="qwiket"):
            one.publish_files(campaign_file(campaign("spring"), advertiser="bank"))

    def test_that_the_upload_removes_are_free(self) -> None:
        one = bench()
        upload = campaigns(campaign_file(campaign("loan", flights=[flight("spring-flight")]), advertiser="bank"))
        assert one.publish(upload, Extent.CAMPAIGNS).revision == 3

    def test_a_flight_and_a_creative_may_share_a_word(self) -> None:
        one = bench()
        assert one.publish_files(campaign_file(campaign("loan", flights=[flight("spring-creative")]))).revision == 3


class TestBase:
    def test_that_is_live_is_taken(self) -> None:
        assert bench().publish_files(campaign_file(campaign("loan")), base=2).revision == 3

    @pytest.mark.parametrize("base", [0, 1, 3])
    def test_that_is_not_live_is_stale(self, base: int) -> None:
        one = bench()
        with pytest.raises(StaleBase) as caught:
            one.publish_files(campaign_file(campaign("loan")), base=base)
        assert (caught.value.base, caught.value.live) == (base, 2)
        assert one.live_campaigns() == ["autumn", "spring"]

    def test_that_goes_stale_between_look_and_write_is_stale(self) -> None:
        one = bench()
        overtake(one, times=1)
        with pytest.raises(StaleBase):
            one.publish_files(campaign_file(campaign("loan")), base=2)
        assert "loan" not in one.live_campaigns()

    def test_without_one_an_upload_is_laid_over_what_came_in_between(self) -> None:
        one = bench()
        overtake(one, times=2)
        published = one.publish_files(campaign_file(campaign("loan")))
        assert (published.base, published.revision) == (4, 5)
        assert one.live_campaigns() == ["autumn", "loan", "overtaker-0", "overtaker-1", "spring"]

    def test_without_one_an_upload_gives_up_when_it_is_overtaken_for_ever(self) -> None:
        one = bench()
        overtake(one, times=1000)
        with pytest.raises(StoreUnavailable, match="send it again"):
            one.publish_files(campaign_file(campaign("loan")))


def overtake(one: Bench, times: int) -> None:
    """Let somebody else publish just before each of the next writes."""
    rival, commit, left = Bench(store=one.store), one.store.commit, list(range(times))

    def overtaken(base: Head, revision: Revision | None, names: dict[str, str]) -> None:
        if left and revision is not None and not any("overtaker" in path for path in revision.entry.plan.add):
            name = f"overtaker-{times - len(left)}"
            left.pop()
            rival.publish_files(campaign_file(campaign(name)))
        commit(base, revision, names)

    one.store.commit = overtaken  # type: ignore[method-assign, assignment]


class TestDryRun:
    def test_says_what_would_change_and_changes_nothing(self) -> None:
        one = bench()
        upload = campaigns(campaign_file(campaign("loan"), advertiser="bank"))
        planned = one.publisher.publish(upload, extent=Extent.NAMED, author="kim", dry_run=True)
        assert (planned.base, planned.revision) == (2, None)
        assert planned.plan.add == ("advertisers.bank", "campaigns.loan")
        assert one.store.head().number == 2
        assert one.publish(upload).plan == planned.plan

    def test_finds_the_same_faults(self) -> None:
        upload = campaigns(campaign_file(campaign("loan", flights=[flight("f", slots=["nowhere"])])))
        with pytest.raises(InputRefused):
            bench().publisher.publish(upload, extent=Extent.NAMED, author="kim", dry_run=True)


class TestNoChange:
    def test_keeps_the_revision(self) -> None:
        one = bench()
        published = one.publish_files(campaign_file(campaign("autumn")))
        assert (published.base, published.revision) == (2, 2)
        assert not published.plan
        assert len(one.publisher.history()) == 2


class TestFolder:
    def test_removes_what_it_lacks(self) -> None:
        one = bench()
        published = one.push(campaign_file(campaign("spring")))
        assert published.plan.remove == ("campaigns.autumn",)
        assert one.live_files() == {"0.yaml": ["spring"]}

    def test_without_slots_is_refused(self) -> None:
        one = bench()
        with pytest.raises(InputRefused, match=r"slots\.yaml"):
            one.publish(campaigns(campaign_file(campaign())), Extent.FOLDER)


class TestFirstPublish:
    def test_makes_a_folder_revision_1(self) -> None:
        one = Bench()
        published = one.publisher.first_publish(folder({"a.yaml": campaign_file(campaign())}), author="serve")
        assert published is not None
        assert (published.base, published.revision) == (0, 1)
        [entry] = one.publisher.history()
        assert (entry.author, entry.at, entry.number) == ("serve", NOON, 1)

    def test_leaves_a_store_with_a_revision_alone(self) -> None:
        one = bench()
        assert one.publisher.first_publish(folder({"a.yaml": campaign_file(campaign())}), author="serve") is None
        assert one.store.head().number == 2

    def test_gives_an_empty_store_the_data_folders_revision_instead(self, tmp_path: Path) -> None:
        one = bench()
        one.mirror(tmp_path).step(NOON)
        one.store.wipe()
        later = Bench(store=one.store, data_dir=tmp_path)
        assert later.publisher.first_publish(folder({"a.yaml": campaign_file(campaign())}), author="serve") is None
        assert later.store.head().number == 2
        assert later.live_campaigns() == ["autumn", "spring"]

    def test_does_not_begin_anew_beside_a_copy_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / BACKUP_NAME).write_bytes(b"{torn")
        one = Bench(data_dir=tmp_path)
        with pytest.raises(RevisionUnreadable):
            one.publisher.first_publish(folder({"a.yaml": campaign_file(campaign())}), author="serve")
        assert one.store.head() == NO_HEAD

    def test_yields_to_another_host_that_was_first(self) -> None:
        one = Bench()
        commit = one.store.commit

        def overtaken(base: Head, revision: Revision | None, names: dict[str, str]) -> None:
            one.store.commit = commit  # type: ignore[method-assign]
            Bench(store=one.store).publish_slots()
            commit(base, revision, names)

        one.store.commit = overtaken  # type: ignore[method-assign, assignment]
        assert one.publisher.first_publish(folder({"a.yaml": campaign_file(campaign())}), author="serve") is None
        assert one.store.head().number == 1
        assert one.live_campaigns() == []


class TestLossOfTheStore:
    def test_numbers_go_on_above_the_data_folders(self, tmp_path: Path) -> None:
        one = bench()
        one.mirror(tmp_path).step(NOON)
        one.store.wipe()
        later = Bench(store=one.store, data_dir=tmp_path)
        assert later.publish_files(campaign_file(campaign("winter"))).revision == 3
        assert later.live_campaigns() == ["autumn", "spring", "winter"]

    def test_is_said_when_it_does_not_answer(self) -> None:
        one = bench()
        one.store.away = True
        with pytest.raises(StoreUnavailable):
            one.publish_files(campaign_file(campaign("winter")))


class TestNames:
    def test_are_written_with_the_revision(self) -> None:
        one = bench()
        names = Names.parse(one.store.name_fields())
        found = names.flight(id_hash(Kind.FLIGHT, "spring-flight"))
        assert found is not None
        assert (found.id, found.campaign, found.advertiser) == ("spring-flight", "spring", "qwiket")

    def test_of_what_was_removed_stay(self) -> None:
        one = bench()
        one.push(campaign_file(campaign("autumn")))
        assert Names.parse(one.store.name_fields()).creative(id_hash(Kind.CREATIVE, "spring-creative")) is not None


IDS = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def uploads(draw: st.DrawFn) -> Documents:
    """Return an upload in which every campaign stands once and every advertiser has one wording."""
    words = {advertiser: draw(st.sampled_from(["One", "Two"])) for advertiser in ("x", "y")}
    owners = draw(st.dictionaries(IDS, st.sampled_from(["x", "y"]), min_size=1))
    split = draw(st.lists(st.booleans(), min_size=len(owners), max_size=len(owners)))
    files: dict[tuple[str, bool], list[dict[str, object]]] = {}
    for (id_, owner), second in zip(owners.items(), split, strict=True):
        files.setdefault((owner, second), []).append(campaign(id_, name=draw(st.sampled_from(["1", "2"]))))
    return campaigns(*(campaign_file(*own, advertiser=owner, name=words[owner]) for (owner, _), own in files.items()))


@given(live=uploads(), upload=uploads(), extent=st.sampled_from([Extent.NAMED, Extent.CAMPAIGNS]))
def test_what_is_kept_is_what_was_checked(live: Documents, upload: Documents, extent: Extent) -> None:
    try:
        refuse_taken(live, upload, extent)
    except IdTaken:
        return
    trial, settled = trial_documents(live, upload, extent), settled_documents(live, upload, extent)
    assert not make_plan(trial, settled)
    ids = [str(one["id"]) for _, _, one in settled.campaigns()]
    assert len(ids) == len(set(ids))


@given(live=uploads(), upload=uploads())
def test_publishing_the_same_twice_changes_nothing_the_second_time(live: Documents, upload: Documents) -> None:
    try:
        refuse_taken(live, upload, Extent.NAMED)
    except IdTaken:
        return
    once = settled_documents(live, upload, Extent.NAMED)
    assert settled_documents(once, upload, Extent.NAMED) == once
