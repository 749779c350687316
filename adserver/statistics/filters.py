"""Which cells a query keeps: a small tree of conditions on labels. Pure values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from adserver.statistics.dimensions import Dimension


class Operator(StrEnum):
    """How a label is held against the values of a condition."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    CONTAINS_NOT = "contains_not"


@dataclass(frozen=True, slots=True)
class Match:
    """A label is, or contains, one of `values` (or none of them). Immutable."""

    operator: Operator
    dimension: Dimension
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold. Immutable."""

    part: "Filter"


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds. Immutable."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds. Immutable."""

    parts: "tuple[Filter, ...]"


Filter = Match | Not | And | Or


def holds(filter_: Filter, labels: Mapping[Dimension, str]) -> bool | None:
    """Tell whether a filter holds for what is known: None where that depends on a label not in `labels` (Kleene)."""
    match filter_:
        case Match():
            label = labels.get(filter_.dimension)
            return None if label is None else _matches(filter_, label)
        case Not():
            inner = holds(filter_.part, labels)
            return None if inner is None else not inner
        case And():
            return _decide((holds(part, labels) for part in filter_.parts), by=False)
        case Or():
            return _decide((holds(part, labels) for part in filter_.parts), by=True)


def matches_of(filter_: Filter) -> Iterator[Match]:
    """Yield every condition within a filter."""
    match filter_:
        case Match():
            yield filter_
        case Not():
            yield from matches_of(filter_.part)
        case And() | Or():
            for part in filter_.parts:
                yield from matches_of(part)


def _matches(condition: Match, label: str) -> bool:
    match condition.operator:
        case Operator.IS:
            return label in condition.values
        case Operator.IS_NOT:
            return label not in condition.values
        case Operator.CONTAINS:
            return any(value in label for value in condition.values)
        case Operator.CONTAINS_NOT:
            return not any(value in label for value in condition.values)


def _decide(answers: Iterator[bool | None], *, by: bool) -> bool | None:
    """Return `by` if any answer is that; else None if any is unknown; else its opposite."""
    outcome: bool | None = not by
    for answer in answers:
        if answer is by:
            return by
        if answer is None:
            outcome = None
    return outcome
