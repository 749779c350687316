"""`adserver simulate`: what becomes of the goals of a campaigns folder, in simulated time."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from adserver.catalog.build import build_catalog
from adserver.catalog.folder import check_folder
from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.cli.simulated_picture import draw_results
from adserver.cli.simulated_traffic import Traffic, made_traffic, recorded_traffic
from adserver.config import Settings
from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.paced import paced_flight
from adserver.decision.pacing import PERIOD_SECONDS
from adserver.decision.simulation import DAY_SECONDS, FlightResult, World, simulate
from adserver.decision.snapshot import Snapshot
from adserver.domain.errors import Fault, InputRefused
from adserver.domain.places import Place
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.clock import now_utc
from adserver.runtime.pacing import read_past

_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_SHORT_DAYS: Final = 2
_SHORT_STEP_SECONDS: Final = 5.0


@click.command("simulate")
@click.argument("folder", required=False, type=_FOLDER)
@click.option("--flight", "only", multiple=True, metavar="ID", help="Only this one; repeat. [all that have a goal]")
@click.option(
    "--from", "first", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The first day. [the first flight's]"
)
@click.option("--days", type=click.FloatRange(0, min_open=True), help="How many. [until the last flight ends, or 30]")
@click.option("--traffic", type=click.IntRange(1), default=20_000, show_default=True, help="Decisions a day, made.")
@click.option("--recorded", is_flag=True, help="The traffic of the last four weeks instead, from a running service.")
@click.option("--change", type=click.FloatRange(0), default=1.0, help="From the middle on, so many times as many. [1]")
@click.option("--seen", type=click.FloatRange(0.01, 1), default=0.6, show_default=True, help="How many fills are seen.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same one gives the same outcome.")
@click.option("--svg", type=_FILE, help="Draw delivery against plan into this file.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def simulate_command(  # noqa: PLR0913, PLR0917 - one an option
    folder: Path | None,
    only: tuple[str, ...],
    first: datetime | None,
    days: float | None,
    traffic: int,
    change: float,
    seen: float,
    seed: int,
    svg: Path | None,
    *,
    recorded: bool,
    as_json: bool,
) -> None:
    """Run the goals of FOLDER, the settings' folder where it is left out, through days of readers.

    Chooses and paces by the code that serves pages. Nothing is published or counted.
    """
    with refusing(as_json=as_json):
        settings, gazetteer = Settings.from_environ(os.environ), Gazetteer.load()
        catalog = build_catalog(check_folder(folder or settings.campaigns_dir, gazetteer), gazetteer)
        snapshot = Snapshot.build(catalog, 1)
        chosen = _chosen(snapshot, only)
        places = _places(chosen, gazetteer)
        if recorded:
            with reaching_store(settings):
                readers = recorded_traffic(snapshot, read_past(settings), gazetteer)
        else:
            readers = made_traffic(snapshot, traffic, places)
        world = _world(snapshot, chosen, readers, first, days, change, seen, seed)
        with _progress() as progress:
            results = simulate(world, seed, progress)
    if svg is not None:
        svg.write_text(draw_results(results), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"seed": seed, "flights": [_to_json(result) for result in results]}))
    else:
        _show(results)


def _chosen(snapshot: Snapshot, only: tuple[str, ...]) -> list[CompiledFlight]:
    sold = [each for each in snapshot.counted_flights() if each.flight.goal is not None and not each.paused]
    chosen = [each for each in sold if not only or each.flight.id in only]
    if missing := set(only) - {each.flight.id for each in chosen}:
        raise InputRefused((Fault("", f"no flight with a goal is called {', '.join(sorted(missing))}"),))
    if not chosen:
        raise InputRefused((Fault("", "no flight has a goal, so there is nothing to simulate; give one a `goal`"),))
    return chosen


def _places(chosen: Sequence[CompiledFlight], gazetteer: Gazetteer) -> list[Place | None]:
    """Return what made pages are about: every place that a flight is sold for, and none."""
    named = {place for each in chosen for place in each.flight.targeting.places}
    named |= {circle.centre for each in chosen for circle in each.flight.targeting.near}
    found = (gazetteer.get(place) for place in sorted(named))
    return [None, *(place for place in found if place is not None)]


def _world(
    snapshot: Snapshot,
    chosen: list[CompiledFlight],
    traffic: Traffic,
    first: datetime | None,
    days: float | None,
    change: float,
    seen: float,
    seed: int,
) -> World:
    flights = [paced_flight(each, traffic.curve, now_utc()) for each in chosen]
    starts = first.replace(tzinfo=UTC).timestamp() if first else min(flight.starts for flight in flights)
    latest = max((flight.ends for flight in flights if flight.ends), default=starts + 30 * DAY_SECONDS)
    ends = starts + days * DAY_SECONDS if days else latest
    if ends <= starts:
        raise InputRefused((Fault("", "all flights are over by then; choose an earlier --from"),))
    return World(
        snapshot=snapshot,
        flights=flights,
        ask=traffic.asker(),
        readers=traffic.readers(seed, change, (starts + ends) / 2),
        starts=starts,
        ends=ends,
        seen_part=seen,
        step_seconds=_SHORT_STEP_SECONDS if ends - starts <= _SHORT_DAYS * DAY_SECONDS else PERIOD_SECONDS,
    )


def _to_json(result: FlightResult) -> dict[str, object]:
    flight = result.flight
    return {
        "flight": flight.id,
        "goal": flight.goal,
        "pacing": flight.pacing,
        "delivered": result.delivered,
        "missing": result.missing,
        "over": result.over,
        "fills": result.fills,
        "days": [
            {
                "until": datetime.fromtimestamp(second, UTC).isoformat(),
                "delivered": delivered,
                "planned": round(flight.planned(second) * (flight.goal or 0)),
            }
            for second, delivered in result.days
        ],
        "furthest_from_plan": round(_furthest(result), 5),
    }


def _furthest(result: FlightResult) -> float:
    return max(abs(deviation) for _, deviation in result.deviations())


def _show(results: tuple[FlightResult, ...]) -> None:
    table = Table("flight", "pacing", box=None)
    for heading in ("goal", "delivered", "missing", "over", "fills", "furthest from plan"):
        table.add_column(heading, justify="right")
    for result in results:
        numbers = (result.flight.goal or 0, result.delivered, result.missing, result.over, result.fills)
        furthest = f"{_furthest(result):.2%}"
        table.add_row(result.flight.id, result.flight.pacing, *(f"{number:,}" for number in numbers), furthest)
    Console().print(table)


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("simulating", total=1.0)
        yield lambda done: bar.update(task, completed=done)
