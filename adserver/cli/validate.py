"""`adserver validate`: every fault of a campaigns folder, with its line."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import click

from adserver.catalog.documents import Documents
from adserver.catalog.folder import check_file, check_folder
from adserver.catalog.notices import list_notices
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.places.gazetteer import Gazetteer

_PATH = click.Path(exists=True, path_type=Path)


def today() -> date:
    """Return the day in UTC, by which rules are old."""
    return datetime.now(UTC).date()


@click.command("validate")
@click.argument("path", metavar="[FOLDER|FILE]", required=False, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def validate_command(path: Path | None, *, as_json: bool) -> None:
    """Check the campaign files of FOLDER, the settings' folder where it is left out; nothing is published.

    A single FILE, a sheet for example, is checked against the slots and campaigns of the settings' folder.

    Prints every fault as file:line:column: path: message; exits 1 if there is one.
    """
    with refusing(as_json=as_json):
        documents = _check(path)
    notices = list_notices(documents, today()) if path is None or path.is_dir() else ()
    if as_json:
        shown = [{"file": one.file, "path": one.path, "message": one.message} for one in notices]
        click.echo(json.dumps({"errors": [], "notices": shown}))
        return
    for notice in notices:
        click.echo(f"note: {notice}")
    click.echo("no faults")


def _check(path: Path | None) -> Documents:
    if path is not None and path.is_dir():
        return check_folder(path, Gazetteer.load())
    folder = Settings.from_environ(os.environ).campaigns_dir
    return check_folder(folder, Gazetteer.load()) if path is None else check_file(path, folder, Gazetteer.load())
