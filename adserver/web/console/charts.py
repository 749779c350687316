"""Small charts as numbers that templates draw: shapes in a box that stretches, words beside it; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HEIGHT: Final = 100
"""Of a chart's box; its width is one unit a column."""
_GAP: Final = 0.18
"""What is left between two columns, of one's width."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Immutable."""

    label: str
    value: float
    shown: str
    """The value in words."""
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns beside each other. Immutable."""

    columns: tuple[Column, ...]
    top: str
    """The highest value in words."""

    @property
    def is_empty(self) -> bool:
        """Whether no column has a height."""
        return not any(column.value for column in self.columns)


def make_chart(values: Sequence[tuple[str, float, str]]) -> Chart:
    """Return columns of (label, value, value in words), the highest as high as the box."""
    top = max((value for _, value, _ in values), default=0.0)
    columns = []
    for number, (label, value, shown) in enumerate(values):
        height = round(HEIGHT * value / top, 3) if top else 0.0
        columns.append(Column(label, value, shown, round(number + _GAP / 2, 3), HEIGHT - height, 1 - _GAP, height))
    best = next((shown for _, value, shown in values if value == top), "")
    return Chart(tuple(columns), best)
