import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from catalog_bench import FlakyStore
from pipeline import SLOTS, campaign_file, load_gazetteer

from adserver.catalog.documents import Documents, JsonObject
from adserver.catalog.following import FolderFollower, LateFirstPublication, describe_difference
from adserver.catalog.merging import Extent, Within
from adserver.catalog.publish import Published, Publisher

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Desk:
    """A folder, a store, and who follows the one into the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FlakyStore()
        self.publisher = Publisher(self.store, load_gazetteer(), lambda: NOW)
        self.said: list[str] = []
        self.follower = FolderFollower(folder, self.publisher, self.said.append)
        self._saves = 0
        self.save("slots.json", SLOTS)

    def save(self, name: str, document: Mapping[str, object] | str) -> None:
        text = document if isinstance(document, str) else json.dumps(document)
        self._saves += 1
        (self.folder / name).write_text(text + "\n" * self._saves)  # always another size, whatever the clock's grain

    def step(self) -> None:
        for _ in range(3):
            self.follower.step()

    @property
    def revision(self) -> int:
        return self.publisher.live().revision


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_folder_is_published_at_the_start_and_at_every_save(desk: Desk) -> None:
    desk.save("qwiket.json", campaign_file())
    desk.step()
    assert desk.revision == 1

    desk.save("qwiket.json", campaign_file(weight=3))
    desk.step()
    desk.step()
    assert desk.revision == 2


def test_a_file_that_is_still_being_written_is_waited_for(desk: Desk) -> None:
    desk.save("qwiket.json", campaign_file())
    desk.follower.step()

    assert desk.revision == 0


def test_faults_are_said_once_and_the_old_revision_goes_on(desk: Desk) -> None:
    desk.save("qwiket.json", campaign_file())
    desk.step()
    desk.save("qwiket.json", campaign_file(weight=-1))
    desk.step()
    desk.step()

    assert desk.revision == 1
    assert [line for line in desk.said if "weight" in line] == desk.said[1:2]
    assert desk.said[-1].endswith("revision 1 goes on")


def test_what_came_from_elsewhere_is_never_overwritten_and_said(desk: Desk) -> None:
    desk.save("qwiket.json", campaign_file())
    desk.step()
    live = desk.publisher.live().documents
    elsewhere = {**live.campaign_files, "qwiket.json": campaign_file(weight=7)}
    desk.publisher.publish(type(live)(elsewhere, live.slots, None), extent=Extent.FOLDER, author="api")
    desk.save("qwiket.json", campaign_file(weight=3))
    desk.step()

    assert desk.revision == 2
    assert "revision 2 came from api" in desk.said[-1]


def test_a_push_of_the_folder_makes_saves_count_again(desk: Desk) -> None:
    test_what_came_from_elsewhere_is_never_overwritten_and_said(desk)
    folder = desk.publisher.read_folder(desk.folder)
    desk.publisher.publish(folder, extent=Extent.FOLDER, author="marketer")
    desk.step()
    assert desk.revision == 3

    desk.save("qwiket.json", campaign_file(weight=4))
    desk.step()

    assert desk.revision == 4


def test_a_difference_is_described_with_what_to_do(desk: Desk) -> None:
    desk.save("qwiket.json", campaign_file())
    desk.step()
    assert describe_difference(desk.folder, desk.publisher) is None

    desk.save("qwiket.json", campaign_file(weight=3))
    assert describe_difference(desk.folder, desk.publisher) == (
        f"{desk.folder}/ differs from revision 1 (1 change): adserver plan, adserver push"
    )


def test_a_store_that_is_away_is_said_once_each_time_it_goes(desk: Desk) -> None:
    desk.save("qwiket.json", campaign_file())
    desk.store.away = True
    desk.step()
    desk.step()
    assert desk.said == [f"{desk.folder}/ is not published: the store was taken away"]

    desk.store.away = False
    desk.step()
    desk.store.away = True
    desk.step()
    desk.step()
    assert desk.said[1:] == [
        f"{desk.folder}/ is published as revision 1 (5 changes)",
        f"{desk.folder}/ is not published: the store was taken away",
    ]


def test_what_is_published_elsewhere_in_between_is_not_overwritten(desk: Desk) -> None:
    desk.save("qwiket.json", campaign_file())
    desk.step()
    overtake(desk, campaign_file(weight=7))
    desk.save("qwiket.json", campaign_file(weight=3))
    desk.step()

    assert desk.revision == 2
    assert desk.publisher.history()[0].author == "api"
    assert json.dumps(desk.publisher.live().documents.campaign_files["qwiket.json"]) == json.dumps(
        campaign_file(weight=7)
    )
    assert "revision 2 came from api" in desk.said[-1]


def overtake(desk: Desk, theirs: JsonObject) -> None:
    """Let somebody else publish between the follower's next look at what would change and its publishing that."""
    publish = desk.publisher.publish

    def overtaken(
        upload: Documents,
        *,
        extent: Extent,
        author: str,
        message: str = "",
        base: int | None = None,
        dry_run: bool = False,
        within: Within = None,
    ) -> Published:
        published = publish(upload, extent=extent, author=author, message=message, base=base, dry_run=dry_run)
        if dry_run:
            desk.publisher.publish = publish  # type: ignore[method-assign]
            live = desk.publisher.live().documents
            publish(Documents({"qwiket.json": theirs}, live.slots), extent=Extent.FOLDER, author="api")
        return published

    desk.publisher.publish = overtaken  # type: ignore[method-assign]


def test_a_store_that_comes_late_is_given_the_folder_as_revision_1(desk: Desk) -> None:
    desk.save("qwiket.json", campaign_file())
    late = LateFirstPublication(desk.folder, desk.publisher, desk.said.append)
    desk.store.away = True
    late.step()
    assert desk.said == []

    desk.store.away = False
    late.step()
    late.step()

    assert desk.revision == 1
    assert desk.said == [f"{desk.folder}/ is published as revision 1"]


def test_a_late_first_publication_says_the_folders_faults_once_and_publishes_it_mended(desk: Desk) -> None:
    late = LateFirstPublication(desk.folder, desk.publisher, desk.said.append)
    desk.save("qwiket.json", campaign_file(weight=-1))
    late.step()
    late.step()
    assert (desk.revision, len(desk.said)) == (0, 1)

    desk.save("qwiket.json", campaign_file())
    late.step()
    assert desk.revision == 1
