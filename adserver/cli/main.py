"""The `adserver` command: one sub-command a file, thin over the services that `adserver.runtime` makes."""

import click

from adserver.cli.backstage import backstage_command
from adserver.cli.doctor import doctor_command
from adserver.cli.keeper import keeper_command
from adserver.cli.plan import plan_command
from adserver.cli.push import push_command
from adserver.cli.serve import demo_command, serve_command
from adserver.cli.stats import stats_command
from adserver.cli.validate import validate_command
from adserver.cli.watch import watch_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adserver")
def main() -> None:
    """Sponsor lines for news pages: choose, show, count, prove."""


for command in (
    serve_command,
    demo_command,
    validate_command,
    plan_command,
    push_command,
    stats_command,
    doctor_command,
    keeper_command,
    backstage_command,
    watch_command,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
