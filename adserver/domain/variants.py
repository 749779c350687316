"""One sponsor message at three lengths, and which of them a request asked for."""

from collections.abc import Container
from dataclasses import dataclass

from adserver.domain.codes import CodedEnum


class Variant(CodedEnum):
    """A length of a message, or `auto`: whichever fits; `code` is its byte in token, spool and cells."""

    AUTO = "auto", 0
    NAME = "name", 1
    SHORT = "short", 2
    LONG = "long", 3


LENGTHS = (Variant.NAME, Variant.SHORT, Variant.LONG)
"""The real lengths, shortest first."""


@dataclass(frozen=True, slots=True)
class Text:
    """A line as people read it, measured once when it was published. Immutable."""

    value: str
    graphemes: int
    """Length in extended grapheme clusters (UAX #29): what `max_chars` limits."""
    columns: int
    """Width in display columns, wide characters counting 2: what the width buckets of `/slot.css` are made of."""


@dataclass(frozen=True, slots=True)
class Variants:
    """A message's lengths; one that a creative lacks, or that does not fit, is None. Immutable."""

    name: Text | None
    short: Text | None
    long: Text | None

    def get(self, variant: Variant) -> Text | None:
        """Return the text of one length; `auto` is the longest there is."""
        if variant is Variant.NAME:
            return self.name
        if variant is Variant.SHORT:
            return self.short
        if variant is Variant.LONG:
            return self.long
        return self.long or self.short or self.name

    @property
    def longest(self) -> Variant | None:
        """The longest length present, or None where nothing is."""
        if self.long is not None:
            return Variant.LONG
        if self.short is not None:
            return Variant.SHORT
        return None if self.name is None else Variant.NAME

    def within(self, limit: int, allowed: Container[Variant] = LENGTHS) -> "Variants":
        """Return these lengths without those not in `allowed`, and those of more than `limit` grapheme clusters."""
        name, short, long = self.name, self.short, self.long
        if name is not None and (name.graphemes > limit or Variant.NAME not in allowed):
            name = None
        if short is not None and (short.graphemes > limit or Variant.SHORT not in allowed):
            short = None
        if long is not None and (long.graphemes > limit or Variant.LONG not in allowed):
            long = None
        is_whole = name is self.name and short is self.short and long is self.long
        return self if is_whole else Variants(name, short, long)
