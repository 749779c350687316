"""`adserver explain`: why a slot shows what it shows, flight by flight; or why one flight did not win on a day."""

import json
import os

import click
from rich.console import Console
from rich.table import Table

from adserver.cli.explained_reasons import tell_reasons
from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.domain.errors import ParameterRefused
from adserver.runtime.explaining import open_explainer
from adserver.web.explainer import Answer


@click.command("explain")
@click.option("--slot", metavar="SLOT", help="The slot that is asked for.")
@click.option("--location", metavar="PLACE", help="The place that the page is about, such as Remer,MN.")
@click.option("--topic", "topics", multiple=True, metavar="TOPIC", help="A topic of the page; repeat.")
@click.option("--variant", type=click.Choice(["auto", "name", "short", "long"]), help="The length asked for. [auto]")
@click.option("--max-chars", type=click.IntRange(1), metavar="N", help="The most characters that fit.")
@click.option("--exclude", multiple=True, metavar="WORD", help="An advertiser, category or label kept out; repeat.")
@click.option("--at", metavar="TIME", help="When, such as 2026-11-24T08:00:00-06:00. [now]")
@click.option("--token", metavar="TOKEN", help="Explain the decision that a token is of, instead.")
@click.option("--flight", metavar="FLIGHT", help="Say why this flight did not win on a day, from samples, instead.")
@click.option("--day", metavar="DAY", help="Which day, with --flight, such as 2026-11-24. [today]")
@click.option("--json", "as_json", is_flag=True, help="For machines: what the API answers.")
def explain_command(*, as_json: bool, flight: str | None, day: str | None, **asked: object) -> None:
    """Say of every flight why it wins a slot, or what stops it, by the rules that decide.

    Where chance decides, the winner is one draw of it; the odds say how often each wins. With --flight it says why that
    flight did not win on a day (in one slot with --slot, at one place with --location), from questions that pages
    really asked.
    """
    if flight is not None:
        if any(value for name, value in asked.items() if name not in {"slot", "location"}):
            raise click.UsageError("with --flight only --location, --slot, --day and --json are taken")
        tell_reasons(
            {"flight": flight, "day": day, "slot": _text(asked["slot"]), "location": _text(asked["location"])},
            as_json=as_json,
        )
        return
    if day is not None:
        raise click.UsageError("--day is taken with --flight; for a moment give --at")
    document = {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items() if value}
    if ("slot" in document) == ("token" in document):
        raise click.UsageError("give --slot, with what its page asks, or --token, or --flight")
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        with reaching_store(settings):
            try:
                answer = open_explainer(settings).answer(document)
            except ParameterRefused as error:
                raise click.UsageError(f"--{error}".replace("_", "-", 1)) from error
    if as_json:
        click.echo(json.dumps(answer.to_json(lambda _: True)))
    else:
        _print(Console(), answer)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _print(console: Console, answer: Answer) -> None:
    document = answer.to_json(lambda _: True)
    winner = document["winner"]
    place = document["place"] or "no known place"
    console.print(f"{document['slot']} at {place}, {document['at']}, revision {document['revision']}", highlight=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("FLIGHT", "TIER", "ODDS", "REASON", "IN WORDS"):
        table.add_column(heading, justify="right" if heading == "ODDS" else "left", overflow="fold")
    for account in sorted(answer.explanation.accounts, key=lambda one: (one.reason is not None, -one.odds)):
        odds = f"{float(account.odds):.1%}" if account.odds else "-"
        reason = account.reason.value if account.reason is not None else "won"
        table.add_row(account.flight.flight.id, account.flight.flight.tier.value, odds, reason, account.detail)
    console.print(table, highlight=False)
    if winner is None:
        console.print(f"no fill: {document['no_fill']}", highlight=False)
    for note in answer.notes:
        console.print(f"note: {note}", highlight=False)
