"""The words of an HTTP error that has none of its own: what kind it is, and what to do."""

from collections.abc import Mapping
from typing import Final

_WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("Bad request", "The request cannot be read."),
    401: ("Token needed", "Send a valid token: Authorization: Bearer adsv_…"),
    403: ("Not allowed", "This token's role may not do this."),
    404: ("Not found", "There is nothing at this address."),
    405: ("Method not allowed", "This address takes other methods; see the Allow header."),
    406: ("Not acceptable", "None of the types that the Accept header asks for can be made."),
    411: ("Length needed", "Send a Content-Length."),
    413: ("Too large", "The request is larger than this address takes."),
    414: ("Address too long", "The address is longer than is taken."),
    415: ("Unsupported format", "This content type or encoding is not taken."),
    417: ("Expectation failed", "The Expect header asks for something that is not done here."),
    422: ("Refused", "The request was read, and something in it is wrong."),
    429: ("Too many requests", "Wait a moment, then try again."),
    431: ("Headers too large", "The headers are larger than is taken."),
    501: ("Not implemented", "This transfer coding is not taken."),
    503: ("Unavailable", "Try again in a moment."),
}
_INTERNAL: Final = ("Internal error", "Something went wrong on our side; the log says what.")


def words_of(status: int) -> tuple[str, str]:
    """Return title and detail of an error status, at least in the words of its class."""
    return _WORDS.get(status, _INTERNAL if status >= 500 else _WORDS[400])
