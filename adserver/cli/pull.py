"""`adserver pull`: write what is live into a campaigns folder."""

import json
import os
from pathlib import Path

import click

from adserver.catalog.documents import Documents
from adserver.catalog.folder import read_folder, read_texts
from adserver.catalog.pulling import KEPT_FOLDER, Pull, plan_pull, write_files
from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.domain.errors import AdserverError
from adserver.runtime.publishing import open_publisher

_FOLDER = click.Path(file_okay=False, path_type=Path)


class NothingToPull(AdserverError):
    """Nothing was ever published."""


@click.command("pull")
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--dry-run", is_flag=True, help="Only say which files would be written.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def pull_command(folder: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """Write what is live into FOLDER, the settings' folder where it is left out; pushing it then changes nothing.

    Comments and order of the files stay. What is changed or taken away stands in FOLDER/.before-pull as it was.
    """
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        path = folder or settings.campaigns_dir
        with reaching_store(settings):
            live = open_publisher(settings).live()
        if not live.revision:
            raise NothingToPull("nothing is published yet, so there is nothing to pull: adserver push")
        there = path.is_dir()
        pull = plan_pull(live.documents, read_folder(path) if there else Documents(), read_texts(path) if there else {})
        if not dry_run:
            write_files(path, pull)
    if as_json:
        shown = {"revision": live.revision, "written": sorted(pull.write), "removed": list(pull.remove)}
        click.echo(json.dumps(shown))
    else:
        _show(path, pull, live.revision, dry_run=dry_run)


def _show(folder: Path, pull: Pull, revision: int, *, dry_run: bool) -> None:
    for name in sorted(pull.write):
        click.secho(f"> {folder / name}", fg="green")
    for name in pull.remove:
        click.secho(f"- {folder / name}", fg="red")
    if not pull:
        click.echo(f"{folder}/ says what revision {revision} says")
    elif dry_run:
        click.echo(f"nothing was written; without --dry-run {folder}/ would say what revision {revision} says")
    else:
        click.echo(f"{folder}/ says what revision {revision} says; what it said before is in {folder / KEPT_FOLDER}/")
