"""What the gazetteer cannot answer, worded for the person who wrote the place."""

from typing import Final

from adserver.domain.errors import AdserverError

_SHOWN_TEXT_CHARS: Final = 80
_SHOWN_NAMES: Final = 6


class PlaceNotFound(AdserverError):
    """No place is written like this."""

    def __init__(self, text: str, near: tuple[str, ...] = ()) -> None:
        """Take what was written, and the names of places written alike, best first."""
        hint = f"did you mean {_listed(near)}?" if near else "write a town with its state, such as 'Remer, MN'"
        super().__init__(f"there is no place {_quoted(text)}; {hint}")
        self.near = near


class PlaceAmbiguous(AdserverError):
    """Several places are written like this."""

    def __init__(self, text: str, candidates: tuple[str, ...]) -> None:
        """Take what was written, and the full names of all places it may mean."""
        super().__init__(f"{_quoted(text)} may be {_listed(candidates)}; write one of these")
        self.candidates = candidates


def _quoted(text: str) -> str:
    shown = text if len(text) <= _SHOWN_TEXT_CHARS else f"{text[: _SHOWN_TEXT_CHARS - 1]}…"
    return f"'{shown}'"


def _listed(names: tuple[str, ...]) -> str:
    shown = [f"'{name}'" for name in names[:_SHOWN_NAMES]]
    more = len(names) - len(shown)
    if more:
        shown.append(f"{more} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
