from dataclasses import dataclass, field

import pytest
from werkzeug.datastructures import Headers

from adserver.counting.acceptance import Acceptance, Signals
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.token import Token, TokenCodec
from adserver.domain.variants import Variant

NOW = 1_795_500_000
CODEC = TokenCodec((b"k" * 32,))
READER = Signals("Mozilla/5.0", prefetch=False)


@dataclass
class Recorded:
    """A `Recorder` that remembers the events."""

    events: list[tuple[Token | None, EventKind, InvalidReason | None, Variant]] = field(default_factory=list)

    def fill(self, token: Token) -> None: ...

    def no_fill(
        self, *, slot: IdHash, place: IdHash, topic: IdHash, variant: Variant, reason: NoFillReason, second: int
    ) -> None: ...

    def event(
        self, token: Token | None, kind: EventKind, reason: InvalidReason | None, reported: Variant, second: int
    ) -> None:
        assert second == NOW
        self.events.append((token, kind, reason, reported))

    def took(self, seconds: float) -> None: ...


def text(*, age_seconds: int = 0, codec: TokenCodec = CODEC) -> str:
    return codec.encode(
        Token(
            issuer=b"issuer",
            shard=0,
            sequence=0,
            issued_second=NOW - age_seconds,
            flight=id_hash(Kind.FLIGHT, "minnesota"),
            creative=id_hash(Kind.CREATIVE, "elevate"),
            slot=id_hash(Kind.SLOT, "masthead"),
            place=Kind.PLACE.unknown,
            topic=Kind.TOPIC.none,
            variant=Variant.AUTO,
        )
    )


def verdict(token: str, kind: EventKind = EventKind.SEEN, signals: Signals = READER) -> InvalidReason | None:
    recorded = Recorded()
    accepted = Acceptance(CODEC, recorded, lambda *_: True, lambda: NOW).accept(token, kind, Variant.SHORT, signals)
    ((_, recorded_kind, reason, _),) = recorded.events
    assert (recorded_kind, reason) == (kind, accepted.verdict)
    return accepted.verdict


@pytest.mark.parametrize(
    ("kind", "age_seconds", "expected"),
    [
        (EventKind.SEEN, 0, None),
        (EventKind.SEEN, 7_200, None),
        (EventKind.SEEN, 7_201, InvalidReason.EXPIRED),
        (EventKind.VIEWABLE, 7_201, InvalidReason.EXPIRED),
        (EventKind.CLICK, 7_201, None),
        (EventKind.CLICK, 86_400, None),
        (EventKind.CLICK, 86_401, InvalidReason.EXPIRED),
    ],
)
def test_a_token_is_good_two_hours_for_views_and_a_day_for_clicks(
    kind: EventKind, age_seconds: int, expected: InvalidReason | None
) -> None:
    assert verdict(text(age_seconds=age_seconds), kind) is expected


@pytest.mark.parametrize("token", ["", "no token", text(codec=TokenCodec((b"other key" * 3,)))])
def test_what_no_live_key_signed_is_invalid_signature(token: str) -> None:
    assert verdict(token) is InvalidReason.SIGNATURE


def test_an_empty_user_agent_is_invalid() -> None:
    assert verdict(text(), signals=Signals.of(Headers())) is InvalidReason.NO_USER_AGENT
    assert verdict(text(), signals=Signals.of(Headers({"User-Agent": "  "}))) is InvalidReason.NO_USER_AGENT


@pytest.mark.parametrize(
    "header",
    [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Sec-Purpose", "prefetch;anonymous-client-ip"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
    ],
)
def test_what_a_browser_fetches_ahead_is_invalid_prefetch(header: tuple[str, str]) -> None:
    signals = Signals.of(Headers([header, ("User-Agent", "Mozilla/5.0")]))

    assert verdict(text(), signals=signals) is InvalidReason.PREFETCH


def test_the_first_reason_that_holds_is_the_verdict() -> None:
    worst = Signals("", prefetch=True)

    assert verdict("no token", signals=worst) is InvalidReason.SIGNATURE
    assert verdict(text(age_seconds=9_999), signals=worst) is InvalidReason.EXPIRED
    assert verdict(text(), signals=worst) is InvalidReason.PREFETCH


def test_a_length_that_the_creative_lacks_is_recorded_as_the_servers_own() -> None:
    recorded = Recorded()
    acceptance = Acceptance(CODEC, recorded, lambda _, variant: variant is Variant.SHORT, lambda: NOW)
    acceptance.accept(text(), EventKind.SEEN, Variant.SHORT, READER)
    acceptance.accept(text(), EventKind.SEEN, Variant.LONG, READER)

    assert [reported for *_, reported in recorded.events] == [Variant.SHORT, Variant.AUTO]
