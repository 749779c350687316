import pytest

from adserver.statistics.dimensions import Dimension
from adserver.statistics.filters import And, Filter, Match, Not, Operator, Or, holds, matches_of

YES = Match(Operator.IS, Dimension.FLIGHT, ("minnesota",))
NO = Match(Operator.IS, Dimension.FLIGHT, ("iowa",))
UNKNOWN = Match(Operator.IS, Dimension.SLOT, ("masthead",))
LABELS = {Dimension.FLIGHT: "minnesota"}


@pytest.mark.parametrize(
    ("filter_", "outcome"),
    [
        (YES, True),
        (NO, False),
        (UNKNOWN, None),
        (Not(YES), False),
        (Not(NO), True),
        (Not(UNKNOWN), None),
        (And(()), True),
        (And((YES, NO)), False),
        (And((UNKNOWN, NO)), False),
        (And((UNKNOWN, YES)), None),
        (And((YES, YES)), True),
        (Or((NO, YES)), True),
        (Or((UNKNOWN, YES)), True),
        (Or((UNKNOWN, NO)), None),
        (Or((NO, NO)), False),
    ],
)
def test_a_filter_holds_fails_or_waits_for_what_is_not_known(filter_: Filter, outcome: bool | None) -> None:
    assert holds(filter_, LABELS) is outcome


@pytest.mark.parametrize(
    ("operator", "values", "outcome"),
    [
        (Operator.IS, ("iowa", "minnesota"), True),
        (Operator.IS, ("minn",), False),
        (Operator.IS_NOT, ("minnesota", "iowa"), False),
        (Operator.IS_NOT, ("iowa",), True),
        (Operator.CONTAINS, ("zzz", "nnes"), True),
        (Operator.CONTAINS, ("zzz",), False),
        (Operator.CONTAINS_NOT, ("nnes",), False),
        (Operator.CONTAINS_NOT, ("zzz",), True),
    ],
)
def test_each_operator_holds_a_label_against_its_values(
    operator: Operator, values: tuple[str, ...], outcome: bool
) -> None:
    assert holds(Match(operator, Dimension.FLIGHT, values), LABELS) is outcome


def test_every_condition_of_a_tree_is_found() -> None:
    assert list(matches_of(Or((YES, And((Not(UNKNOWN), NO)))))) == [YES, UNKNOWN, NO]
