"""`adserver validate`: every fault of a campaigns folder, with its line."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import click

from adserver.catalog.folder import check_folder
from adserver.catalog.notices import list_notices
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.places.gazetteer import Gazetteer

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def today() -> date:
    """Return the day in UTC, by which rules are old."""
    return datetime.now(UTC).date()


@click.command("validate")
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def validate_command(folder: Path | None, *, as_json: bool) -> None:
    """Check the campaign files of FOLDER, the settings' folder where it is left out; nothing is published.

    Prints every fault as file:line:column: path: message; exits 1 if there is one.
    """
    with refusing(as_json=as_json):
        documents = check_folder(folder or Settings.from_environ(os.environ).campaigns_dir, Gazetteer.load())
    notices = list_notices(documents, today())
    if as_json:
        shown = [{"file": one.file, "path": one.path, "message": one.message} for one in notices]
        click.echo(json.dumps({"errors": [], "notices": shown}))
        return
    for notice in notices:
        click.echo(f"note: {notice}")
    click.echo("no faults")
