"""`adserver pull`, `rollback` and `schema` on a real folder and a real Redis."""

import json
from pathlib import Path

import pytest
from command_host import Host

pytestmark = pytest.mark.processes


class TestPull:
    def test_where_nothing_is_published_says_so_and_exits_1(self, host: Host) -> None:
        result = host.run("pull")
        assert result.exit_code == 1
        assert "nothing is published yet" in result.stderr

    def test_brings_a_folder_to_what_is_live_so_that_pushing_it_changes_nothing(self, host: Host) -> None:
        host.run("push")
        published = (host.campaigns / "qwiket.yaml").read_text()
        host.edit("qwiket.yaml", "weight: 2", "weight: 3")
        (host.campaigns / "house.yaml").unlink()
        assert host.run("plan").exit_code == 3

        result = host.run("pull")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[:2] == [f"> {host.campaigns}/house.yaml", f"> {host.campaigns}/qwiket.yaml"]
        assert host.run("plan").exit_code == 0
        assert (host.campaigns / "qwiket.yaml").read_text() == published
        assert "weight: 3" in (host.campaigns / ".before-pull" / "qwiket.yaml").read_text()
        assert host.run("push").exit_code == 0
        assert host.revision() == 1

    def test_says_what_it_would_do_and_does_nothing(self, host: Host) -> None:
        host.run("push")
        host.edit("qwiket.yaml", "weight: 2", "weight: 3")
        told = json.loads(host.run("pull", "--dry-run", "--json").stdout)
        assert told == {"revision": 1, "written": ["qwiket.yaml"], "removed": []}
        assert host.run("plan").exit_code == 3
        assert "nothing was written" in host.run("pull", "--dry-run").stdout

    def test_makes_the_folder_where_there_is_none(self, host: Host, tmp_path: Path) -> None:
        host.run("push")
        assert host.run("pull", str(tmp_path / "new" / "folder")).exit_code == 0
        assert host.run("plan", str(tmp_path / "new" / "folder")).exit_code == 0

    def test_of_a_folder_with_a_fault_names_it_and_writes_nothing(self, host: Host) -> None:
        host.run("push")
        host.edit("qwiket.yaml", "weight: 2", "weight: two")
        result = host.run("pull")
        assert result.exit_code == 1
        assert "qwiket.yaml" in result.stdout
        assert not (host.campaigns / ".before-pull").exists()


class TestRollback:
    def test_publishes_an_earlier_revision_anew_and_pull_brings_the_folder_to_it(self, host: Host) -> None:
        host.run("push")
        first = (host.campaigns / "qwiket.yaml").read_text()
        host.edit("qwiket.yaml", "weight: 2", "weight: 3")
        host.run("push")

        result = host.run("rollback", "1")
        assert result.exit_code == 0
        assert "~ campaigns.qwiket-season.flights.qwiket-sports.weight: 3 -> 2" in result.stdout
        newest = host.store.history()[0]
        assert (newest.number, newest.author, newest.message) == (3, "kim", "back to revision 1")
        host.run("pull")
        assert (host.campaigns / "qwiket.yaml").read_text() == first

    def test_to_what_is_live_already_makes_no_revision(self, host: Host) -> None:
        host.run("push")
        result = host.run("rollback", "1", "--json")
        assert json.loads(result.stdout) == {
            "base": 1,
            "revision": 1,
            "plan": {"add": [], "change": [], "remove": [], "effects": []},
        }

    def test_only_shows_what_would_change(self, host: Host) -> None:
        host.run("push")
        host.edit("qwiket.yaml", "weight: 2", "weight: 3")
        host.run("push")
        assert json.loads(host.run("rollback", "1", "--dry-run", "--json").stdout)["revision"] is None
        assert host.revision() == 2

    @pytest.mark.parametrize(("number", "code"), [("7", 1), ("0", 2), ("x", 2)])
    def test_to_a_revision_that_is_none_says_so(self, host: Host, number: str, code: int) -> None:
        host.run("push")
        result = host.run("rollback", number)
        assert (result.exit_code, host.revision()) == (code, 1)
        assert code == 2 or "there is no revision 7; the live one is 1" in result.stderr


class TestSchema:
    @pytest.mark.parametrize(
        ("arguments", "file"), [([], "campaign"), (["campaigns"], "campaign"), (["slots"], "slots")]
    )
    def test_prints_what_stands_in_the_documents(self, host: Host, arguments: list[str], file: str) -> None:
        published = Path(__file__).parents[3] / "docs" / f"{file}.schema.json"
        assert host.run("schema", *arguments).stdout == published.read_text()
        assert json.loads(host.run("schema", *arguments, "--json").stdout) == json.loads(published.read_text())
