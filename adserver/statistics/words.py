"""What somebody may have meant by a word that is none."""

import difflib
from collections.abc import Iterable
from typing import Final

_ALIKE: Final = 0.7
_MAX_CHARS: Final = 64


def nearest(text: str, words: Iterable[str]) -> str | None:
    """Return the word most like a text, or None where none is near. Ties go to the first in the alphabet."""
    found = difflib.get_close_matches(text[:_MAX_CHARS].lower(), sorted(words), 1, _ALIKE)
    return found[0] if found else None
