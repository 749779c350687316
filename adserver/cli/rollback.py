"""`adserver rollback`: make an earlier revision live again."""

import json
import os

import click

from adserver.catalog.merging import Extent
from adserver.cli.message import message_option
from adserver.cli.operator import operator_name
from adserver.cli.plan import show_plan
from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.domain.errors import AdserverError
from adserver.runtime.publishing import open_publisher


class NoSuchRevision(AdserverError):
    """There is no revision of that number."""


@click.command("rollback")
@click.argument("number", metavar="REVISION", type=click.IntRange(min=1))
@message_option
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def rollback_command(number: int, message: str, *, dry_run: bool, as_json: bool) -> None:
    """Publish again what REVISION said, as a new revision; the history goes on.

    Shows what changes, then applies exactly that; exits 1 where someone else published in between. The campaigns
    folder is left alone: `adserver pull` brings it to what is live.
    """
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        with reaching_store(settings):
            publisher, author = open_publisher(settings), operator_name("rollback")
            live = publisher.live()
            revision = publisher.revision(number)
            if revision is None:
                raise NoSuchRevision(f"there is no revision {number}; the live one is {live.revision}")
            documents, why = revision.documents, message or f"back to revision {number}"
            planned = publisher.publish(documents, extent=Extent.FOLDER, author=author, dry_run=True)
            if not as_json:
                show_plan(planned)
            if not dry_run:
                planned = publisher.publish(
                    documents, extent=Extent.FOLDER, author=author, message=why, base=planned.base
                )
    if as_json:
        shown = {"base": planned.base, "revision": planned.revision, "plan": planned.plan_json()}
        click.echo(json.dumps(shown))
    elif planned.revision not in (None, planned.base):
        click.echo(f"published as revision {planned.revision}; adserver pull brings the campaigns folder to it")
