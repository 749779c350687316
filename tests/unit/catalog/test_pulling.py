"""What `adserver pull` writes: what is live, in the words, the order and the comments of the files that are there."""

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from catalog_bench import campaign, campaign_file, flight, slots_file
from sample import SAMPLE
from sheets import csv_bytes, row, xlsx_bytes

from adserver.catalog.documents import Documents, JsonObject, objects
from adserver.catalog.folder import read_folder, read_texts
from adserver.catalog.plan import make_plan
from adserver.catalog.pulling import KEPT_FOLDER, Pull, plan_pull, write_files
from adserver.catalog.yaml_editing import fresh_json, fresh_yaml

COMMENTED = """\
# Anna sells bicycles.
advertiser: {id: annas, name: "Anna's"}   # since 1987
campaigns:
  # Every spring.
  - id: spring
    name: 'NO'
    starts: 2025-06-01      # the first warm day
    timezone: America/Chicago
    creatives:
      - id: tune-up
        click_url: "https://annas.example/"
        variants: {name: Anna's, short: "Anna's: tune-ups"}
    flights:
      # Where Anna lives.
      - id: remer
        weight: 2
        targeting: {places: ["Remer, MN"]}
      # Where her sister lives.
      - id: duluth
        targeting:
          places: ["Duluth, MN"]

      # Whoever else.
      - id: rest
        tier: house
  # Every autumn.
  - id: autumn
    name: Autumn
    starts: 2025-09-01
    timezone: America/Chicago
"""


class Folder:
    """A campaigns folder with Anna's file. One test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.write("annas.yaml", COMMENTED)
        self.write("slots.yaml", fresh_yaml(slots_file()))  # type: ignore[arg-type]  # plain data

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)

    def read(self) -> Documents:
        return read_folder(self.path)

    def live(self, change: Callable[[JsonObject], object]) -> Documents:
        """Return what the folder says, with Anna's file changed."""
        documents = self.read()
        files = {name: copy.deepcopy(content) for name, content in documents.campaign_files.items()}
        change(files["annas.yaml"])
        return Documents(files, documents.slots)

    def pull(self, live: Documents) -> Pull:
        pull = plan_pull(live, self.read(), read_texts(self.path))
        write_files(self.path, pull)
        assert not make_plan(live, self.read()), "pushing would change something"
        assert not plan_pull(live, self.read(), read_texts(self.path)), "a second pull would write something"
        return pull

    def text(self) -> str:
        return (self.path / "annas.yaml").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "campaigns")


def flights_of(file: JsonObject) -> list[JsonObject]:
    listed = objects(file, "campaigns")[0]["flights"]
    assert isinstance(listed, list)
    return listed  # type: ignore[return-value]  # all are mappings


def test_what_says_what_is_live_is_left_alone(folder: Folder) -> None:
    assert folder.pull(folder.live(lambda _: None)) == Pull({}, ())
    assert not (folder.path / KEPT_FOLDER).exists()


def test_a_changed_field_is_the_only_one_that_changes(folder: Folder) -> None:
    folder.pull(folder.live(lambda file: flights_of(file)[0].update(weight=5)))
    assert folder.text() == COMMENTED.replace("weight: 2", "weight: 5")


def test_new_fields_and_flights_come_where_they_belong(folder: Folder) -> None:
    def change(file: JsonObject) -> None:
        flights_of(file)[2]["weight"] = 3
        flights_of(file).append({"id": "north", "slots": ["masthead"], "targeting": {"places": ["Ely, MN"]}})

    folder.pull(folder.live(change))
    new = """\
        tier: house
        weight: 3
      - id: north
        slots: [masthead]
        targeting:
          places: ["Ely, MN"]
"""
    assert folder.text() == COMMENTED.replace("        tier: house\n", new)


def test_a_new_field_of_a_campaign_comes_before_its_creatives(folder: Folder) -> None:
    folder.pull(folder.live(lambda file: objects(file, "campaigns")[0].update(ends="2027-01-01")))
    zone = "    timezone: America/Chicago\n    creatives"
    assert folder.text() == COMMENTED.replace(zone, zone.replace("    cr", "    ends: 2027-01-01\n    cr"))


def test_what_goes_takes_its_comment_along_and_no_other(folder: Folder) -> None:
    folder.pull(folder.live(lambda file: flights_of(file).pop(1)))
    gone = """\
      # Where her sister lives.
      - id: duluth
        targeting:
          places: ["Duluth, MN"]
"""
    assert folder.text() == COMMENTED.replace(gone, "")


def test_a_campaign_that_goes_leaves_the_other_as_it_was(folder: Folder) -> None:
    folder.pull(folder.live(lambda file: file.update(campaigns=[objects(file, "campaigns")[0]])))
    assert folder.text() == COMMENTED.partition("  # Every autumn.")[0]


@pytest.mark.parametrize(
    "name",
    ["NO", "012345", "1_000", "12:30", "true", "null", "2025-06-01", "5", "a: b", "# x", "'", '"', "é", "- x", "{x}"],
)
def test_texts_stay_texts(folder: Folder, name: str) -> None:
    folder.pull(folder.live(lambda file: objects(file, "campaigns")[1].update(name=name)))
    assert objects(folder.read().campaign_files["annas.yaml"], "campaigns")[1]["name"] == name
    assert "# the first warm day" in folder.text()


def test_aliases_are_written_out_where_they_would_change_two_things(folder: Folder) -> None:
    folder.write(
        "annas.yaml", COMMENTED.replace('["Remer, MN"]', '&here ["Remer, MN"]').replace('["Duluth, MN"]', "*here")
    )
    folder.pull(folder.live(lambda file: flights_of(file)[0].update(targeting={"places": ["MN"]})))


