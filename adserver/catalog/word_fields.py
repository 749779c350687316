"""The marshmallow fields of campaign files that hold words: texts, ids, links, places, days."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from ipaddress import ip_network
from typing import Final
from zoneinfo import available_timezones

from marshmallow import ValidationError

from adserver.catalog.fields import Checked, describe
from adserver.catalog.texts import MAX_GRAPHEMES, clean_text, shown
from adserver.decision.topics import normalise_topic
from adserver.domain.ids import SLUG_PATTERN

_SLUG: Final = re.compile(SLUG_PATTERN)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"([01][0-9]|2[0-4]):[0-5][0-9]")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2199
_FARTHEST: Final = 1_000
_DIGITS: Final = 20


class Words(Checked[str]):
    """A text that people read, trimmed at the ends."""

    def __init__(
        self,
        *,
        limit: int = MAX_GRAPHEMES,
        clean: Callable[[str], str] | None = None,
        required: bool = False,
        allow_none: bool = False,
    ) -> None:
        """Take the most characters, and a further check that returns the text or raises ValueError."""
        super().__init__(f"text of 1 to {limit:,} characters", required=required, allow_none=allow_none)
        self._limit = limit
        self._clean = clean

    def read(self, value: object) -> str:
        """Return the clean text."""
        if not isinstance(value, str):
            raise _unquoted(self, value)
        try:
            text = clean_text(value, self._limit)
            return self._clean(text) if self._clean else text
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Link(Checked[str]):
    """A URL, stored in the canonical form that its check returns."""

    def __init__(
        self, clean: Callable[[str], str], due: str, *, required: bool = False, allow_none: bool = False
    ) -> None:
        """Take the check, which raises ValueError, and what is due."""
        super().__init__(due, required=required, allow_none=allow_none)
        self._clean = clean

    def read(self, value: object) -> str:
        """Return the canonical link."""
        if not isinstance(value, str):
            raise self.wrong(value)
        try:
            return self._clean(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Slug(Checked[str]):
    """An id or label."""

    def __init__(self, *, required: bool = False) -> None:
        """Say whether it may be left out."""
        due = "1 to 64 of a-z, 0-9 and -, beginning with a letter or digit"
        super().__init__(due, required=required)

    def read(self, value: object) -> str:
        """Return the slug as written."""
        if not isinstance(value, str):
            raise _unquoted(self, value)
        if not _SLUG.fullmatch(value):
            raise self.wrong(value)
        return value


class TopicWord(Checked[str]):
    """A topic, stored in its one spelling."""

    def __init__(self) -> None:
        super().__init__("a topic of 1 to 64 characters")

    def read(self, value: object) -> str:
        """Return the normalised topic."""
        if not isinstance(value, str):
            raise _unquoted(self, value)
        try:
            return normalise_topic(clean_text(value))
        except ValueError as error:
            raise ValidationError(str(error)) from error


class PlaceWords(Words):
    """A place as people write it; which one it is, the gazetteer tells later."""

    def __init__(self, *, required: bool = False) -> None:
        """Say whether it may be left out."""
        super().__init__(limit=200, required=required)
        self.due = 'a place such as "Remer, MN", "Cass County, MN", "MN" or "56672"'
        self.error_messages["required"] = f"is missing; it must be {self.due}"


class Distance(Checked[int | float]):
    """How far, in whole numbers or with at most two decimals."""

    def __init__(self) -> None:
        super().__init__(f"a number above 0, up to {_FARTHEST:,}, with at most two decimals")

    def read(self, value: object) -> int | float:
        """Return the distance."""
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.wrong(value)
        if isinstance(value, Decimal) and not (value.is_finite() and abs(value.adjusted()) < _DIGITS):
            raise self.wrong(value)
        if not 0 < value <= _FARTHEST or value * 100 != int(value * 100):
            raise self.wrong(value)
        return int(value) if value == int(value) else float(value)


class TimeOfDay(Checked[str]):
    """What a clock shows, stored as written."""

    def __init__(self, *, latest: str, data_key: str | None = None) -> None:
        """Take the last that is right, and what files call the field where Python has that word for itself."""
        super().__init__(f'a time such as "06:30", from "00:00" to "{latest}"')
        self.data_key = data_key
        self._latest = latest

    def read(self, value: object) -> str:
        """Return the time."""
        if not isinstance(value, str) or not _TIME.fullmatch(value) or value > self._latest:
            raise self.wrong(value)
        return value


class Currency(Checked[str]):
    """An ISO 4217 code, by its shape."""

    def __init__(self) -> None:
        super().__init__("a currency code of three capitals such as USD", required=True)

    def read(self, value: object) -> str:
        """Return the code."""
        if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
            raise self.wrong(value)
        return value


class Day(Checked[str]):
    """A calendar day, stored as ISO text."""

    def __init__(self, *, required: bool = False) -> None:
        """Say whether it may be left out; then it may be null, too."""
        due = f"a day such as 2025-06-01, of the years {_FIRST_YEAR} to {_LAST_YEAR}, without a time"
        super().__init__(due, required=required, allow_none=not required)

    def read(self, value: object) -> str:
        """Return the day."""
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise self.wrong(value)
        try:
            day = date.fromisoformat(value)
        except ValueError as error:
            raise ValidationError(f"must be {self.due}; there is no {value}") from error
        if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise self.wrong(value)
        return value


class Zone(Checked[str]):
    """A time zone's name in the IANA database."""

    def __init__(self) -> None:
        super().__init__("the name of a time zone such as America/Chicago", required=True)

    def read(self, value: object) -> str:
        """Return the name."""
        if not isinstance(value, str) or value not in _zones():
            raise self.wrong(value)
        return value


@cache
def _zones() -> frozenset[str]:
    """Read the database's names once: they are a walk over some 600 files."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}  # one means this host, the other nothing


class NetworkWord(Checked[str]):
    """An address or a network, stored in CIDR notation."""

    def __init__(self) -> None:
        super().__init__("an address or a network such as 192.0.2.0/24 or 2001:db8::/48")

    def read(self, value: object) -> str:
        """Return the network."""
        if not isinstance(value, str):
            raise self.wrong(value)
        try:
            return str(ip_network(value.strip()))
        except ValueError:
            raise self._narrower(value) from None

    def _narrower(self, value: str) -> ValidationError:
        try:
            meant = ip_network(value.strip(), strict=False)
        except ValueError:
            return self.wrong(value)
        return ValidationError(f"{shown(value)} names one address within {meant}; leave its length out, or write that")


class Language(Checked[str]):
    """A language tag as HTML's `lang` takes it."""

    def __init__(self) -> None:
        super().__init__("a language tag such as en or en-US")

    def read(self, value: object) -> str:
        """Return the tag."""
        if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
            raise self.wrong(value)
        return value


def _unquoted(field: Checked[str], value: object) -> ValidationError:
    if isinstance(value, bool | int | Decimal):
        return ValidationError(f"must be {field.due}, not {describe(value)}; put it in quotes")
    return field.wrong(value)
