"""A campaigns folder is read whole, and every fault of every file is told at once."""

from pathlib import Path

import pytest
from pipeline import load_gazetteer
from sample import copy_sample
from sheets import row, xlsx_bytes

from adserver.catalog.folder import check_folder, read_folder
from adserver.domain.errors import InputRefused
from adserver.places.gazetteer import Gazetteer

ADVERTISER = "advertiser: {id: %s, name: X}\n"


def folder_with(folder: Path, **files: str | bytes) -> Path:
    for name, text in files.items():
        path = folder / name.replace("_", ".")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def faults_of(folder: Path) -> list[str]:
    """Return the faults, each of which must name its file by the path of the folder as given, without that."""
    with pytest.raises(InputRefused) as caught:
        read_folder(folder)
    return [without(str(fault), f"{folder}/") for fault in caught.value.faults]


def without(text: str, prefix: str) -> str:
    assert text.startswith(prefix)
    return text.removeprefix(prefix)


def test_every_campaign_file_and_the_slots_are_read(tmp_path: Path) -> None:
    json_text = '{"advertiser": {"id": "c", "name": "X"}}'
    folder_with(
        tmp_path, a_yaml=ADVERTISER % "a", b_yml=ADVERTISER % "b", c_json=json_text, slots_yaml="sites: []\nslots: []"
    )
    documents = read_folder(tmp_path)
    assert list(documents.campaign_files) == ["a.yaml", "b.yml", "c.json"]
    assert documents.slots == {"sites": [], "slots": []}
    assert documents.rules is None


def test_other_files_hidden_ones_and_folders_are_left_alone(tmp_path: Path) -> None:
    folder_with(tmp_path, a_yaml=ADVERTISER % "a", README_md="# hello", notes_txt="x")
    (tmp_path / ".b.yaml").write_text("not: right")
    (tmp_path / "old.yaml").mkdir()
    assert list(read_folder(tmp_path).campaign_files) == ["a.yaml"]


def test_missing_slots_are_none(tmp_path: Path) -> None:
    assert read_folder(tmp_path).slots is None


def test_every_fault_of_every_file_is_told_with_file_line_and_column(tmp_path: Path) -> None:
    folder_with(
        tmp_path,
        a_yaml="advertiser:\n  id: A\n  name: 7\n",
        b_yaml="a: [1\n",
        c_json=b"\xff",
        d_yaml=b"#" * 2_000_001,
        slots_yaml="sites: []\n",
    )
    faults = faults_of(tmp_path)
    assert [fault.split(": ")[0] for fault in faults] == [
        "a.yaml:2:3",
        "a.yaml:3:3",
        "b.yaml:2:1",
        "c.json:1:1",
        "d.yaml",
        "slots.yaml:1:1",
    ]


def test_rules_are_read_from_their_file_whatever_its_form(tmp_path: Path) -> None:
    folder_with(tmp_path, rules_json='{"rules": []}')
    assert read_folder(tmp_path).rules == {"rules": []}


def test_faults_of_rules_stand_in_their_file(tmp_path: Path) -> None:
    rule = "{category: betting, as_of: 2026-11-01, source: x%s}"
    folder_with(tmp_path, rules_yaml="rules:\n  - " + rule % ", states: {Mars: {allow: true}}")
    assert [fault.split(": ")[:2] for fault in faults_of(tmp_path)] == [["rules.yaml:2:64", "rules[0].states.Mars"]]
    twice = rule % "" + ", " + rule % ", default: allow"
    folder_with(tmp_path, slots_yaml="sites: []\nslots: []", rules_yml=f"rules: [{twice}]")
    (tmp_path / "rules.yaml").unlink()
    with pytest.raises(InputRefused) as refused:
        check_folder(tmp_path, Gazetteer.load())
    (fault,) = refused.value.faults
    assert (Path(str(fault.file)).name, fault.path, fault.line) == ("rules.yml", "rules[1].category", 1)


def test_two_files_of_rules_are_one_too_many(tmp_path: Path) -> None:
    folder_with(tmp_path, rules_yaml="rules: []", rules_json='{"rules": []}')
    assert faults_of(tmp_path) == ["rules.yaml: there are two files of rules; keep rules.yaml"]


def test_two_files_of_slots_are_one_too_many(tmp_path: Path) -> None:
    folder_with(tmp_path, slots_yaml="sites: []\nslots: []", slots_json='{"sites": [], "slots": []}')
    assert faults_of(tmp_path) == ["slots.yaml: there are two files of slots; keep slots.yaml"]


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=f"^{tmp_path}/missing: the folder cannot be read: No such file"):
        read_folder(tmp_path / "missing")


def test_what_only_the_whole_tells_names_the_file_by_the_folders_path_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "campaigns").mkdir()
    slots = "sites: []\nslots:\n  - {id: masthead, site: nowhere}\n"
    folder_with(tmp_path / "campaigns", a_yaml=ADVERTISER % "a", slots_yml=slots)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputRefused) as caught:
        check_folder(Path("campaigns"), Gazetteer.load())
    (fault,) = caught.value.faults
    assert str(fault).startswith("campaigns/slots.yml:3:")


def test_a_mistake_in_yaml_says_where_else_to_look(tmp_path: Path) -> None:
    folder_with(tmp_path, a_yaml='a: "never closed\nb: 1\n')
    (fault,) = faults_of(tmp_path)
    assert fault.endswith("; check the quotes and indents on this line or just above")


def test_a_link_to_nothing_is_a_fault_of_that_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "gone")
    assert faults_of(tmp_path) == ["a.yaml: the file cannot be read: No such file or directory"]


def test_sheets_are_read_beside_the_files_and_their_faults_have_row_and_column(tmp_path: Path) -> None:
    copy_sample(tmp_path)
    other = row("b", advertiser_id="cafe", advertiser_name="Cafe", campaign_id="cafe-c", creative_id="cup")
    (tmp_path / "spring.xlsx").write_bytes(xlsx_bytes(row("a", slots="masthead"), other))
    (tmp_path / "~$spring.xlsx").write_bytes(b"what a program leaves while it has the file open")
    assert {"shop-winter", "cafe-c"} <= {str(one["id"]) for _, _, one in read_folder(tmp_path).campaigns()}
    (tmp_path / "spring.xlsx").write_bytes(xlsx_bytes(row("a", slots="mast-head"), {**other, "places": "Reemer, MN"}))
    with pytest.raises(InputRefused) as caught:
        check_folder(tmp_path, load_gazetteer())
    assert sorted(str(fault).split(": ")[0] for fault in caught.value.faults) == [
        f"{tmp_path}/spring.xlsx:Campaigns:2:12",
        f"{tmp_path}/spring.xlsx:Campaigns:3:13",
    ]
