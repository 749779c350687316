"""Codes stand in tokens, spools and Redis for years: each is pinned here, and never given to another word."""

from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant


def test_codes_of_no_fill_reasons_and_their_order_are_the_contracts() -> None:
    words = [
        "unknown_slot",
        "slot",
        "paused",
        "not_started",
        "ended",
        "hours",
        "place",
        "place_excluded",
        "place_unknown",
        "regulated",
        "topic",
        "topic_excluded",
        "variant",
        "disclosure",
        "category_blocked",
        "goal_met",
        "pacing",
        "cap",
        "takeover",
        "competitor",
        "same_sponsor",
        "excluded",
        "lower_tier",
        "lost_draw",
    ]

    assert [(reason.value, reason.code) for reason in NoFillReason] == list(zip(words, range(1, 25), strict=True))


def test_codes_of_invalid_reasons_are_pinned_in_the_order_of_the_verdicts() -> None:
    words = [
        "signature",
        "expired",
        "prefetch",
        "internal",
        "no_user_agent",
        "bot",
        "rate",
        "duplicate",
        "no_view",
        "over",
    ]

    assert [(reason.value, reason.code) for reason in InvalidReason] == list(zip(words, range(1, 11), strict=True))


def test_codes_of_events_and_variants_are_pinned() -> None:
    assert {kind.value: kind.code for kind in EventKind} == {"seen": 0, "viewable": 1, "click": 2}
    assert {variant.value: variant.code for variant in Variant} == {"auto": 0, "name": 1, "short": 2, "long": 3}


def test_hashes_of_ids_are_the_same_for_ever() -> None:
    assert {kind.value: id_hash(kind, "masthead").hex() for kind in Kind} == {
        "flight": "a3a58391aa91",
        "creative": "59256bc1d300",
        "slot": "e4f98ac526",
        "place": "8e16940426",
        "topic": "bbc472cd",
    }
