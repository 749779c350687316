"""Closed sets of words whose members also have a stable number for tokens, spools and keys."""

from enum import StrEnum
from typing import Self


class CodedEnum(StrEnum):
    """A word and its `code`, one byte; a code, once given, is never given to another member."""

    code: int

    def __new__(cls, value: str, code: int) -> Self:
        """Make a member of a word and its code."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.code = code
        return member
