"""Turns refusals into what a terminal or a machine reads, and exit code 1."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from adserver.domain.errors import AdserverError, Fault, IdTaken, InputRefused


@contextmanager
def refusing(*, as_json: bool) -> Iterator[None]:
    """Print the faults of a refused input as `file:line:column: path: message`, or any other refusal, and exit 1."""
    try:
        yield
    except (InputRefused, IdTaken) as refused:
        show_faults(refused.faults, as_json=as_json)
        raise SystemExit(1) from refused
    except AdserverError as error:
        if as_json:
            click.echo(json.dumps({"error": str(error)}))
            raise SystemExit(1) from error
        raise click.ClickException(str(error)) from error


def show_faults(faults: Sequence[Fault], *, as_json: bool) -> None:
    """Print faults, one a line, and how many there are."""
    if as_json:
        click.echo(json.dumps({"errors": [fault_to_json(fault) for fault in faults]}))
        return
    for fault in faults:
        click.echo(str(fault))
    click.echo(f"{len(faults)} fault{'' if len(faults) == 1 else 's'}; nothing was published", err=True)


def fault_to_json(fault: Fault) -> dict[str, str | int | None]:
    """Return a fault for machines; file, sheet, line and column are null where there is none."""
    return {
        "file": fault.file,
        "sheet": fault.sheet,
        "line": fault.line,
        "column": fault.column,
        "path": fault.path,
        "message": fault.message,
    }
