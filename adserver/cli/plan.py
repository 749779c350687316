"""`adserver plan`: what publishing a campaigns folder would change."""

import json
import os
from pathlib import Path

import click

from adserver.catalog.publish import Published
from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.runtime.publishing import open_publisher

CHANGES_EXIT = 3
"""Told apart from 0 by scripts: there is something to push."""

_PATH = click.Path(exists=True, path_type=Path)


@click.command("plan")
@click.argument("path", metavar="[FOLDER|FILE]", required=False, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def plan_command(path: Path | None, *, as_json: bool) -> None:
    """Show what pushing FOLDER would change, the settings' folder where it is left out; nothing is published.

    Of a single FILE, a sheet for example, its campaigns would be added or replaced, and others stay.

    Exits 0 where nothing would change, 3 where something would, 1 on a fault.
    """
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        with reaching_store(settings):
            publisher = open_publisher(settings)
            publisher.live()  # no service: said before all that may be wrong with the folder
            documents, extent = publisher.read_files(path or settings.campaigns_dir)
            planned = publisher.publish(documents, extent=extent, author="plan", dry_run=True)
    if as_json:
        click.echo(json.dumps({"base": planned.base, "revision": None, "plan": planned.plan_json()}))
    else:
        show_plan(planned)
    if planned.plan:
        raise SystemExit(CHANGES_EXIT)


def show_plan(planned: Published) -> None:
    """Print a plan, one thing a line: `+` added, `~` changed, `-` removed, and `=` what that does to delivery."""
    plan = planned.plan
    against = f"revision {planned.base}" if planned.base else "nothing published yet"
    if not plan:
        click.echo(f"no changes against {against}")
        return
    for path in plan.add:
        click.secho(f"+ {path}", fg="green")
    for change in plan.change:
        click.secho(f"~ {change.path}: {_shown(change.before)} -> {_shown(change.after)}", fg="yellow")
    for path in plan.remove:
        click.secho(f"- {path}", fg="red")
    for effect in planned.effects:
        click.echo(f"= {effect.path} {effect.words}")
    click.echo(f"{len(plan)} change{'' if len(plan) == 1 else 's'} against {against}")


def _shown(value: object) -> str:
    return "(left out)" if value is None else json.dumps(value, ensure_ascii=False)
