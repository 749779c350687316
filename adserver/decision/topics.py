"""Topics as free words: one spelling for what a campaign file and a page write."""

import unicodedata
from typing import Final

from adserver.domain.ids import Topic

TOPIC_MAX_CHARS: Final = 64
_UNWRITABLE: Final = frozenset({"Cc", "Cs"})
"""Control characters and lone surrogates: no word has them, and no reply could carry them."""


def normalise_topic(text: str) -> Topic:
    """Return the one spelling of a topic: NFC, casefolded, runs of blanks as one `-`, at most 64 code points.

    Decomposed before folding and composed after it, so that equal words fold equally (Unicode 3.13, D145).

    Raises:
        ValueError: if nothing is left, it is longer, or it has a control character.
    """
    folded = unicodedata.normalize("NFD", text).casefold()
    topic = unicodedata.normalize("NFC", "-".join(folded.split()))
    if not topic:
        raise ValueError("a topic has at least one character")
    if len(topic) > TOPIC_MAX_CHARS:
        raise ValueError(f"a topic has at most {TOPIC_MAX_CHARS} characters, this one has {len(topic)}")
    if any(unicodedata.category(char) in _UNWRITABLE for char in topic):
        raise ValueError("a topic has no control characters")
    return Topic(topic)
