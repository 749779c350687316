"""Collects what is wrong with an input, so that all of it can be said at once."""

from collections.abc import Iterable, Mapping
from typing import Final

from adserver.catalog.positions import FieldPath, Positions, path_text
from adserver.domain.errors import Fault, InputRefused

MAX_FAULTS: Final = 1_000
"""More are counted, not listed: nobody reads them, and an answer has to stay small."""


def make_fault(path: FieldPath, message: str, file: str | None, positions: Positions | None) -> Fault:
    """Return a fault with its line and column, where they are known."""
    point = positions.locate(path) if positions else None
    line, column = point or (None, None)
    if positions is None or positions.place is None:
        return Fault(path_text(path), message, file, line, column)
    place = positions.place
    return Fault(place.column_of(path), message, place.file, line, column, place.sheet)


def whereabouts(path: FieldPath, file: str, positions: Positions | None) -> str:
    """Return where something stands, for the message of a fault elsewhere."""
    if positions is None or positions.place is None:
        return f"{path_text(path)} of {file}"
    point, place = positions.locate(path), positions.place
    row = f"row {point.line}" if point else "a row"
    return f"{row} of {place.file}" if place.file else row


class FaultLog:
    """The faults of several files, in the order found. For one thread."""

    def __init__(self, positions: Mapping[str, Positions]) -> None:
        """Take where the fields of each file stand."""
        self._positions = positions
        self._faults: list[Fault] = []

    def add(self, file: str, path: FieldPath, message: str) -> None:
        """Note one fault."""
        self._faults.append(make_fault(path, message, file, self._positions.get(file)))

    def whereabouts(self, file: str, path: FieldPath) -> str:
        """Return where something stands, for the message of a fault elsewhere."""
        return whereabouts(path, file, self._positions.get(file))

    def extend(self, faults: Iterable[Fault]) -> None:
        """Note faults that others found."""
        self._faults.extend(faults)

    def refuse_any(self) -> None:
        """Refuse the input if anything was noted.

        Raises:
            InputRefused: with every fault, up to `MAX_FAULTS`, and how many more there are.
        """
        if self._faults:
            raise refusal(self._faults)


def refusal(faults: list[Fault]) -> InputRefused:
    """Return the error that lists these faults."""
    listed = faults[:MAX_FAULTS]
    if len(faults) > MAX_FAULTS:
        listed.append(Fault("", f"and {len(faults) - MAX_FAULTS:,} more faults"))
    return InputRefused(tuple(listed))
