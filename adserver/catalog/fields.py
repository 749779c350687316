"""The marshmallow fields of campaign files: strict about types, clear about what would be right.

Every field turns what was written into what is stored, which JSON can hold.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from marshmallow import ValidationError, fields

from adserver.catalog.texts import shown

_T = TypeVar("_T")
_MONEY: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")


class Checked(fields.Field[_T]):
    """A field that says what would be right whenever something else was written. Immutable after construction."""

    def __init__(self, due: str, *, required: bool = False, allow_none: bool = False) -> None:
        """Take what is right, as it reads after "must be"."""
        self.due = due
        super().__init__(required=required, allow_none=allow_none)
        self.error_messages["required"] = f"is missing; it must be {due}"
        self.error_messages["null"] = f"must be {due}, not null"

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object) -> _T:
        del attr, data, kwargs
        return self.read(value)

    def read(self, value: object) -> _T:
        """Return what is stored.

        Raises:
            ValidationError: for anything else than what is due.
        """
        raise NotImplementedError  # each field says how

    def wrong(self, value: object) -> ValidationError:
        """Return the error for a value of another kind."""
        return ValidationError(f"must be {self.due}, not {describe(value)}")


def describe(value: object) -> str:
    """Return what a value is, for a message."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return f"the number {value}" if len(str(value)) <= 40 else "so long a number"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list) else "null"


class Flag(Checked[bool]):
    """True or false, nothing that resembles it."""

    def __init__(self, *, required: bool = False) -> None:
        """Say whether it may be left out."""
        super().__init__("true or false", required=required)

    def read(self, value: object) -> bool:
        """Return the flag."""
        if not isinstance(value, bool):
            raise self.wrong(value)
        return value


class Whole(Checked[int]):
    """A whole number within bounds; true is no number, nor is "5"."""

    def __init__(self, minimum: int, maximum: int, *, required: bool = False) -> None:
        """Take the bounds, both inclusive."""
        super().__init__(f"a whole number from {minimum:,} to {maximum:,}", required=required)
        self.minimum = minimum
        self.maximum = maximum

    def read(self, value: object) -> int:
        """Return the number."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.minimum <= value <= self.maximum:
            raise self.wrong(value)
        return value


class Money(Checked[str]):
    """An amount, as a number or as text; stored as text with at least two decimals, so that no digit is lost."""

    def __init__(self) -> None:
        due = 'an amount of 0 or more such as "12.00", with at most 12 digits before the point and 6 behind it'
        super().__init__(due, allow_none=True)

    def read(self, value: object) -> str:
        """Return the amount's text."""
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise self.wrong(value)
        if isinstance(value, Decimal) and not (value.is_finite() and abs(value.adjusted()) < 20):
            raise self.wrong(value)
        text = format(value, "f") if isinstance(value, Decimal) else str(value)
        if not _MONEY.fullmatch(text) or Decimal(text) < 0:
            raise self.wrong(value)
        whole, _, part = format(abs(Decimal(text)), "f").partition(".")
        return f"{int(whole)}.{part.rstrip('0').ljust(2, '0')}"


class Choice(Checked[str]):
    """One word of a closed set."""

    def __init__(self, words: type[StrEnum] | tuple[str, ...], *, required: bool = False) -> None:
        """Take the words."""
        self.words = tuple(str(word) for word in words)
        super().__init__(f"one of {', '.join(self.words)}", required=required)

    def read(self, value: object) -> str:
        """Return the word."""
        if not isinstance(value, str) or value not in self.words:
            raise self.wrong(value)
        return value


class NotBuilt(Checked[None]):
    """A field of the contract whose rule does not exist yet: refused, never ignored."""

    def __init__(self, name: str) -> None:
        """Take the field's name."""
        super().__init__("left out", allow_none=False)
        self._message = f"`{name}` isn't built yet; leave it out"
        self.error_messages["null"] = self._message

    def read(self, value: object) -> None:
        """Refuse.

        Raises:
            ValidationError: always.
        """
        del value
        raise ValidationError(self._message)


class ListOf(fields.List[_T]):
    """A list without the same item twice. Immutable after construction."""

    def __init__(self, item: fields.Field[_T], what: str, *, least: int = 0, required: bool = False) -> None:
        """Take the field of one item, what several of them are called, and the fewest items."""
        super().__init__(item, required=required, validate=self._check)
        self.error_messages["required"] = f"is missing; it must be a list of {what}"
        self.error_messages["invalid"] = f"must be a list of {what}"
        self.error_messages["null"] = f"must be a list of {what}, not null"
        self._what = what
        self.least = least

    def _check(self, items: list[_T]) -> None:
        if len(items) < self.least:
            raise ValidationError(f"must name one of the {self._what} at least; leave the field out for all of them")
        seen: set[str] = set()
        twice: dict[int, list[str]] = {}
        for index, item in enumerate(items):
            if str(item) in seen:
                twice[index] = ["stands twice in this list"]
            seen.add(str(item))
        if twice:
            raise ValidationError(twice)
