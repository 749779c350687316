"""`adserver token`: make, list and revoke the tokens that people and programs show."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table

from adserver.access.office import MOST_DAYS, ListedToken, TokenOffice
from adserver.access.tokens import Role
from adserver.cli.operator import operator_name
from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.runtime.access import open_token_office
from adserver.runtime.clock import now_utc

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="For machines.")


@click.group("token")
def token_command() -> None:
    """Make, list and revoke tokens of the API and the console."""


@token_command.command("create")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do.")
@click.option(
    "--advertiser", "advertisers", multiple=True, metavar="ID", help="Only this one's things exist for it; repeat."
)
@click.option("--days", type=click.IntRange(1, MOST_DAYS), help="Expires after so many. [never]")
@_AS_JSON
def create_command(name: str, role: str, advertisers: tuple[str, ...], days: int | None, *, as_json: bool) -> None:
    """Make a token called NAME, and print it, this once: only its hash is kept."""
    with _office(as_json=as_json) as office:
        issued = office.make(name, Role(role), advertisers, days, by=operator_name("token"))
    if as_json:
        expires = issued.record.expires
        click.echo(
            json.dumps(
                {
                    "token": issued.token,
                    "name": name,
                    "role": role,
                    "advertisers": list(issued.record.advertisers),
                    "expires_at": None if expires is None else _second(expires),
                }
            )
        )
        return
    click.echo(issued.token)
    click.echo("it holds within a second; only its hash is kept, so nobody can show it again", err=True)


@token_command.command("list")
@_AS_JSON
def list_command(*, as_json: bool) -> None:
    """Show every token that was made, newest first: not the tokens themselves."""
    with _office(as_json=as_json) as office:
        listed, now = office.list(), now_utc()
    if as_json:
        click.echo(json.dumps({"tokens": [one.to_json(now) for one in listed]}))
    else:
        _show(listed, now)


@token_command.command("revoke")
@click.argument("name")
@_AS_JSON
def revoke_command(name: str, *, as_json: bool) -> None:
    """End the token called NAME (or of that id), everywhere, within a second."""
    with _office(as_json=as_json) as office:
        office.revoke(name, by=operator_name("token"))
    click.echo(json.dumps({"revoked": name}) if as_json else f"revoked {name}; it ends within a second")


@contextmanager
def _office(*, as_json: bool) -> Iterator[TokenOffice]:
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        with reaching_store(settings):
            yield open_token_office(settings)


def _show(listed: Sequence[ListedToken], now: datetime) -> None:
    if not listed:
        click.echo("no token was made yet; the admin token is none of these: adserver token create")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "role", "advertisers", "state", "made", "expires", "id"):
        table.add_column(heading, overflow="fold")
    for one in listed:
        shown = one.to_json(now)
        table.add_row(
            one.record.name,
            one.record.role.value,
            ", ".join(one.record.advertisers) or "all",
            one.state(now),
            f"{_day(shown['made_at'])} by {one.record.made_by}",
            _day(shown["expires_at"]) or "never",
            one.id,
        )
    Console().print(table)


def _day(text: object) -> str:
    return str(text)[:10] if text else ""


def _second(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
