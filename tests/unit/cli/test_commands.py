"""`adserver validate`, `plan` and `push` on a real folder and a real Redis: what they print, and how they exit."""

import json
import shutil
from pathlib import Path

import click
import pytest
from catalog_bench import Bench, campaign, campaign_file
from click.testing import CliRunner
from command_host import Host

from adserver.catalog.merging import Extent
from adserver.catalog.publish import Published, Publisher
from adserver.cli import push as push_module
from adserver.cli.backing import publish_first
from adserver.cli.main import COMMANDS, main
from adserver.config import Settings
from adserver.runtime.publishing import open_publisher

pytestmark = pytest.mark.processes


def commands() -> list[str]:
    return sorted(COMMANDS)


class TestHelp:
    def test_lists_what_people_call_and_nothing_that_only_the_service_does(self) -> None:
        listed = CliRunner().invoke(main, ["--help"]).stdout
        assert {"validate", "plan", "push", "serve", "stats"} <= set(listed.split())
        assert not {"keeper", "watch", "backstage"} & {line.split()[0] for line in listed.splitlines() if line.strip()}

    def test_says_of_each_command_in_a_whole_sentence_what_it_does(self) -> None:
        text = " ".join(CliRunner().invoke(main, ["--help"]).stdout.split())
        assert "..." not in text.partition("Commands:")[2]
        assert "rollback Publish again what REVISION said, as a new revision; the history goes on." in text

    @pytest.mark.parametrize("command", commands())
    @pytest.mark.parametrize("option", ["--help", "-h"])
    def test_of_every_command_says_what_it_does_and_what_each_option_is(self, command: str, option: str) -> None:
        result = CliRunner().invoke(main, [command, option])
        assert result.exit_code == 0
        found = main.get_command(click.Context(main), command)
        assert found is not None
        assert found.name == command
        assert found.help
        assert found.help.split("\n")[0].split()[0] in result.stdout
        options = [one for one in found.params if isinstance(one, click.Option)]
        assert [one.name for one in options if not one.help] == []
        assert all(one.opts[0] in result.stdout for one in options)


class TestUsage:
    @pytest.mark.parametrize("command", ["validate", "plan", "push"])
    @pytest.mark.parametrize("arguments", [["nowhere"], ["--colour"], [".", "."]])
    def test_that_is_wrong_exits_2(self, host: Host, command: str, arguments: list[str]) -> None:
        result = host.run(command, *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"Usage: main {command}" in result.stderr

    @pytest.mark.parametrize("command", ["validate", "plan", "push"])
    def test_a_wrong_setting_exits_1_with_its_name(self, host: Host, command: str) -> None:
        result = host.run(command, ADSERVER_WORKERS="many")
        assert result.exit_code == 1
        assert "ADSERVER_WORKERS" in result.stderr


class TestValidate:
    def test_of_a_folder_without_faults_exits_0(self, host: Host) -> None:
        result = host.run("validate")
        assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "no faults")
        assert host.run("validate", str(host.campaigns)).stdout == result.stdout

    def test_prints_every_fault_of_every_file_with_its_line_and_exits_1(self, host: Host) -> None:
        host.edit("qwiket.yaml", "slots: [masthead]", "slots: [masthaed]")
        host.edit("house.yaml", "tier: house", "tier: hose")
        result = host.run("validate")
        assert result.exit_code == 1
        [hose, *_] = [line for line in result.stdout.splitlines() if "hose" in line]
        assert hose.startswith(f"{host.campaigns}/house.yaml:{host.line_of('house.yaml', 'hose')}:")
        assert "campaigns[0].flights[0].tier: must be one of sponsorship, standard, house" in hose
        assert result.stderr.endswith("nothing was published\n")

    def test_finds_what_only_the_whole_can_tell(self, host: Host) -> None:
        host.edit("qwiket.yaml", "slots: [masthead]", "slots: [masthaed]")
        result = host.run("validate")
        [line] = result.stdout.splitlines()
        number = host.line_of("qwiket.yaml", "masthaed")
        assert line.startswith(f"{host.campaigns}/qwiket.yaml:{number}:")
        assert "campaigns[0].flights[0].slots[0]" in line
        assert (result.exit_code, result.stderr) == (1, "1 fault; nothing was published\n")

    def test_as_json_has_errors_and_notices(self, host: Host) -> None:
        result = host.run("validate", "--json")
        told = json.loads(result.stdout)
        assert (result.exit_code, set(told), told["errors"]) == (0, {"errors", "notices"}, [])
        assert all(set(notice) == {"file", "path", "message"} for notice in told["notices"])

        host.edit("house.yaml", "tier: house", "tier: hose")
        result = host.run("validate", "--json")
        [error] = json.loads(result.stdout)["errors"]
        assert result.exit_code == 1
        assert set(error) == {"file", "sheet", "line", "column", "path", "message"}
        assert (error["file"], error["path"]) == (f"{host.campaigns}/house.yaml", "campaigns[0].flights[0].tier")
        assert error["line"] == host.line_of("house.yaml", "hose")

    def test_of_fields_that_only_the_api_writes_is_refused(self, host: Host) -> None:
        with (host.campaigns / "qwiket.yaml").open("a") as file:
            file.write("revision: 7\n")
        result = host.run("validate")
        assert result.exit_code == 1
        assert "revision: unknown field" in result.stdout

    def test_needs_no_redis(self, host: Host) -> None:
        assert host.run("validate", ADSERVER_REDIS_URL="unix:///nowhere.sock").exit_code == 0


