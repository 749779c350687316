"""`adserver audit`: counts everything anew from what was recorded, and compares."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from adserver.cli.audit_rows import AuditWords, Json, notes
from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import refusing
from adserver.config import Settings
from adserver.keeping.audit import Progress as OnProgress
from adserver.keeping.audit_findings import Audit
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.auditing import open_auditor, open_names, open_repair

_MOST_SHOWN: Final = 50
_NUMBERS: Final = ("expected", "found")


@click.command("audit")
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--repair", is_flag=True, help="Count again what only the archive still has, then compare.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def audit_command(folders: tuple[Path, ...], *, repair: bool, as_json: bool) -> None:
    """Count everything anew from archives and spools, and compare with Redis, cell by cell.

    FOLDERS are the data folders, or copies, of the other hosts that count into the same Redis. Exits 1 where something
    differs. It may run beside the service, and changes nothing without --repair.
    """
    with refusing(as_json=as_json):
        settings = Settings.from_environ(os.environ)
        with reaching_store(settings), _progress() as on_progress:
            if repair:
                repaired = open_repair(settings, folders).run()
                click.echo(f"{repaired.filled_bytes:,} bytes of gaps were counted", err=True)
            audit = open_auditor(settings, folders, on_progress).run()
            words = AuditWords(open_names(settings), Gazetteer.load())
    if as_json:
        click.echo(json.dumps(words.to_json(audit)))
    else:
        _show(Console(), audit, words)
    if not audit.agrees:
        raise SystemExit(1)


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """Show a bar while it lasts; none where nobody looks."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("counting anew", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(console: Console, audit: Audit, words: AuditWords) -> None:
    for title, rows in (
        ("Cells", [words.difference(one) for one in audit.differences[:_MOST_SHOWN]]),
        ("Flights", [words.flight(one) for one in audit.flights[:_MOST_SHOWN]]),
    ):
        if rows:
            console.print(_table(title, rows))
    click.echo(f"{audit.records:,} records counted anew, {audit.cells:,} counts compared")
    for note in notes(audit):
        click.echo(note)
    if audit.agrees:
        click.echo("all agree")
    else:
        click.echo(f"{len(audit.differences)} cells and {len(audit.flights)} flights differ")


def _table(title: str, rows: list[Json]) -> Table:
    table = Table(title=title, title_justify="left")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    columns = [name for name in columns if name not in _NUMBERS] + [name for name in _NUMBERS if name in columns]
    for name in columns:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_shown(row.get(name, "")) for name in columns))
    return table


def _shown(value: object) -> str:
    if value is None:
        return "(any)"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