def test_new_and_foreign_files(folder: Folder) -> None:
    folder.write("old.yaml", fresh_yaml(campaign_file(campaign("old"), advertiser="old")))  # type: ignore[arg-type]
    live = folder.live(lambda _: None)
    files = {name: content for name, content in live.campaign_files.items() if name != "old.yaml"}
    new = campaign_file(campaign("lake"), advertiser="lake-shop", name="Lake")
    pull = folder.pull(Documents({**files, "../evil.yaml": new}, live.slots))  # type: ignore[dict-item]
    assert (set(pull.write), pull.remove) == ({"lake-shop.yaml"}, ("old.yaml",))
    assert sorted(path.name for path in folder.path.iterdir()) == [
        KEPT_FOLDER,
        "annas.yaml",
        "lake-shop.yaml",
        "slots.yaml",
    ]
    assert (folder.path / KEPT_FOLDER / "old.yaml").exists()


def test_a_campaign_stays_in_the_file_that_the_folder_has_it_in(folder: Folder) -> None:
    live = folder.live(lambda file: flights_of(file)[0].update(weight=7))
    (folder.path / "annas.yaml").rename(folder.path / "bicycles.yaml")
    assert folder.pull(live).remove == ()
    assert (folder.path / "bicycles.yaml").read_text() == COMMENTED.replace("weight: 2", "weight: 7")


def test_a_json_file_stays_json_and_slots_come_too(folder: Folder) -> None:
    (folder.path / "annas.yaml").unlink()
    before = campaign_file(campaign("lake", flights=[flight("shore")]), advertiser="lake-shop", name="Lake")
    folder.write("lake.json", fresh_json(before))  # type: ignore[arg-type]
    documents = folder.read()
    content = copy.deepcopy(documents.campaign_files["lake.json"])
    flights_of(content)[0]["weight"] = 4
    layout = slots_file("masthead", "footer")
    pull = folder.pull(Documents({"lake.json": content}, layout))  # type: ignore[arg-type]
    assert set(pull.write) == {"lake.json", "slots.yaml"}


def test_an_empty_folder_comes_to_say_all_of_the_sample(tmp_path: Path) -> None:
    live = read_folder(SAMPLE)
    empty = tmp_path / "empty"
    empty.mkdir()
    write_files(empty, plan_pull(live, Documents(), {}))
    assert not make_plan(live, read_folder(empty))
    assert {path.name for path in empty.iterdir()} == {path.name for path in SAMPLE.glob("*.yaml")}


def test_the_sample_is_edited_without_a_word_lost(tmp_path: Path) -> None:
    copied = tmp_path / "campaigns"
    shutil.copytree(SAMPLE, copied)
    live = read_folder(copied)
    files = copy.deepcopy(dict(live.campaign_files))
    for content in files.values():
        objects(content, "campaigns")[0]["name"] = "Another name"
    write_files(copied, plan_pull(replace(live, campaign_files=files), live, read_texts(copied)))
    for path in SAMPLE.glob("*.yaml"):
        old, new = path.read_text().splitlines(), (copied / path.name).read_text().splitlines()
        assert len(old) == len(new)
        assert sum(a != b for a, b in zip(old, new, strict=True)) == (path.name not in ("slots.yaml", "rules.yaml"))


def test_rules_come_keep_their_comments_and_go(folder: Folder) -> None:
    live = folder.read()
    rule: JsonObject = {"category": "betting", "as_of": "2026-11-01", "source": "the law"}
    pull = folder.pull(replace(live, rules={"rules": [rule]}))
    assert set(pull.write) == {"rules.yaml"}
    folder.write("rules.yaml", "# Ask Inga.\n" + pull.write["rules.yaml"])
    assert not folder.pull(replace(live, rules={"rules": [rule]}))
    changed: JsonObject = {**rule, "as_of": "2026-12-01"}
    text = folder.pull(replace(live, rules={"rules": [changed]})).write["rules.yaml"]
    assert text.startswith("# Ask Inga.")
    assert "2026-12-01" in text
    assert folder.pull(live).remove == ("rules.yaml",)


class TestSheets:
    """What a campaigns folder's sheets become."""

    def live(self, folder: Folder) -> Documents:
        (folder.path / "shop.csv").write_bytes(csv_bytes(row("one"), row("two")))
        return read_folder(folder.path)

    def pull(self, live: Documents, folder: Folder) -> Pull:
        pull = plan_pull(live, read_folder(folder.path), read_texts(folder.path))
        write_files(folder.path, pull)
        assert not make_plan(live, read_folder(folder.path))
        return pull

    def test_that_say_what_is_live_are_left_alone(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path / "campaigns")
        assert not self.pull(self.live(folder), folder)

    def test_that_say_something_else_become_campaign_files_and_are_kept_beside(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path / "campaigns")
        live = self.live(folder)
        (folder.path / "shop.csv").write_bytes(csv_bytes(row("one"), row("two", weight=3)))
        pull = self.pull(live, folder)
        assert (sorted(pull.write), pull.remove) == (["shop.yaml"], ("shop.csv",))
        assert (folder.path / KEPT_FOLDER / "shop.csv").exists()

    def test_of_several_advertisers_become_a_file_each(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path / "campaigns")
        cafe = row("c", advertiser_id="cafe", advertiser_name="Cafe", campaign_id="cafe-c", creative_id="cup")
        (folder.path / "all.xlsx").write_bytes(xlsx_bytes(row("one"), cafe))
        live = read_folder(folder.path)
        assert not self.pull(live, folder)
        (folder.path / "all.xlsx").write_bytes(xlsx_bytes(row("one", weight=2), cafe))
        pull = self.pull(live, folder)
        assert (sorted(pull.write), pull.remove) == (["cafe.yaml", "shop.yaml"], ("all.xlsx",))