class TestPlan:
    def test_before_anything_is_published_adds_all_and_exits_3(self, host: Host) -> None:
        result = host.run("plan")
        assert result.exit_code == 3
        lines = result.stdout.splitlines()
        assert "+ campaigns.qwiket-season" in lines
        effects = [line for line in lines if line.startswith("= ")]
        assert any(line.startswith("= campaigns.qwiket-season") and "begins at once" in line for line in effects)
        assert lines[-1] == f"{len(lines) - len(effects) - 1} changes against nothing published yet"
        assert host.revision() == 0

    def test_of_what_is_live_exits_0(self, host: Host) -> None:
        host.run("push")
        result = host.run("plan")
        assert (result.exit_code, result.stdout) == (0, "no changes against revision 1\n")

    def test_says_what_is_added_changed_and_removed(self, host: Host, tmp_path: Path) -> None:
        host.run("push")
        host.edit("qwiket.yaml", "name: QWIKET fantasy season", "name: Another season")
        (host.campaigns / "red-river-clinic.yaml").unlink()
        shutil.copytree(host.campaigns, tmp_path / "other")
        (tmp_path / "other" / "bank.json").write_text(json.dumps(campaign_file(campaign("loan"), advertiser="bank")))
        result = host.run("plan", str(tmp_path / "other"))
        assert result.exit_code == 3
        lines = result.stdout.splitlines()
        assert '~ campaigns.qwiket-season.name: "QWIKET fantasy season" -> "Another season"' in lines
        assert "+ campaigns.loan" in lines
        assert any(line.startswith("- campaigns.") for line in lines)
        effects = [line for line in lines if line.startswith("= ")]
        assert "= campaigns.loan.flights.loan-flight begins at once" in effects
        assert lines[-1] == f"{len(lines) - len(effects) - 1} changes against revision 1"
        assert host.revision() == 1

    def test_as_json_has_base_no_revision_and_the_plan(self, host: Host) -> None:
        host.run("push")
        assert json.loads(host.run("plan", "--json").stdout) == {
            "base": 1,
            "revision": None,
            "plan": {"add": [], "change": [], "remove": [], "effects": []},
        }
        host.edit("qwiket.yaml", "weight: 2", "weight: 3")
        result = host.run("plan", "--json")
        assert result.exit_code == 3
        told = json.loads(result.stdout)
        [change] = told["plan"]["change"]
        assert (told["base"], change["from"], change["to"]) == (1, 2, 3)

    def test_with_faults_exits_1(self, host: Host) -> None:
        host.edit("house.yaml", "tier: house", "tier: hose")
        assert host.run("plan").exit_code == 1
        assert [error["path"] for error in json.loads(host.run("plan", "--json").stdout)["errors"]] == [
            "campaigns[0].flights[0].tier"
        ]


