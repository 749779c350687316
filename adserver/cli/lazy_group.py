"""A group of commands that imports a command's file only when it is called, or its help asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

_MOST_HELP: Final = 200
"""Characters of a command's first sentence; click cuts it to what fits one line."""


class LazyGroup(click.Group):
    """Knows its commands by where they are: half of what all of them import together is another's need."""

    def __init__(self, *arguments: object, lazy: Mapping[str, str], **options: object) -> None:
        """Take, beside what a group takes, the commands as name -> `module:attribute`, in the order of the docs."""
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # handed through
        self._lazy = lazy

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names in the order of their declaration."""
        return list(self._lazy)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return the command of that name, imported by now; or None."""
        if name not in self._lazy:
            return None
        module, _, attribute = self._lazy[name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands that people call, each with the whole first sentence of its help, over several lines."""
        commands = [(name, self.get_command(context, name)) for name in self.list_commands(context)]
        rows = [(name, one.get_short_help_str(_MOST_HELP)) for name, one in commands if one and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
