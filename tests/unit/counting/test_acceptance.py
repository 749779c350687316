from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import pytest
from edges import make_edge
from werkzeug.datastructures import Headers

from adserver.counting.acceptance import Acceptance, Edge, Signals
from adserver.counting.addresses import Address
from adserver.counting.records import DecisionKey, Event
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.token import Token, TokenCodec
from adserver.domain.variants import Variant

NOW = 1_795_500_000
CODEC = TokenCodec((b"k" * 32,))
READER = Signals("Mozilla/5.0 (X11; Linux x86_64) Firefox/156.0", address="203.0.113.7")


@dataclass
class Recorded:
    """A `Recorder` that remembers the events."""

    events: list[tuple[Token | None, EventKind, InvalidReason | None, Variant]] = field(default_factory=list)
    readers: list[int] = field(default_factory=list)

    def fill(self, token: Token) -> None: ...

    def no_fill(self, key: DecisionKey) -> None: ...

    def event(self, event: Event) -> None:
        assert event.second == NOW
        self.events.append(event[:4])
        self.readers.append(event.reader)

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


def verdict(
    token: str, kind: EventKind = EventKind.SEEN, signals: Signals = READER, edge: Edge | None = None
) -> InvalidReason | None:
    recorded = Recorded()
    accepted = Acceptance(CODEC, recorded, edge or make_edge(), lambda: NOW).accept(token, kind, Variant.SHORT, signals)
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


def test_the_order_of_reasons_is_the_contracts() -> None:
    worst = Signals("", prefetch=True, address="192.0.2.1")
    edge = make_edge(is_internal=lambda *_: True, is_bot=lambda _: True, burst=True)
    no_prefetch = replace(worst, prefetch=False)
    elsewhere = make_edge(is_bot=lambda _: True, burst=True)

    assert verdict("no token", signals=worst, edge=edge) is InvalidReason.SIGNATURE
    assert verdict(text(age_seconds=9_999), signals=worst, edge=edge) is InvalidReason.EXPIRED
    assert verdict(text(), signals=worst, edge=edge) is InvalidReason.PREFETCH
    assert verdict(text(), signals=no_prefetch, edge=edge) is InvalidReason.INTERNAL
    assert verdict(text(), signals=no_prefetch, edge=elsewhere) is InvalidReason.NO_USER_AGENT
    assert verdict(text(), signals=READER, edge=elsewhere) is InvalidReason.BOT
    assert verdict(text(), signals=READER, edge=make_edge(burst=True)) is InvalidReason.RATE


def test_staff_is_told_by_the_networks_of_the_slots_site() -> None:
    asked: list[tuple[IdHash, Address]] = []

    def is_internal(slot: IdHash, address: Address) -> bool:
        asked.append((slot, address))
        return False

    edge = make_edge(is_internal=is_internal)
    assert verdict(text(), signals=replace(READER, address="::ffff:192.0.2.9"), edge=edge) is None
    assert verdict(text(), signals=replace(READER, address=""), edge=edge) is None
    assert asked == [(id_hash(Kind.SLOT, "masthead"), ip_address("192.0.2.9"))]


def cut_of(kind: EventKind, signals: Signals, token: str | None = None) -> int:
    recorded = Recorded()
    acceptance = Acceptance(CODEC, recorded, make_edge(is_bot=lambda agent: agent == "bot"), lambda: NOW)
    acceptance.accept(token or text(), kind, Variant.SHORT, signals)
    return recorded.readers[0]


def test_only_views_that_may_count_tell_readers_apart() -> None:
    assert cut_of(EventKind.SEEN, READER) == 7
    assert cut_of(EventKind.VIEWABLE, READER) == 7
    assert cut_of(EventKind.CLICK, READER) == 0
    assert cut_of(EventKind.SEEN, READER, token="no token") == 0
    assert cut_of(EventKind.SEEN, replace(READER, user_agent="bot")) == 0


def test_who_asks_not_to_be_followed_is_not() -> None:
    asking = Signals.of(Headers({"Sec-GPC": "1", "User-Agent": "Mozilla/5.0"}), "203.0.113.7")
    not_asking = Signals.of(Headers({"Sec-GPC": "0", "User-Agent": "Mozilla/5.0"}), "203.0.113.7")

    assert cut_of(EventKind.SEEN, asking) == 0
    assert cut_of(EventKind.SEEN, not_asking) == 7


def test_signals_show_neither_address_nor_agent() -> None:
    assert "203.0.113.7" not in repr(READER)
    assert "Mozilla" not in repr(READER)


def test_a_length_that_the_creative_lacks_is_recorded_as_the_servers_own() -> None:
    recorded = Recorded()
    acceptance = Acceptance(
        CODEC, recorded, make_edge(has_variant=lambda _, variant: variant is Variant.SHORT), lambda: NOW
    )
    acceptance.accept(text(), EventKind.SEEN, Variant.SHORT, READER)
    acceptance.accept(text(), EventKind.SEEN, Variant.LONG, READER)

    assert [reported for *_, reported in recorded.events] == [Variant.SHORT, Variant.AUTO]
