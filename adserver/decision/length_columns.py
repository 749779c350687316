"""How long the texts of creatives are, and the least of each flight: columns to compare limits with."""

from array import array
from collections.abc import Sequence
from typing import Final

from adserver.decision.image import Section
from adserver.domain.catalog import Creative
from adserver.domain.variants import LENGTHS

ABSENT: Final = 2**32 - 1
"""The length of a text that a creative lacks: longer than any limit."""


def length_columns(creatives: Sequence[Creative], flights: Sequence[Sequence[int]]) -> dict[str, Section]:
    """Return the lengths of all creatives, in grapheme clusters, and the least of those that each flight can show.

    Those with a disclosure are not among the latter: whether a slot takes them is asked of each.

    Args:
        creatives: all, by position.
        flights: the positions of the creatives of each.
    """
    disclosed = array("B", (creative.disclosure is not None for creative in creatives))
    columns: dict[str, Section] = {"creative_disclosed": disclosed}
    for variant in LENGTHS:
        texts = (creative.variants.get(variant) for creative in creatives)
        lengths = [ABSENT if text is None else text.graphemes for text in texts]
        columns[f"creative_{variant}"] = array("I", lengths)
        shown = [ABSENT if hidden else length for hidden, length in zip(disclosed, lengths, strict=True)]
        columns[f"flight_{variant}"] = array("I", (min([shown[at] for at in own]) for own in flights))
    return columns
