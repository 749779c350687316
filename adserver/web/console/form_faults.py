"""Puts the faults of a check beside the inputs of a form that they are about. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from adserver.domain.errors import Fault
from adserver.web.console.campaign_form import FormView

_CAMPAIGN: Final = re.compile(r"(?:files\[0\]\.)?campaigns\[0\]\.?")
_ROW: Final = re.compile(r"(?:creatives|flights)\[[0-9]+\]")
_ALIASES: Final = (
    (re.compile(r"\.price\.(cpm|flat)$"), ".price.amount"),
    (re.compile(r"\.caps\[[0-9]+\]\.(?:impressions|per|scope)$"), ".caps"),
)

_LEADING: Final = (".name", ".impressions", ".amount", ".days")
"""Ends of inputs that come first in their field: a fault of the whole field stands there."""


def place_faults(faults: Sequence[Fault], inputs: Iterable[str]) -> dict[str, list[str]]:
    """Return what is wrong by the name of an input, by that of a row such as `flights[0]`, or by "" for all the form.

    A fault is about the input of its path; else about the one within whose field it is, or which is within its own.
    """
    names = sorted(set(inputs), key=len, reverse=True)
    placed: dict[str, list[str]] = {}
    for fault in faults:
        path = _CAMPAIGN.sub("", fault.path, count=1)
        place = _place(path, names)
        message = fault.message if place or not path else f"{path}: {fault.message}"
        placed.setdefault(place, []).append(message)
    return placed


def label_of(name: str, view: FormView) -> str:
    """Return what people call an input: its row by its id, then its field."""
    row = _ROW.match(name)
    field = name[row.end() :] if row is not None else name
    words = field.strip(".").replace("_", " ").replace(".", " \u203a ")
    if row is None:
        return words
    called = view.first(f"{row[0]}.id") or f"new {row[0].partition('s[')[0]}"
    return f"{called}: {words}" if words else called


def _place(path: str, names: Sequence[str]) -> str:
    for pattern, name in _ALIASES:
        path = pattern.sub(name, path)
    if path in names:
        return path
    within = [name for name in names if path and name.startswith(f"{path}.")]
    if within and not _ROW.fullmatch(path):
        return min(within, key=lambda name: (not name.endswith(_LEADING), name))
    around = next((name for name in names if path.startswith((f"{name}.", f"{name}["))), None)
    if around is not None:
        return around
    row = _ROW.match(path)
    return row[0] if row is not None else ""
