"""The history of what was live, the way back, and the small changes that need no file."""

import re
from typing import Final

import msgspec
from flask import Blueprint, Response, abort

from adserver.catalog.desk import Upload, UploadDesk, UploadKind
from adserver.catalog.documents import JsonObject
from adserver.catalog.edits import Action, Edit
from adserver.catalog.merging import Extent
from adserver.catalog.plan import make_plan
from adserver.catalog.publish import Publisher
from adserver.catalog.revisions import Revision
from adserver.catalog.upload import Format
from adserver.domain.errors import ParameterRefused
from adserver.web.auth import Authenticator, Principal, Role, require, require_unbound
from adserver.web.bodies import read_base, read_message, read_single, read_switch
from adserver.web.limits import CallLimit, caller_key
from adserver.web.published import answer, published
from adserver.web.store_gate import StoreGate

_EDITORS: Final = (Role.ADMIN, Role.MARKETER)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,14}")


def revisions_blueprint(publisher: Publisher, authenticator: Authenticator, gate: StoreGate) -> Blueprint:
    """Return the routes that read the history.

    Args:
        publisher: what is live, and was.
        authenticator: who shows a token.
        gate: how many calls may be with the store at once.
    """
    blueprint = Blueprint("revisions", __name__)

    def revision(number: int) -> Revision:
        found = publisher.revision(number)
        if found is None:
            abort(404)
        return found

    @blueprint.get("/v1/revisions")
    def list_revisions() -> Response:
        require_unbound(authenticator, *_EDITORS)
        with gate.entered():
            entries = publisher.history()
        return answer({"revisions": [entry.to_json() for entry in entries]})

    @blueprint.get("/v1/revisions/<number>")
    def get_revision(number: str) -> Response:
        require_unbound(authenticator, *_EDITORS)
        asked = _number(number)
        with gate.entered():
            found = revision(asked)
        return answer(_whole(found), found.number)

    @blueprint.get("/v1/revisions/<number>/diff")
    def get_diff(number: str) -> Response:
        require_unbound(authenticator, *_EDITORS)
        asked, other = _number(number), _other()
        with gate.entered():
            before = revision(asked)
            after = revision(other or publisher.live().revision)
        plan = make_plan(before.documents, after.documents).to_json()
        return answer({"from": before.number, "to": after.number, "plan": plan})

    return blueprint


def edits_blueprint(desk: UploadDesk, authenticator: Authenticator, uploads: CallLimit, gate: StoreGate) -> Blueprint:
    """Return the routes that change what is live without a file.

    Args:
        desk: makes changes.
        authenticator: who shows a token.
        uploads: how often a token may send changes.
        gate: how many calls may be with the store at once.
    """
    blueprint = Blueprint("edits", __name__)

    def make(edit: Edit, sender: Principal) -> Response:
        uploads.take(caller_key())
        return published(
            desk.take(
                edit_upload(edit, sender, read_message(), read_base(), dry_run=read_switch("dry_run")), gate.entered
            )
        )

    @blueprint.post("/v1/campaigns/<campaign>/pause")
    def pause(campaign: str) -> Response:
        return make(Edit(Action.PAUSE, campaign), require(authenticator, *_EDITORS))

    @blueprint.post("/v1/campaigns/<campaign>/resume")
    def resume(campaign: str) -> Response:
        return make(Edit(Action.RESUME, campaign), require(authenticator, *_EDITORS))

    @blueprint.delete("/v1/campaigns/<campaign>")
    def remove(campaign: str) -> Response:
        return make(Edit(Action.REMOVE, campaign), require(authenticator, *_EDITORS))

    @blueprint.post("/v1/revisions/<number>/restore")
    def restore(number: str) -> Response:
        sender = require_unbound(authenticator, *_EDITORS)
        return make(Edit(Action.RESTORE, revision=_number(number)), sender)

    return blueprint


def edit_upload(edit: Edit, sender: Principal, message: str, base: int | None, *, dry_run: bool) -> Upload:
    """Return a change as a desk takes it; without a message it says itself what it is."""
    advertisers = None if sender.advertisers is None else tuple(sorted(sender.advertisers))
    data = msgspec.json.encode(edit)
    return Upload(
        UploadKind.EDIT, data, Format.JSON, Extent.NAMED, sender.name, message or str(edit), base, dry_run, advertisers
    )


def _number(text: str) -> int:
    """Return the number of a revision in an address; what cannot be one is not found."""
    if not _NUMBER.fullmatch(text):
        abort(404)
    return int(text)


def _other() -> int | None:
    """Return the revision that another is compared with; None: the live one.

    Raises:
        ParameterRefused: it is no number, or given twice.
    """
    text = read_single("to")
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise ParameterRefused("to", "must be the number of a revision")
    return int(text)


def _whole(revision: Revision) -> JsonObject:
    documents = revision.documents
    return {
        **revision.entry.to_json(),
        "files": list(documents.campaign_files.values()),
        "slots": documents.slots,
        "rules": documents.rules,
    }
