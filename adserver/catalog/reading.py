"""Bytes -> plain data, strictly: what YAML and JSON reading have in common."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, NoReturn, TypeAlias

from adserver.catalog.faults import refusal
from adserver.catalog.positions import Positions
from adserver.domain.errors import Fault, InputTooLarge, UnreadableInput

RawValue: TypeAlias = "bool | int | Decimal | str | list[RawValue] | dict[str, RawValue] | None"

LIMIT_BYTES: Final = 10_000_000
"""Documents of this many bytes and more are not read."""
MAX_DEPTH: Final = 32
"""Deepest nesting; a campaign file needs 7."""
MAX_NUMBER_DIGITS: Final = 1_000
"""Longest number read at all; what a field takes is far below."""

_NUL: Final = b"\0"
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class UnreadableDocument(UnreadableInput):
    """Bytes that are no YAML or JSON; `fault` says where reading stopped."""

    def __init__(self, fault: Fault) -> None:
        """Take where reading stopped, and why."""
        where = ":".join(str(part) for part in (fault.file, fault.line, fault.column) if part is not None)
        super().__init__(f"{where}: {fault.message}" if where else fault.message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document as written, before any schema. Immutable by agreement: nobody changes the content."""

    content: RawValue
    positions: Positions
    faults: tuple[Fault, ...] = ()
    """What the format alone tells: keys written twice."""

    def refuse_any(self) -> None:
        """Refuse a document that has faults of its format.

        Raises:
            InputRefused: with all of them.
        """
        if self.faults:
            raise refusal(list(self.faults))


def decode_text(data: bytes, file: str | None) -> str:
    """Return the text of a document, without a byte order mark.

    Raises:
        InputTooLarge: from `LIMIT_BYTES` on.
        UnreadableDocument: if it is not UTF-8.
    """
    if len(data) >= LIMIT_BYTES:
        raise InputTooLarge(f"{file or 'the document'} must be smaller than {LIMIT_BYTES:,} bytes, not {len(data):,}")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or _NUL in data[:2]:
        stop_reading("this is UTF-16 or UTF-32; save the file as UTF-8", file)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"byte {data[error.start]:#04x} is no UTF-8; save the file as UTF-8"
        raise UnreadableDocument(Fault("", message, file, line, column)) from error


def stop_reading(message: str, file: str | None, line: int | None = None, column: int | None = None) -> NoReturn:
    """Give up on a document.

    Raises:
        UnreadableDocument: always.
    """
    raise UnreadableDocument(Fault("", message, file, line, column))


def read_number(token: str) -> int | Decimal | None:
    """Return the number that JSON and YAML 1.2 agree a token is, or None: `012345`, `1_000`, `12:30` and `.5` are text.

    Numbers too large for a `Decimal` come out infinite, which no field takes.

    Raises:
        ValueError: for tokens of more than `MAX_NUMBER_DIGITS` characters.
    """
    if not token or token[0] not in "-0123456789" or not _DECIMAL.fullmatch(token):
        return None
    if len(token) > MAX_NUMBER_DIGITS:
        raise ValueError(f"a number of {len(token):,} digits is not taken")
    if _WHOLE.fullmatch(token):
        return int(token)
    try:
        return Decimal(token)
    except InvalidOperation:
        return Decimal("Infinity")
