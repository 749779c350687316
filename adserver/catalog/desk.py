"""Where uploads are taken: read, then published; in this process, or behind the same port in another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from adserver.catalog.documents import Documents, mapping
from adserver.catalog.edits import Edit, edit_documents
from adserver.catalog.faults import make_fault
from adserver.catalog.merging import Extent, Within
from adserver.catalog.publish import Published, Publisher
from adserver.catalog.upload import Format, place_in_upload, read_campaigns, read_rules, read_slots
from adserver.domain.errors import IdTaken, InputRefused, StoreUnavailable, UnknownAdvertiser


class UploadKind(StrEnum):
    """What an upload holds."""

    CAMPAIGNS = "campaigns"
    SLOTS = "slots"
    RULES = "rules"
    EDIT = "edit"
    """A change that needs no file: an `Edit` as JSON, made by us."""


_READERS: Final[Mapping[UploadKind, Callable[[bytes, Format], Documents]]] = {
    UploadKind.CAMPAIGNS: read_campaigns,
    UploadKind.SLOTS: read_slots,
    UploadKind.RULES: read_rules,
}


class Upload(msgspec.Struct, frozen=True):
    """What someone sent, unread. Immutable."""

    kind: UploadKind
    data: bytes
    form: Format
    extent: Extent
    author: str
    message: str
    base: int | None
    """The revision that the sender looked at; None: whichever is live."""
    dry_run: bool
    advertisers: tuple[str, ...] | None = None
    """Those whose things exist for the sender; None: all."""
    with_files: bool = False
    """Whether the outcome is to hold what was read."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of an upload. Immutable."""

    base: int
    revision: int | None
    """See `Published`."""
    plan: bytes
    """As JSON, as the API shows it, with its effects."""
    files: bytes = b""
    """What was read, each file checked alone, as an upload of JSON; only where the sender asked for it."""

    @property
    def live(self) -> int:
        """The number of the revision that is live now."""
        return self.base if self.revision is None else self.revision


class UploadNotTaken(StoreUnavailable):
    """An upload was not taken, or nobody can tell whether it was; its message tells the sender what to do."""


Entered = Callable[[], AbstractContextManager[None]]
"""Is entered for as long as an upload works with the store; raises StoreUnavailable where it may not."""


class UploadDesk(Protocol):
    """Takes uploads, from any thread. Fails closed: nothing is published unless it says so."""

    def take(self, upload: Upload, entered: Entered) -> Outcome:
        """Read an upload and publish it.

        Raises:
            UnreadableInput, InputTooLarge: it cannot be read.
            UnknownAdvertiser, NotLive: it is about what does not exist, or not for its sender.
            InputRefused, IdTaken, StaleBase, StoreUnavailable, RevisionUnreadable: see `Publisher.publish`.
            UploadNotTaken: there are too many, or what takes them ended.
        """


class LocalDesk:
    """Takes uploads in this process. Shared by all threads, as its publisher is."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def take(self, upload: Upload, entered: Entered) -> Outcome:
        """Read an upload and publish it."""
        documents = read_documents(upload)
        with entered():
            return publish_documents(self._publisher, upload, documents)


def read_documents(upload: Upload) -> Documents:
    """Return what an upload holds, each file checked alone.

    Raises:
        UnreadableInput, InputTooLarge, InputRefused: see `read_campaigns`.
        UnknownAdvertiser: it is about one that does not exist for its sender.
    """
    if upload.kind is UploadKind.EDIT:
        return Documents()
    documents = _READERS[upload.kind](upload.data, upload.form)
    if upload.advertisers is not None:
        _refuse_others(documents, upload.advertisers)
    return documents


def publish_documents(publisher: Publisher, upload: Upload, documents: Documents) -> Outcome:
    """Publish what an upload holds; faults are placed in the upload, as its sender knows it.

    Raises:
        InputRefused, IdTaken, StaleBase, StoreUnavailable, RevisionUnreadable: see `Publisher.publish`.
        NotLive: it changes what is not there.
    """
    within = None if upload.advertisers is None else frozenset(upload.advertisers)
    if upload.kind is UploadKind.EDIT:
        return _outcome(_publish_edit(publisher, upload, within))
    with placing_faults(upload):
        published = publisher.publish(
            documents,
            extent=upload.extent,
            author=upload.author,
            message=upload.message,
            base=upload.base,
            dry_run=upload.dry_run,
            within=within,
        )
    outcome = _outcome(published)
    return msgspec.structs.replace(outcome, files=_files_json(documents)) if upload.with_files else outcome


@contextmanager
def placing_faults(upload: Upload) -> Iterator[None]:
    """Place faults in the upload, as its sender knows it.

    Raises:
        InputRefused, IdTaken: the same, so placed.
    """
    try:
        yield
    except InputRefused as refused:
        raise InputRefused(tuple(place_in_upload(fault) for fault in refused.faults)) from refused
    except IdTaken as taken:
        faults = tuple(place_in_upload(fault) for fault in taken.faults)
        if upload.advertisers is not None:  # nothing of what is another's, not even what it is called
            faults = tuple(replace(fault, message="this id is taken; choose another") for fault in faults)
        raise IdTaken(faults) from taken


def _publish_edit(publisher: Publisher, upload: Upload, within: Within) -> Published:
    edit = msgspec.json.decode(upload.data, type=Edit)

    def documents_of(number: int) -> Documents | None:
        revision = publisher.revision(number)
        return None if revision is None else revision.documents

    return publisher.revise(
        lambda live: edit_documents(edit, live, within, documents_of),
        author=upload.author,
        message=upload.message,
        base=upload.base,
        dry_run=upload.dry_run,
    )


def _outcome(published: Published) -> Outcome:
    return Outcome(published.base, published.revision, msgspec.json.encode(published.plan_json()))


def _files_json(documents: Documents) -> bytes:
    return msgspec.json.encode({"files": list(documents.campaign_files.values())})


def _refuse_others(documents: Documents, advertisers: Sequence[str]) -> None:
    faults = tuple(
        place_in_upload(
            make_fault(
                ("advertiser", "id"),
                f"this token knows no such advertiser; it is bound to {', '.join(advertisers)}",
                name,
                documents.positions.get(name),
            )
        )
        for name, content in documents.campaign_files.items()
        if mapping(content, "advertiser").get("id") not in advertisers
    )
    if faults:
        raise UnknownAdvertiser(faults)
