"""The options of `adserver stats` -> the parts of a query; what is wrong with one is said in the option's own words."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import click

from adserver.domain.errors import Fault
from adserver.statistics.dimensions import Dimension
from adserver.statistics.metrics import MetricName
from adserver.statistics.query import Period
from adserver.statistics.words import nearest

_TIME: Final = "time:"
DIMENSION_WORDS: Final = {name.value.removeprefix(_TIME): name.value for name in Dimension}
"""What the command line calls a dimension -> what queries do; it takes both."""

_OPTIONS: Final = {
    "metrics": "--metrics",
    "dimensions": "--by",
    "filters": "--filter",
    "date_range": "--range",
    "timezone": "--timezone",
}
_PLACE: Final = re.compile(rf"({'|'.join(_OPTIONS)})(?:\[(\d+)\])?.*")


def read_dimensions(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> list[str]:
    """Return the dimensions by the names that queries have for them.

    Raises:
        click.BadParameter: one is no dimension.
    """
    return [_dimension(word) for word in _listed(texts)]


def read_metrics(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> list[str]:
    """Return the metrics.

    Raises:
        click.BadParameter: one is no metric.
    """
    words = list(_listed(texts))
    for word in words:
        if word not in tuple(MetricName):
            raise _unknown(word, tuple(MetricName))
    return words


def read_range(_context: click.Context, _option: click.Parameter, text: str) -> str | list[str]:
    """Return a period's word, or two dates, which `parse_query` checks.

    Raises:
        click.BadParameter: it is neither.
    """
    first, dots, last = text.partition("..")
    if dots:
        return [first.strip(), last.strip()]
    if text not in tuple(Period):
        raise _unknown(text, tuple(Period), "or FROM..TO, such as 2026-11-01..2026-11-24")
    return text


def read_filters(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> list[list[object]]:
    """Return the filters.

    Raises:
        click.BadParameter: one is not of the form `flight=minnesota`, or names no dimension.
    """
    return [_filter(text) for text in texts]


def in_words_of_options(fault: Fault, document: dict[str, object]) -> Fault:
    """Return a fault of a query with its option, and what was given there, in place of the query's path."""
    match = _PLACE.fullmatch(fault.path)
    message = fault.message.replace(f"`{_TIME}", "`")
    if match is None:
        return replace(fault, message=message)
    part, place = match.groups()
    given = document.get(part)
    path = _OPTIONS[part]
    if part != "date_range" and place is not None and isinstance(given, list):
        path += f" {_shown(given[int(place)])}"
    return replace(fault, path=path, message=message)


def _shown(item: object) -> str:
    if not isinstance(item, list):
        return str(item).removeprefix(_TIME)
    operator, dimension, values = item
    return f"{str(dimension).removeprefix(_TIME)}{'!' if operator == 'is_not' else ''}={','.join(values)}"


def _filter(text: str) -> list[object]:
    name, equals, values = text.partition("=")
    listed = list(_listed((values,)))
    if not equals or not listed:
        raise click.BadParameter(f"{text!r} is not written like flight=minnesota")
    return ["is_not" if name.endswith("!") else "is", _dimension(name.removesuffix("!").strip()), listed]


def _dimension(word: str) -> str:
    if word in tuple(Dimension):
        return word
    if word in DIMENSION_WORDS:
        return DIMENSION_WORDS[word]
    raise _unknown(word, DIMENSION_WORDS)


def _unknown(word: str, words: Iterable[str], also: str = "") -> click.BadParameter:
    near = nearest(word, words)
    hint = f"; did you mean {near}? It" if near else "; it"
    return click.BadParameter(f"there is no {word!r}{hint} takes {', '.join([*words, *([also] if also else [])])}")


def _listed(values: tuple[str, ...]) -> Iterator[str]:
    for value in values:
        yield from (part.strip() for part in value.split(",") if part.strip())
