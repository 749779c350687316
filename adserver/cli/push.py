"""`adserver push`: publish a campaigns folder."""

import json
import os
from pathlib import Path

import click

from adserver.cli.message import message_option
from adserver.cli.operator import operator_name
from adserver.cli.plan import show_plan
from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.runtime.publishing import open_publisher

_PATH = click.Path(exists=True, path_type=Path)


@click.command("push")
@click.argument("path", metavar="[FOLDER|FILE]", required=False, type=_PATH)
@message_option
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def push_command(path: Path | None, message: str, *, as_json: bool) -> None:
    """Publish FOLDER, the settings' folder where it is left out, and remove what it lacks; whole, or not at all.

    Of a single FILE, a sheet for example, its campaigns are added or replaced, and others stay.

    Shows the plan, then applies exactly that; exits 1 where someone else published in between.
    """
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        with reaching_store(settings):
            publisher, author = open_publisher(settings), operator_name("push")
            publisher.live()  # no service: said before all that may be wrong with the folder
            documents, extent = publisher.read_files(path or settings.campaigns_dir)
            planned = publisher.publish(documents, extent=extent, author=author, dry_run=True)
            if not as_json:
                show_plan(planned)
            published = publisher.publish(documents, extent=extent, author=author, message=message, base=planned.base)
    if as_json:
        outcome = {"base": published.base, "revision": published.revision, "plan": published.plan_json()}
        click.echo(json.dumps(outcome))
    elif published.revision != published.base:
        click.echo(f"published as revision {published.revision}")
