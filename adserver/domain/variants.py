"""One sponsor message at three lengths, and which of them a request asked for."""

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
        for variant in reversed(LENGTHS):
            if self.get(variant) is not None:
                return variant
        return None

    def within(self, limit: int) -> "Variants":
        """Return these lengths without those of more than `limit` grapheme clusters."""
        return Variants(
            *(text if text and text.graphemes <= limit else None for text in (self.name, self.short, self.long))
        )

    def only(self, allowed: frozenset[Variant]) -> "Variants":
        """Return these lengths without those not in `allowed`."""
        return Variants(*(self.get(variant) if variant in allowed else None for variant in LENGTHS))
