"""`adserver import`: make campaign files of a sheet, or give out an empty one to fill."""

import json
import os
from pathlib import Path

import click

from adserver.catalog.documents import Documents
from adserver.catalog.folder import check_file, read_folder, read_texts
from adserver.catalog.importing import NotImported, is_sheet, plan_import, refuse_own_sheet, refuse_to_overwrite
from adserver.catalog.pulling import Pull, write_files
from adserver.catalog.sheet_template import template
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.places.gazetteer import Gazetteer

_SHEET = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("import")
@click.argument("sheet", type=_SHEET)
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--overwrite", is_flag=True, help="Change files that are there; they are kept in FOLDER/.before-pull.")
@click.option("--dry-run", is_flag=True, help="Only say which files would be written.")
@click.option("--template", "is_template", is_flag=True, help="Write a sheet to fill into SHEET instead.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def import_command(
    sheet: Path, folder: Path | None, *, overwrite: bool, dry_run: bool, is_template: bool, as_json: bool
) -> None:
    """Write campaign files into FOLDER, the settings' folder where it is left out, from SHEET (.csv or .xlsx).

    They say what the sheet says: pushing either makes the same plan. A campaign that the folder has already is changed
    in its file, only with --overwrite. Nothing is published.
    """
    with refusing(as_json=as_json):
        if not is_sheet(sheet):
            raise NotImported(f"{sheet} is no sheet: its name must end with .csv or .xlsx")
        if is_template:
            _write_template(sheet, overwrite=overwrite)
            written, removed = [str(sheet)], []
        else:
            path = folder or Settings.from_environ(os.environ).campaigns_dir
            pull = _plan(sheet, path, overwrite=overwrite)
            if not dry_run:
                write_files(path, pull)
            written = sorted(str(path / name) for name in pull.write)
            removed = [str(path / name) for name in pull.remove]
    if as_json:
        click.echo(json.dumps({"written": written, "removed": removed}))
        return
    for name in written:
        click.secho(f"> {name}", fg="green")
    for name in removed:
        click.secho(f"- {name}", fg="red")
    if not written:
        click.echo("the folder says already what the sheet says")
    elif dry_run and not is_template:
        click.echo("nothing was written")


def _plan(sheet: Path, folder: Path, *, overwrite: bool) -> Pull:
    if not sheet.exists():
        raise NotImported(f"there is no {sheet}")
    refuse_own_sheet(sheet, folder)
    documents = check_file(sheet, folder, Gazetteer.load())
    there = folder.is_dir()
    texts = read_texts(folder) if there else {}
    pull = plan_import(documents, read_folder(folder) if there else Documents(), texts)
    if not overwrite:
        refuse_to_overwrite(pull, texts)
    return pull


def _write_template(sheet: Path, *, overwrite: bool) -> None:
    try:
        with sheet.open("wb" if overwrite else "xb") as file:
            file.write(template(sheet.suffix))
    except FileExistsError as error:
        raise NotImported(f"{sheet} is there already; --overwrite replaces it") from error
    except OSError as error:
        raise NotImported(f"{sheet} cannot be written: {error.strerror}") from error