class TestPush:
    def test_publishes_and_shows_what_changed(self, host: Host) -> None:
        result = host.run("push", "--message", " the season ")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-1] == "published as revision 1"
        assert "+ campaigns.qwiket-season" in result.stdout
        [entry] = host.store.history()
        assert (entry.number, entry.author, entry.message) == (1, "kim", "the season")

    def test_removes_what_the_folder_lacks(self, host: Host) -> None:
        host.run("push")
        (host.campaigns / "red-river-clinic.yaml").unlink()
        result = host.run("push")
        assert result.stdout.splitlines()[-1] == "published as revision 2"
        assert [path for path in host.store.history()[0].plan.remove if path.startswith("campaigns.")]

    def test_without_a_change_keeps_the_revision(self, host: Host) -> None:
        host.run("push")
        result = host.run("push")
        assert (result.exit_code, result.stdout) == (0, "no changes against revision 1\n")
        assert host.revision() == 1

    def test_as_json_has_base_revision_and_the_plan(self, host: Host) -> None:
        told = json.loads(host.run("push", "--json").stdout)
        assert (told["base"], told["revision"], set(told["plan"])) == (0, 1, {"add", "change", "remove", "effects"})
        assert "campaigns.qwiket-season" in told["plan"]["add"]
        assert json.loads(host.run("push", "--json").stdout)["revision"] == 1

    def test_with_faults_publishes_nothing_and_exits_1(self, host: Host) -> None:
        host.edit("qwiket.yaml", "slots: [masthead]", "slots: [masthaed]")
        result = host.run("push", "--json")
        assert result.exit_code == 1
        [error] = json.loads(result.stdout)["errors"]
        assert error["line"] == host.line_of("qwiket.yaml", "masthaed")
        assert host.revision() == 0

    @pytest.mark.parametrize(
        "message", ["a" * 501, "two\nlines", "bell\a", "\u202eturned"], ids=["long", "lines", "control", "direction"]
    )
    def test_a_message_that_the_api_would_not_take_exits_2_and_publishes_nothing(
        self, host: Host, message: str
    ) -> None:
        result = host.run("push", "-m", message)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "--message" in result.stderr
        assert host.revision() == 0

    def test_someone_who_published_in_between_is_not_overwritten(
        self, host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        host.run("push")
        host.edit("qwiket.yaml", "weight: 2", "weight: 3")
        monkeypatch.setattr(push_module, "open_publisher", lambda settings: Overtaken(open_publisher(settings), host))
        result = host.run("push")
        assert result.exit_code == 1
        assert "the live revision is 2, not 1" in result.stderr
        assert host.revision() == 2
        assert host.store.history()[0].author == "api"

    def test_over_a_copy_that_cannot_be_read_publishes_nothing_and_says_what_to_do(self, host: Host) -> None:
        host.run("push")
        host.data_dir.mkdir()
        bench = Bench()
        bench.push(campaign_file(campaign("served")))
        bench.mirror(host.data_dir).step(bench.now)
        (host.data_dir / "revision.json").write_bytes(b"torn")
        assert host.run("push").exit_code == 0  # Redis has what was served

        host.environ["ADSERVER_REDIS_URL"] = f"{host.environ['ADSERVER_REDIS_URL']}?db=1"
        result = host.run("push")
        assert result.exit_code == 1
        assert "move it away and run: adserver push" in result.stderr
        (host.data_dir / "revision.json").unlink()
        assert host.run("push").stdout.splitlines()[-1] == "published as revision 2"


class TestTheFirstStart:
    def test_over_a_copy_that_cannot_be_read_says_so_and_lets_the_service_go_on(self, host: Host) -> None:
        host.data_dir.mkdir()
        (host.data_dir / "revision.json").write_bytes(b"torn")
        said: list[str] = []
        environ = {name: value for name, value in host.environ.items() if value is not None}
        publish_first(Settings.from_environ(environ), said.append, watch=False)
        [line] = said
        assert line.startswith("nothing new is published: ")
        assert "revision.json" in line
        assert host.revision() == 0

    def test_publishes_the_folder(self, host: Host) -> None:
        said: list[str] = []
        environ = {name: value for name, value in host.environ.items() if value is not None}
        for _ in range(2):
            publish_first(Settings.from_environ(environ), said.append, watch=False)
        assert said == [f"{host.campaigns}/ is published as revision 1"]


class Overtaken:
    """A publisher before whose every publishing somebody else publishes. For one thread."""

    def __init__(self, inner: Publisher, host: Host) -> None:
        self._inner = inner
        self._host = host
        self.read_files = inner.read_files
        self.live = inner.live

    def publish(
        self,
        upload: object,
        *,
        extent: Extent,
        author: str,
        message: str = "",
        base: int | None = None,
        dry_run: bool = False,
    ) -> Published:
        documents = self._inner.read_folder(self._host.campaigns)
        if not dry_run:
            live = self._inner.live().documents
            files = {**live.campaign_files, "bank.yaml": campaign_file(campaign("loan"), advertiser="bank")}
            theirs = type(live)(files, live.slots)  # type: ignore[arg-type]
            self._inner.publish(theirs, extent=Extent.FOLDER, author="api")
        return self._inner.publish(documents, extent=extent, author=author, message=message, base=base, dry_run=dry_run)


class TestRedisAway:
    @pytest.mark.parametrize("command", ["plan", "push"])
    def test_exits_1_in_words(self, host: Host, command: str) -> None:
        away = "unix:///nowhere.sock"
        result = host.run(command, ADSERVER_REDIS_URL=away)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "the catalog store does not answer" in result.stderr
        told = json.loads(host.run(command, "--json", ADSERVER_REDIS_URL=away).stdout)
        assert "does not answer" in told["error"]
