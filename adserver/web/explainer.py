"""Answers why a slot shows what it shows: reads the question, finds the catalog of its moment, and asks the rules."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final, Protocol

import msgspec

from adserver.catalog.moments import Moments
from adserver.decision.explaining import Account, Explanation, explain, explain_winner
from adserver.decision.paces import Paces
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.errors import Fault, InputRefused, ParameterRefused
from adserver.domain.ids import SlotId
from adserver.domain.token import Token, TokenCodec, TokenInvalid
from adserver.web.clicks import PlaceNames
from adserver.web.parameters import (
    PlaceResolver,
    check_limit,
    is_slot_id,
    read_excludes,
    read_place,
    read_topics,
    read_variant,
)
from adserver.web.serving import DeliveredSource

AS_OF_NOW: Final = (
    "Goals are judged by what is delivered by now, and nothing is stopped by pace or cap: the past's are not kept."
)


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    slot: str | None = None
    location: str | None = None
    topics: list[str] = []
    variant: str | None = None
    max_chars: int | None = None
    exclude: list[str] = []
    at: str | None = None
    token: str | None = None


class Places(PlaceResolver, PlaceNames, Protocol):
    """What pages write and what tokens carry, as places."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An explanation and what it is of. Immutable."""

    explanation: Explanation
    request: SlotRequest
    at: datetime
    """Aware UTC."""
    revision: int
    notes: tuple[str, ...]

    def to_json(self, sees: Callable[[str], bool]) -> dict[str, object]:
        """Return the answer as the API gives it, with the flights of the advertisers that the caller sees."""
        decision = self.explanation.decision
        return {
            "slot": self.request.slot,
            "place": self.request.place.id if self.request.place is not None else None,
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "revision": self.revision,
            "winner": _winner(decision) if isinstance(decision, Fill) and sees(decision.advertiser.id) else None,
            "no_fill": None if isinstance(decision, Fill) else decision.reason.value,
            "odds_of_no_fill": float(self.explanation.odds_of_nobody),
            "flights": [
                _account(account) for account in self.explanation.accounts if sees(account.flight.advertiser.id)
            ],
            "notes": list(self.notes),
        }


class Explainer:
    """Explains decisions. Shared by all threads."""

    def __init__(
        self,
        *,
        moments: Moments,
        delivered: DeliveredSource,
        places: Places,
        codec: TokenCodec,
        clock: Callable[[], datetime],
        rng: Random,
        paces: Paces | None = None,
    ) -> None:
        """Take what a decision needs; `rng` draws the winner where a token does not say it.

        `paces` holds what goals and caps leave to this process now; None: all. The past's are not kept.
        """
        self._moments = moments
        self._delivered = delivered
        self._places = places
        self._codec = codec
        self._clock = clock
        self._rng = rng
        self._paces = paces

    def answer(self, document: object) -> Answer:
        """Return why a slot shows what it does, by a question as `POST /v1/explain` takes it.

        Raises:
            InputRefused: the question is not of that shape.
            ParameterRefused: one of its values cannot be read.
            NothingLive, StoreUnavailable, RevisionUnreadable: see `Moments.at`.
        """
        try:
            asked = msgspec.convert(document, _Asked)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            fault = Fault(path.strip(".`"), message[:1].lower() + message[1:])
            raise InputRefused((fault,)) from error
        if (asked.token is None) == (asked.slot is None):
            raise InputRefused((Fault("slot", "give either a slot, with what its page asks, or a token"),))
        return self._by_request(asked) if asked.token is None else self._by_token(asked.token)

    def _by_request(self, asked: _Asked) -> Answer:
        if asked.slot is None or not is_slot_id(asked.slot):
            raise ParameterRefused("slot", "is no slot's id: small letters, digits and hyphens, at most 64")
        request = SlotRequest(
            slot=SlotId(asked.slot),
            place=read_place("location", asked.location, self._places),
            topics=read_topics("topics", asked.topics),
            variant=read_variant("variant", asked.variant),
            max_chars=check_limit("max_chars", asked.max_chars),
            exclude=read_excludes("exclude", asked.exclude),
        )
        now = self._clock()
        at = now if asked.at is None else _read_moment("at", asked.at)
        is_past = asked.at is not None and at < now
        snapshot = self._moments.at(at)[0] if is_past else self._moments.now()
        explanation = explain(
            self._question(request, snapshot, at, None if is_past else self._paces), snapshot, self._rng
        )
        return Answer(explanation, request, at, snapshot.revision, (AS_OF_NOW,) if is_past else ())

    def _by_token(self, text: str) -> Answer:
        try:
            token = self._codec.decode(text)
        except TokenInvalid as error:
            raise ParameterRefused("token", "is none of this service's, or is not whole") from error
        at = datetime.fromtimestamp(token.issued_second, UTC)
        # The second is the first of its part: what was published within it may have been live.
        for snapshot in self._moments.at(at.replace(microsecond=999_999)):
            answer = self._of_token(token, at, snapshot)
            if answer is not None:
                return answer
        raise ParameterRefused("token", "its flight was not in the catalog that was live at its second")

    def _of_token(self, token: Token, at: datetime, snapshot: Snapshot) -> Answer | None:
        slot = snapshot.slot_by_hash(token.slot)
        flight = snapshot.flight_by_hash(token.flight)
        target = snapshot.creative_by_hash(token.creative, at)
        if slot is None or flight is None or target is None:
            return None
        topics = tuple(topic for topic, hash_ in snapshot.hashes.topics.items() if hash_ == token.topic)
        request = SlotRequest(slot.id, self._places.by_hash(token.place), topics, token.variant)
        question = self._question(request, snapshot, at)
        explanation = explain_winner(question, snapshot, flight, target.creative)
        if explanation is None:
            return None
        notes = (AS_OF_NOW, "A token keeps neither max_chars nor exclude, and of the topics the first.")
        return Answer(explanation, request, at, snapshot.revision, notes)

    def _question(self, request: SlotRequest, snapshot: Snapshot, at: datetime, paces: Paces | None = None) -> Question:
        slot = snapshot.slot(request.slot)
        if slot is None:
            raise ParameterRefused("slot", "the catalog has no slot of that id")
        return Question(request, slot, at, self._delivered.current(), paces=paces)


def _read_moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ParameterRefused(name, "takes a time such as 2026-11-24T08:00:00-06:00") from error
    if moment.tzinfo is None:
        raise ParameterRefused(name, "takes a time with its offset from UTC, such as 2026-11-24T08:00:00-06:00")
    return moment.astimezone(UTC)


def _winner(fill: Fill) -> dict[str, object]:
    return {
        "campaign": fill.campaign.id,
        "flight": fill.flight.id,
        "creative": fill.creative.id,
        "variant": fill.shown.value,
    }


def _account(account: Account) -> dict[str, object]:
    flight = account.flight
    return {
        "campaign": flight.campaign.id,
        "flight": flight.flight.id,
        "tier": flight.flight.tier.value,
        "reason": account.reason.value if account.reason is not None else None,
        "detail": account.detail,
        "odds": float(account.odds),
    }
