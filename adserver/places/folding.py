"""How differently written names become one key: case, accents, punctuation, blanks and usual abbreviations."""

import re
import unicodedata
from typing import Final

_APOSTROPHES: Final = re.compile("['`\u00b4\u02bb\u02bc\u2018\u2019\u201b\u2032]")
_INITIALS: Final = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,}")
_WORD: Final = re.compile(r"[^\W_]+")

_SPELLED_OUT: Final = {
    "ft": "fort",
    "hts": "heights",
    "jct": "junction",
    "mt": "mount",
    "pt": "point",
    "spgs": "springs",
    "st": "saint",
    "ste": "saint",  # people mix them: Sault Ste. Marie, Sault Saint Marie
    "sainte": "saint",
    "twp": "township",
}
_DIRECTIONS: Final = {"n": "north", "s": "south", "e": "east", "w": "west"}
_KINDS: Final = frozenset({"borough", "city", "county", "municipality", "parish", "town", "township", "village"})
_DROPPED_KINDS: Final = frozenset({"borough", "city", "town", "village"})


def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of a text in small letters, without accents, apostrophes and punctuation; `D.C.` is `dc`."""
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text))
    bare = "".join(char for char in decomposed if not unicodedata.combining(char)).casefold().replace("&", " and ")
    joined = _INITIALS.sub(lambda initials: initials[0].replace(".", ""), bare)
    return tuple(_WORD.findall(joined))


def slug(text: str) -> str:
    """Return a name as it stands in a place id: `Coeur d'Alene` is `coeur-dalene`, `St. Paul` is `st-paul`."""
    return "-".join(plain_words(text))


def key(words: tuple[str, ...]) -> str:
    """Return the one key of a name's spellings; blanks and hyphens don't matter, so `De Kalb` is `DeKalb`."""
    spelled = [_SPELLED_OUT.get(word, word) for word in words]
    if len(spelled) > 1:
        spelled[0] = _DIRECTIONS.get(spelled[0], spelled[0])
        spelled[-1] = "county" if spelled[-1] == "co" else spelled[-1]
    return "".join(spelled)


def keys(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys to try for a name as someone wrote it, best first: as written, then its kind moved or dropped.

    `City of Industry` is a name as it stands; `Town of Ithaca` is the key of `Ithaca town`; `New York City` that of
    `New York`.
    """
    tried = [key(words)]
    if len(words) > 2 and words[1] == "of" and words[0] in _KINDS:
        tried.append(key((*words[2:], words[0])))
        tried.append(key(words[2:]))
    elif len(words) > 1 and words[-1] in _DROPPED_KINDS:
        tried.append(key(words[:-1]))
    return tuple(tried)
