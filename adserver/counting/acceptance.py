"""An event reaches a worker: the verdict of the edge is made here, once, and stands in its record."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from adserver.counting.addresses import Address, parse_address
from adserver.counting.recorder import Recorder
from adserver.counting.records import Event
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
    """What a request tells of its sender beside the token. Nothing of it is stored, or shown. Immutable."""

    user_agent: str = field(repr=False)
    prefetch: bool = False
    """The browser fetched ahead of a reader who may never look (`Sec-Purpose`, `Purpose`, `X-Moz`)."""
    address: str = field(default="", repr=False)
    """The sender's, as far as proxies that are trusted tell it."""
    unwatched: bool = False
    """The reader asks not to be followed from one page to the next (`Sec-GPC: 1`)."""

    @classmethod
    def of(cls, headers: Headers, address: str | None = None) -> Self:
        """Read the signals of a request's headers; `address` is its sender's."""
        purposes = ((headers.get(name) or "").strip().lower() for name in _PREFETCH_HEADERS)
        ahead = any(purpose.startswith(("prefetch", "prerender")) for purpose in purposes)
        agent = (headers.get("User-Agent") or "").strip()
        return cls(agent, ahead, address or "", (headers.get("Sec-GPC") or "").strip() == "1")


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an event at the edge. Immutable."""

    token: Token | None
    """None where the text is no token of ours."""
    verdict: InvalidReason | None
    """None where it counts, as far as the edge can tell."""


class SourceLimit(Protocol):
    """Knows how much each source has sent of late."""

    def take(self, address: str) -> bool:
        """Note one event; return whether it is beyond what its source may send."""
        ...


class ReaderCuts(Protocol):
    """Tells readers apart for a day, without knowing any."""

    def cut(self, token: Token, address: str, user_agent: str) -> int:
        """Return 32 bits that stand for a reader on the day of a token, 0 where there are none."""
        ...


@dataclass(frozen=True, slots=True)
class Edge:
    """What else an event is judged by. Immutable, shared by all threads, as its parts are."""

    is_internal: Callable[[IdHash, Address], bool]
    """Whether the site of a slot calls an address its own."""
    is_bot: Callable[[str], bool]
    """Whether an agent is a program's."""
    sources: SourceLimit
    readers: ReaderCuts
    has_variant: Callable[[IdHash, Variant], bool]
    """Whether a creative has a length; False where it is not known."""


class Acceptance:
    """Judges events and has them recorded before they are answered. Immutable, shared by all threads."""

    def __init__(self, codec: TokenCodec, recorder: Recorder, edge: Edge, wall_clock: Callable[[], float]) -> None:
        """Take what it needs; the clock tells Unix time."""
        self._codec = codec
        self._edge = edge
        self._recorder = recorder
        self._wall_clock = wall_clock

    def accept(self, text: str, kind: EventKind, reported: Variant, signals: Signals) -> Accepted:
        """Judge and record one event of the token `text`; return the token, if it is ours, and the verdict."""
        second = int(self._wall_clock())
        is_burst = self._edge.sources.take(signals.address)
        try:
            token = self._codec.decode(text)
        except TokenInvalid:
            token = None
        verdict = judge(token, kind, signals, self._edge, second)
        if verdict is None and is_burst:
            verdict = InvalidReason.RATE
        if token is None or not self._edge.has_variant(token.creative, reported):
            reported = Variant.AUTO
        reader = self._reader(token, kind, verdict, signals)
        self._recorder.event(Event(token, kind, verdict, reported, second, reader))
        return Accepted(token, verdict)

    def _reader(self, token: Token | None, kind: EventKind, verdict: InvalidReason | None, signals: Signals) -> int:
        """Return what stands for the reader in the record; 0 for all but views that may count."""
        if token is None or verdict is not None or kind is EventKind.CLICK or signals.unwatched:
            return 0
        return self._edge.readers.cut(token, signals.address, signals.user_agent)


def judge(token: Token | None, kind: EventKind, signals: Signals, edge: Edge, second: int) -> InvalidReason | None:
    """Return the first reason that one event alone gives against itself at `second` (Unix time), or None.

    The order is the contract's: signature, expired, prefetch, internal, no_user_agent, bot; then comes `rate`.
    """
    if token is None:
        return InvalidReason.SIGNATURE
    life = CLICK_LIFE_SECONDS if kind is EventKind.CLICK else VIEW_LIFE_SECONDS
    if second - token.issued_second > life:
        return InvalidReason.EXPIRED
    return _judge_sender(token, signals, edge)


def _judge_sender(token: Token, signals: Signals, edge: Edge) -> InvalidReason | None:
    if signals.prefetch:
        return InvalidReason.PREFETCH
    address = parse_address(signals.address)
    if address is not None and edge.is_internal(token.slot, address):
        return InvalidReason.INTERNAL
    if not signals.user_agent:
        return InvalidReason.NO_USER_AGENT
    return InvalidReason.BOT if edge.is_bot(signals.user_agent) else None
