"""`adserver explain --flight`: why a flight did not win on a day, in words."""

import json
import os

import click
from rich.console import Console
from rich.table import Table

from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.domain.errors import NotLive, ParameterRefused
from adserver.runtime.explaining import open_reason_teller
from adserver.statistics.reason_words import WORDS
from adserver.statistics.reasons import FlightReasons, Found
from adserver.web.reasons import read_asked, to_document


def tell_reasons(given: dict[str, str | None], *, as_json: bool) -> None:
    """Print what became of a flight; `given` as the API takes it."""
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        with reaching_store(settings):
            try:
                teller = open_reason_teller(settings)
                told = teller.tell(read_asked(given, teller.places))
            except ParameterRefused as error:
                raise click.UsageError(f"--{error}") from error
        if told is None:
            raise NotLive(f"no flight {given['flight']} is live; adserver plan shows what is")
    if as_json:
        click.echo(json.dumps(to_document(told)))
    else:
        _print(Console(), told)


def _print(console: Console, told: FlightReasons) -> None:
    place = told.asked.place.name if told.asked.place is not None else "all places"
    slot = told.asked.slot or "all its slots"
    total = told.total
    head = f"{told.flight.flight.id} in {place}, {slot}, on {told.day}"
    if not total.looks:
        console.print(f"{head}: nothing was found", highlight=False)
    else:
        won = sum(each.looks.questions for each in told.found if each.reason is None)
        looked = f"{total.looks:,} looked at" if told.one_in == 1 else f"1 in {told.one_in:,} was looked at"
        console.print(
            f"{head}: won {won / total.questions:.0%} of about {total.questions:,} questions ({looked})",
            highlight=False,
        )
        console.print(_table(told.found, total.questions), highlight=False)
    stopped = [each for each in told.everywhere if each.reason is not None]
    if stopped:
        console.print("and before its place was looked at, of all places:", highlight=False)
        console.print(_table(stopped, None), highlight=False)
    for note in told.notes:
        console.print(f"note: {note}", highlight=False)


def _table(found: "tuple[Found, ...] | list[Found]", whole: int | None) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for justify in ("right", "left", "left"):
        table.add_column(justify=justify, overflow="fold")
    for each in found:
        count = each.looks.questions
        share = f"{count:,}" if whole is None else f"{count / whole:.1%}"
        reason = "won" if each.reason is None else each.reason.value
        table.add_row(share, reason, "" if each.reason is None else WORDS[each.reason])
    return table
