"""An event reaches a worker: the verdict of the edge is made here, once, and stands in its record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, Self

from adserver.counting.recorder import Recorder
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.token import CLICK_LIFE_SECONDS, VIEW_LIFE_SECONDS, Token, TokenCodec, TokenInvalid
from adserver.domain.variants import Variant

_PREFETCH_HEADERS: Final = ("Sec-Purpose", "Purpose", "X-Moz")


class Headers(Protocol):
    """A request's headers; names are told apart without case."""

    def get(self, key: str, /) -> str | None:
        """Return a header's value, or None."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What a request tells of its sender beside the token. Nothing of it is stored. Immutable."""

    user_agent: str
    prefetch: bool
    """The browser fetched ahead of a reader who may never look (`Sec-Purpose`, `Purpose`, `X-Moz`)."""

    @classmethod
    def of(cls, headers: Headers) -> Self:
        """Read the signals of a request's headers."""
        purposes = ((headers.get(name) or "").strip().lower() for name in _PREFETCH_HEADERS)
        ahead = any(purpose.startswith(("prefetch", "prerender")) for purpose in purposes)
        return cls((headers.get("User-Agent") or "").strip(), ahead)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an event at the edge. Immutable."""

    token: Token | None
    """None where the text is no token of ours."""
    verdict: InvalidReason | None
    """None where it counts, as far as the edge can tell."""


class Acceptance:
    """Judges events and has them recorded before they are answered. Immutable, shared by all threads."""

    def __init__(
        self,
        codec: TokenCodec,
        recorder: Recorder,
        has_variant: Callable[[IdHash, Variant], bool],
        wall_clock: Callable[[], float],
    ) -> None:
        """Take what it needs; `has_variant` says whether a creative has a length (False where it is not known)."""
        self._codec = codec
        self._has_variant = has_variant
        self._recorder = recorder
        self._wall_clock = wall_clock

    def accept(self, text: str, kind: EventKind, reported: Variant, signals: Signals) -> Accepted:
        """Judge and record one event of the token `text`; return the token, if it is ours, and the verdict."""
        second = int(self._wall_clock())
        try:
            token = self._codec.decode(text)
        except TokenInvalid:
            token = None
        verdict = judge(token, kind, signals, second)
        if token is None or not self._has_variant(token.creative, reported):
            reported = Variant.AUTO
        self._recorder.event(token, kind, verdict, reported, second)
        return Accepted(token, verdict)


def judge(token: Token | None, kind: EventKind, signals: Signals, second: int) -> InvalidReason | None:
    """Return the first reason that holds against an event at `second` (Unix time), or None.

    The order is the contract's: signature, expired, prefetch, internal, no_user_agent, bot, rate.
    """
    if token is None:
        return InvalidReason.SIGNATURE
    life = CLICK_LIFE_SECONDS if kind is EventKind.CLICK else VIEW_LIFE_SECONDS
    if second - token.issued_second > life:
        return InvalidReason.EXPIRED
    if signals.prefetch:
        return InvalidReason.PREFETCH
    if not signals.user_agent:
        return InvalidReason.NO_USER_AGENT
    return None
