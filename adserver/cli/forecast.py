"""`adserver forecast`: what a draft would get, and what it would take from others."""

import json
import os
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from adserver.catalog.folder import FORMATS
from adserver.catalog.upload import Format, read_campaigns
from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.runtime.forecasting import open_forecaster
from adserver.web.forecaster import SEED, Forecast


@click.command("forecast")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seed", type=click.IntRange(0, 999_999_999), default=SEED, show_default=True, help="Of its chance.")
@click.option("--json", "as_json", is_flag=True, help="For machines: what POST /v1/forecast answers.")
def forecast_command(file: Path, seed: int, *, as_json: bool) -> None:
    """Say what the flights of a campaign file would get, were it published now; publishes nothing.

    The traffic of the past weeks is asked again of the code that decides, with the draft and without it.
    """
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        draft = read_campaigns(file.read_bytes(), FORMATS.get(file.suffix, Format.YAML))
        with reaching_store(settings):
            found = open_forecaster(settings).forecast(draft, seed)
    if as_json:
        click.echo(json.dumps(found.to_json(lambda _: True)))
    else:
        _print(Console(), found)


def _print(console: Console, found: Forecast) -> None:
    hours = found.traffic.hours
    past = f"{len(hours):,} hours of {min(hours):%Y-%m-%d} to {max(hours):%Y-%m-%d}" if hours else "nothing asked yet"
    console.print(
        f"from {found.traffic.decisions:,} decisions in {past}; {found.traffic.seen:.0%} seen", highlight=False
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("FLIGHT", "UNTIL", "MATCHING", "LIKELY", "BETWEEN", "GOAL", "TAKES FROM"):
        table.add_column(heading, justify="left" if heading in ("FLIGHT", "TAKES FROM") else "right", overflow="fold")
    for each in found.outlooks:
        takes = sorted(each.takes_from.items(), key=lambda one: -one[1])
        named = ", ".join(f"{flight or '(empty)'} {round(count):,}" for flight, count in takes[:5])
        table.add_row(
            each.flight.flight.id,
            f"{each.ends:%Y-%m-%d}",
            f"{round(each.matching):,}",
            f"{round(each.impressions):,}",
            f"{round(each.low):,}-{round(each.high):,}",
            "-" if each.flight.goal is None else f"{each.flight.goal:,}",
            named or "-",
        )
    console.print(table, highlight=False)
