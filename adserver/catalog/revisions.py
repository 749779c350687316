"""One published state of the catalog, with who published it, when and why; and its form in store and data folder."""

import hashlib
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

import msgspec

from adserver.catalog.documents import Documents, JsonObject, JsonValue
from adserver.catalog.plan import Change, Plan
from adserver.domain.errors import AdserverError

FORMAT_VERSION: Final = 1
_DIGEST_BYTES: Final = 8


class RevisionUnreadable(AdserverError):
    """Bytes of a revision are damaged, or of a version that this one does not know."""


@dataclass(frozen=True, slots=True)
class Head:
    """Which revision is live. Two hosts that lost sight of each other may give one number twice: the digest tells."""

    number: int
    """0: nothing was published yet."""
    digest: str
    """16 hex digits, empty where there is no revision."""

    def __str__(self) -> str:
        return f"{self.number} {self.digest}"


NO_HEAD: Final = Head(0, "")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the history says of a revision. Immutable."""

    number: int
    """From 1; rises with every change, also after a loss of the store."""
    author: str
    at: datetime
    """Aware UTC, whole milliseconds."""
    message: str
    plan: Plan
    """What it changed."""

    def to_json(self) -> JsonObject:
        """Return the entry as the API shows it; `at` in ISO 8601."""
        return {
            "number": self.number,
            "author": self.author,
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "message": self.message,
            "plan": self.plan.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision, whole. Immutable."""

    entry: Entry
    documents: Documents

    @property
    def number(self) -> int:
        """Its place in the history, from 1."""
        return self.entry.number

    @property
    def head(self) -> Head:
        """What the store's head says while this revision is live."""
        digest = hashlib.blake2b(encode_entry(self.entry), digest_size=_DIGEST_BYTES)
        digest.update(_documents_json(self.documents))
        return Head(self.number, digest.hexdigest())


class _ChangeForm(msgspec.Struct, frozen=True):
    path: str
    before: object = msgspec.field(name="from")
    after: object = msgspec.field(name="to")


class _PlanForm(msgspec.Struct, frozen=True):
    add: tuple[str, ...]
    change: tuple[_ChangeForm, ...]
    remove: tuple[str, ...]


class _EntryForm(msgspec.Struct, frozen=True):
    version: int
    number: int
    author: str
    at_milliseconds: int
    message: str
    plan: _PlanForm


class _DocumentsForm(msgspec.Struct, frozen=True):
    campaign_files: dict[str, dict[str, object]]
    slots: dict[str, object] | None
    rules: dict[str, object] | None


def to_milliseconds(at: datetime) -> datetime:
    """Return a time as revisions keep it: UTC, cut to whole milliseconds."""
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def encode_entry(entry: Entry) -> bytes:
    """Return an entry as versioned JSON."""
    plan = entry.plan
    changes = tuple(_ChangeForm(one.path, one.before, one.after) for one in plan.change)
    milliseconds = round(entry.at.timestamp() * 1000)
    form = _PlanForm(plan.add, changes, plan.remove)
    return msgspec.json.encode(
        _EntryForm(FORMAT_VERSION, entry.number, entry.author, milliseconds, entry.message, form)
    )


def decode_entry(data: bytes) -> Entry:
    """Return the entry that `encode_entry` wrote.

    Raises:
        RevisionUnreadable: damaged, or of another version.
    """
    try:
        form = msgspec.json.decode(data, type=_EntryForm)
    except msgspec.DecodeError as error:
        raise RevisionUnreadable(f"an entry of the history cannot be read: {error}") from error
    _check_version(form.version)
    changes = tuple(
        Change(one.path, cast("JsonValue", one.before), cast("JsonValue", one.after)) for one in form.plan.change
    )
    at = datetime.fromtimestamp(form.at_milliseconds / 1000, UTC)
    return Entry(form.number, form.author, at, form.message, Plan(form.plan.add, changes, form.plan.remove))


def encode_documents(documents: Documents) -> bytes:
    """Return documents as a version byte and deflated JSON, in the key order of the files; positions are left out."""
    return bytes((FORMAT_VERSION,)) + zlib.compress(_documents_json(documents))


def decode_documents(data: bytes) -> Documents:
    """Return the documents that `encode_documents` wrote.

    Raises:
        RevisionUnreadable: damaged, or of another version.
    """
    _check_version(data[0] if data else None)
    try:
        form = msgspec.json.decode(zlib.decompress(data[1:]), type=_DocumentsForm)
    except (zlib.error, msgspec.DecodeError) as error:
        raise RevisionUnreadable(f"the documents of a revision cannot be read: {error}") from error
    files = cast("dict[str, JsonObject]", form.campaign_files)
    return Documents(files, cast("JsonObject | None", form.slots), cast("JsonObject | None", form.rules))


def _documents_json(documents: Documents) -> bytes:
    return msgspec.json.encode(
        {"campaign_files": documents.campaign_files, "slots": documents.slots, "rules": documents.rules}
    )


def _check_version(version: int | None) -> None:
    if version != FORMAT_VERSION:
        raise RevisionUnreadable(f"a revision has format {version}; this version reads format {FORMAT_VERSION}")
