"""From JSON values to the parts of a query; each raises marshmallow's `ValidationError`, nested by place in a list."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import ValidationError

from adserver.statistics.dimensions import Dimension
from adserver.statistics.filters import And, Filter, Match, Not, Operator, Or
from adserver.statistics.metrics import MetricName
from adserver.statistics.query import DateRange, Days, Direction, Order, Period
from adserver.statistics.words import nearest

MAX_FILTER_DEPTH: Final = 8
MAX_FILTER_VALUES: Final = 1_000
MAX_LISTED: Final = 64
"""Of metrics, dimensions, filters and orders."""

_MAX_TEXT: Final = 256
_ZONE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_Word = TypeVar("_Word", bound=StrEnum)
_Item = TypeVar("_Item")
_Read = TypeVar("_Read")


def read_metrics(value: object) -> tuple[MetricName, ...]:
    """Read at least one metric, each once."""
    metrics = _words(MetricName, value)
    if not metrics:
        raise ValidationError(f"name at least one of {', '.join(MetricName)}")
    return metrics


def read_dimensions(value: object) -> tuple[Dimension, ...]:
    """Read dimensions, each once."""
    return _words(Dimension, value)


def read_date_range(value: object) -> DateRange:
    """Read a period's word, or two dates, both inclusive."""
    if isinstance(value, str) and value in tuple(Period):
        return Period(value)
    if not isinstance(value, list) or len(value) != 2:
        raise ValidationError(f'give one of {", ".join(Period)}, or ["2026-11-01", "2026-11-24"], both inclusive')
    first, last = _each(value, _date)
    if last < first:
        raise _at_places({1: ["the range ends before it begins"]})
    return Days(first, last)


def read_zone(value: object) -> ZoneInfo:
    """Read the IANA name of a time zone."""
    try:
        if isinstance(value, str) and _ZONE.fullmatch(value):
            return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as `America`
        pass
    raise ValidationError("not a time zone; give an IANA name such as America/Chicago")


def read_filters(value: object) -> tuple[Filter, ...]:
    """Read a list of filters, all of which must hold."""
    items = _few(value)
    if items and isinstance(items[0], str):
        raise ValidationError('filters are a list of filters: [["is", "flight", ["minnesota"]]]')
    return _each(items, lambda item: _filter(item, depth=1))


def read_orders(value: object) -> tuple[Order, ...]:
    """Read a list of pairs such as `["clicks", "desc"]`."""
    return _each(_few(value), _order)


def _order(value: object) -> Order:
    items = _list(value)
    if len(items) != 2:
        raise ValidationError('an order is a pair such as ["clicks", "desc"]')
    return Order(_at(0, lambda: _metric_or_dimension(items[0])), _at(1, lambda: _word(Direction, items[1])))


def _metric_or_dimension(value: object) -> MetricName | Dimension:
    if isinstance(value, str) and value in tuple(MetricName):
        return MetricName(value)
    if isinstance(value, str) and value in tuple(Dimension):
        return Dimension(value)
    raise ValidationError("order by a metric or a dimension of the query")


def _filter(value: object, *, depth: int) -> Filter:
    if depth > MAX_FILTER_DEPTH:
        raise ValidationError(f"filters may stand {MAX_FILTER_DEPTH} deep at most")
    items = _list(value)
    operator = items[0] if items else None
    if operator == "not":
        _check_size(items, 2, 'it is written ["not", filter]')
        return Not(_at(1, lambda: _filter(items[1], depth=depth + 1)))
    if operator in ("and", "or"):
        _check_size(items, 2, f'it is written ["{operator}", [filter, …]]')
        parts = _at(1, lambda: _each(_some(items[1]), lambda item: _filter(item, depth=depth + 1)))
        return And(parts) if operator == "and" else Or(parts)
    return _match(items)


def _match(items: list[object]) -> Match:
    _check_size(items, 3, 'a filter is written ["is", dimension, [value, …]]')
    return Match(
        _at(0, lambda: _word(Operator, items[0], also=("not", "and", "or"))),
        _at(1, lambda: _word(Dimension, items[1])),
        _at(2, lambda: _each(_some(items[2]), _text)),
    )


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValidationError("a list is due here")
    return value


def _few(value: object) -> list[object]:
    items = _list(value)
    if len(items) > MAX_LISTED:
        raise ValidationError(f"at most {MAX_LISTED} are taken")
    return items


def _some(value: object) -> list[object]:
    items = _list(value)
    if not 1 <= len(items) <= MAX_FILTER_VALUES:
        raise ValidationError(f"from 1 to {MAX_FILTER_VALUES} are taken")
    return items


def _check_size(items: list[object], size: int, message: str) -> None:
    if len(items) != size:
        raise ValidationError(message)


def _text(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_TEXT:
        raise ValidationError(f"a text of 1 to {_MAX_TEXT} characters is due here")
    return value


def _words(words: type[_Word], value: object) -> tuple[_Word, ...]:
    read = _each(_few(value), lambda item: _word(words, item))
    repeated = {place: ["it stands here twice"] for place, word in enumerate(read) if word in read[:place]}
    if repeated:
        raise _at_places(repeated)
    return read


def _word(words: type[_Word], value: object, *, also: tuple[str, ...] = ()) -> _Word:
    if isinstance(value, str) and value in tuple(words):
        return words(value)
    offered = (*words, *also)
    near = nearest(value, offered) if isinstance(value, str) else None
    raise ValidationError(f"give one of {', '.join(offered)}" + (f"; did you mean `{near}`?" if near else ""))


def _date(value: object) -> date:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValidationError("give a date that exists, such as 2026-11-24")


def _each(items: Sequence[_Item], read: Callable[[_Item], _Read]) -> tuple[_Read, ...]:
    """Read every item, and raise all that is wrong with them at once, by their places."""
    done: list[_Read] = []
    wrong: dict[int, object] = {}
    for place, item in enumerate(items):
        try:
            done.append(read(item))
        except ValidationError as error:
            wrong[place] = error.messages
    if wrong:
        raise _at_places(wrong)
    return tuple(done)


def _at(place: int, read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except ValidationError as error:
        raise _at_places({place: error.messages}) from error


def _at_places(wrong: Mapping[int, object]) -> ValidationError:
    return ValidationError(dict[object, object](wrong.items()))
