"""The `adserver` command: one sub-command a file, thin over the services that `adserver.runtime` makes."""

from typing import Final

import click

from adserver.cli.lazy_group import LazyGroup

COMMANDS: Final = {
    "serve": "adserver.cli.serve:serve_command",
    "demo": "adserver.cli.serve:demo_command",
    "validate": "adserver.cli.validate:validate_command",
    "plan": "adserver.cli.plan:plan_command",
    "push": "adserver.cli.push:push_command",
    "pull": "adserver.cli.pull:pull_command",
    "rollback": "adserver.cli.rollback:rollback_command",
    "import": "adserver.cli.import_sheet:import_command",
    "schema": "adserver.cli.schema:schema_command",
    "stats": "adserver.cli.stats:stats_command",
    "preview": "adserver.cli.preview:preview_command",
    "explain": "adserver.cli.explain:explain_command",
    "forecast": "adserver.cli.forecast:forecast_command",
    "audit": "adserver.cli.audit:audit_command",
    "simulate": "adserver.cli.simulate:simulate_command",
    "token": "adserver.cli.token:token_command",
    "doctor": "adserver.cli.doctor:doctor_command",
    "check-page": "adserver.cli.check_page:check_page_command",
    "keeper": "adserver.cli.keeper:keeper_command",
    "backstage": "adserver.cli.backstage:backstage_command",
    "watch": "adserver.cli.watch:watch_command",
}
"""Where each command is, in the order of docs/commands.md."""


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adserver")
def main() -> None:
    """Sponsor lines for news pages: choose, show, count, prove."""


if __name__ == "__main__":
    main()
