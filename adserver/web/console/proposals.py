"""Asks the desk what a draft would change, and publishes it: the same check, limits and words for every page."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from adserver.catalog.desk import Outcome, Upload, UploadDesk, UploadKind
from adserver.catalog.merging import Extent
from adserver.catalog.publish import Publisher
from adserver.catalog.reading import UnreadableDocument
from adserver.catalog.revisions import Entry
from adserver.domain.catalog import CapScope
from adserver.domain.errors import (
    AdserverError,
    Fault,
    IdTaken,
    InputRefused,
    InputTooLarge,
    UnknownAdvertiser,
    UnreadableInput,
    UnsupportedFormat,
)
from adserver.domain.hours import WEEKDAYS
from adserver.web.auth import Principal
from adserver.web.console.drafts import Draft
from adserver.web.limits import CallLimit, session_key
from adserver.web.store_gate import StoreGate

_STATUSES: Final[dict[type[AdserverError], int]] = {
    InputRefused: 422,
    IdTaken: 409,
    UnknownAdvertiser: 404,
    UnreadableInput: 400,
    InputTooLarge: 413,
    UnsupportedFormat: 415,
}
_DAYS: Final = frozenset(WEEKDAYS)
_SCOPES: Final[dict[str, str]] = {CapScope.READER: "each reader", CapScope.FLIGHT: "all readers"}
REFUSALS: Final[tuple[type[AdserverError], ...]] = tuple(_STATUSES)
"""What the sender of a draft can mend; all else is the console's page of problems."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a draft was not taken. Immutable."""

    status: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of a plan. Immutable."""

    kind: str
    """`add`, `change` or `remove`."""
    thing: str
    """What it is about, by ids: `campaigns.qwiket-season.flights.minnesota`."""
    field: str = ""
    """Of `change`."""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a draft would change. Immutable."""

    base: int
    lines: tuple[PlanLine, ...]
    files: tuple[dict[str, Any], ...]
    """The draft as it was read, file by file; empty where it was not asked for."""

    @property
    def campaigns(self) -> tuple[tuple[str, str], ...]:
        """Id and name of every campaign in the draft."""
        return tuple((str(one["id"]), str(one["name"])) for file in self.files for one in file.get("campaigns", ()))

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """How many lines are of each kind."""
        kinds = [line.kind for line in self.lines]
        return tuple((kind, kinds.count(kind)) for kind in ("add", "change", "remove"))


class Proposer:
    """Takes drafts to the desk, for people who have signed in. Shared by all threads, as the desk is."""

    def __init__(self, desk: UploadDesk, publisher: Publisher, uploads: CallLimit, gate: StoreGate) -> None:
        """Take what uploads go to, what is live, how often people may send, and how many may be with the store."""
        self._desk = desk
        self._publisher = publisher
        self._uploads = uploads
        self._gate = gate

    def propose(self, draft: Draft, caller: Principal) -> Proposal:
        """Return what publishing a draft would change.

        Raises:
            InputRefused, IdTaken, UnknownAdvertiser, UnreadableInput, InputTooLarge: see `REFUSALS`.
            TooManyCalls, StoreUnavailable, RevisionUnreadable: not now.
        """
        outcome = self._take(draft, caller, "", None, dry_run=True)
        plan = msgspec.json.decode(outcome.plan)
        files = msgspec.json.decode(outcome.files)["files"]
        return Proposal(outcome.base, plan_lines(plan), tuple(files))

    def publish(self, draft: Draft, caller: Principal, message: str, base: int) -> Outcome:
        """Publish a draft, if the revision that its sender looked at is live still.

        Raises:
            StaleBase: it is not.
            InputRefused, IdTaken, UnknownAdvertiser, UnreadableInput, InputTooLarge: see `REFUSALS`.
            TooManyCalls, StoreUnavailable, RevisionUnreadable: not now.
        """
        return self._take(draft, caller, message, base, dry_run=False)

    def newest(self) -> Entry | None:
        """Return who published last, or None where nobody did.

        Raises:
            StoreUnavailable: not now.
        """
        with self._gate.entered():
            return next(iter(self._publisher.history()), None)

    def _take(self, draft: Draft, caller: Principal, message: str, base: int | None, *, dry_run: bool) -> Outcome:
        self._uploads.take(session_key(caller.token_id))
        advertisers = None if caller.advertisers is None else tuple(sorted(caller.advertisers))
        upload = Upload(
            UploadKind.CAMPAIGNS,
            draft.data,
            draft.form,
            Extent.NAMED,
            caller.name,
            message,
            base,
            dry_run,
            advertisers,
            with_files=dry_run,
        )
        return self._desk.take(upload, self._gate.entered)


def refusal_of(error: AdserverError) -> Refusal:
    """Return one of `REFUSALS` as its sender sees it."""
    status = next(status for kind, status in _STATUSES.items() if isinstance(error, kind))
    if isinstance(error, InputRefused | IdTaken | UnknownAdvertiser):
        return Refusal(status, error.faults)
    if isinstance(error, UnreadableDocument):
        return Refusal(status, (error.fault,))
    return Refusal(status, (Fault("", str(error)),))


def plan_lines(plan: dict[str, Any]) -> tuple[PlanLine, ...]:
    """Return a plan, as the API shows it, line by line: what is added, then changed, then removed."""
    return (
        *(PlanLine("add", path) for path in plan["add"]),
        *(_change_line(one) for one in plan["change"]),
        *(PlanLine("remove", path) for path in plan["remove"]),
    )


def _change_line(change: dict[str, Any]) -> PlanLine:
    steps = change["path"].split(".")
    depth = 4 if len(steps) > 4 and steps[0] == "campaigns" and steps[2] in ("creatives", "flights") else 2
    thing, field = ".".join(steps[:depth]), ".".join(steps[depth:])
    return PlanLine("change", thing, field, words_of_value(change["from"]), words_of_value(change["to"]))


def words_of_value(value: object) -> str:
    """Return a value of a plan as people read it; empty where it is left out."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        items = sorted(value, key=WEEKDAYS.index) if set(map(str, value)) <= _DAYS else value
        return ", ".join(map(words_of_value, items))
    if isinstance(value, dict):
        return _words_of_mapping({name: words_of_value(one) for name, one in value.items() if one is not None})
    return str(value) if not isinstance(value, float) else f"{value:g}"


def _words_of_mapping(words: dict[str, str]) -> str:
    if "near" in words:
        unit = "km" if "km" in words else "miles"
        return f"{words.get(unit, '')} {unit} around {words['near']}"
    if "scope" in words:
        return f"{words.get('impressions')} a {words.get('per')} for {_SCOPES.get(words['scope'], words['scope'])}"
    return " ".join(f"{name} {one}" for name, one in words.items())
