"""Why something is published, as it is given at the command line."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from adserver.catalog.texts import TextRefused, clean_message

_F = TypeVar("_F", bound=Callable[..., Any])


def message_option(command: _F) -> _F:
    """Give a command the option `--message`."""
    option = click.option(
        "--message", "-m", default="", metavar="TEXT", callback=_cleaned, help="Why; kept in the history."
    )
    return option(command)


def _cleaned(_context: click.Context, _option: click.Parameter, message: str) -> str:
    try:
        return clean_message(message)
    except TextRefused as refused:
        raise click.BadParameter(str(refused)) from refused
