"""What people send through the API: one campaign file, several as `{"files": […]}`, a sheet, the slots, the rules."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from adserver.catalog.checking import check_campaign_file, check_rules_file, check_slots_file, part_of
from adserver.catalog.documents import RULES_FILE, SLOTS_FILE, Documents, JsonObject
from adserver.catalog.faults import make_fault, refusal
from adserver.catalog.json_reading import read_json
from adserver.catalog.positions import Positions
from adserver.catalog.reading import Parsed, UnreadableDocument
from adserver.catalog.sheet_documents import SheetFormat, read_sheet
from adserver.catalog.yaml_reading import read_yaml
from adserver.domain.errors import Fault, InputRefused, UnreadableInput

UPLOAD_NAME: Final = "upload"
"""What a single file is called, which has no name of its own."""

READ_ONLY_FIELDS: Final = frozenset({"state", "delivery", "revision"})
"""What the API adds to a campaign file; an upload may still hold it, so that what was fetched can be sent back."""

_BESIDE_FILES: Final = frozenset({"files", "revision"})
_LISTED: Final = re.compile(r"files\[[0-9]+\]")


class Format(StrEnum):
    """The forms in which documents are taken."""

    YAML = "yaml"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


SHEETS: Final[Mapping[Format, SheetFormat]] = {Format.CSV: SheetFormat.CSV, Format.XLSX: SheetFormat.XLSX}
"""Those of them that hold rows: campaigns only."""
_READERS: Final[Mapping[Format, Callable[[bytes, str | None], Parsed]]] = {
    Format.YAML: read_yaml,
    Format.JSON: read_json,
}


def read_document(data: bytes, form: Format, file: str | None = None) -> Parsed:
    """Return a document as written, before any schema.

    Raises:
        InputTooLarge, UnreadableInput, InputRefused: see `read_yaml` and `read_json`.
        UnreadableInput: for a sheet, which holds rows.
    """
    if form in SHEETS:
        raise UnreadableInput("sheets hold campaigns only; send YAML or JSON")
    return _READERS[form](data, file)


def read_campaigns(data: bytes, form: Format) -> Documents:
    """Return the campaign files of one upload; without slots.

    Fields that only the API writes are left out, see `READ_ONLY_FIELDS`; so is `revision` beside `files`.

    They are called `upload`, or `files[0]`, `files[1]`… where several came, or after it where a sheet has several
    advertisers; so are they in faults of `build_catalog`, which `place_in_upload` puts right for the API.

    Raises:
        InputTooLarge, UnreadableInput: if it cannot be read.
        InputRefused: with every fault of every file taken alone.
    """
    if form in SHEETS:
        return _read_sheet(data, SHEETS[form])
    parsed = read_document(data, form)
    if not (isinstance(parsed.content, dict) and "files" in parsed.content):
        return Documents(
            {UPLOAD_NAME: check_campaign_file(_as_file(parsed))}, positions={UPLOAD_NAME: parsed.positions}
        )
    return _read_several(parsed, parsed.content)


def read_slots(data: bytes, form: Format) -> Documents:
    """Return the slots of one upload; without campaigns.

    Raises:
        InputTooLarge, UnreadableInput: if it cannot be read.
        InputRefused: with every fault of the file taken alone.
    """
    parsed = read_document(data, form)
    return Documents(slots=check_slots_file(parsed), positions={SLOTS_FILE: parsed.positions})


def read_rules(data: bytes, form: Format) -> Documents:
    """Return the rules of one upload; without campaigns.

    Raises:
        InputTooLarge, UnreadableInput: if it cannot be read.
        InputRefused: with every fault of the file taken alone.
    """
    parsed = read_document(data, form)
    return Documents(rules=check_rules_file(parsed), positions={RULES_FILE: parsed.positions})


def place_in_upload(fault: Fault) -> Fault:
    """Return a fault of one of an upload's files with its path from the top of the upload, as the API names fields."""
    if fault.file == UPLOAD_NAME:
        return replace(fault, file=None)
    if fault.file is None or not _LISTED.fullmatch(fault.file):
        return fault
    joint = "" if not fault.path or fault.path.startswith("[") else "."
    return replace(fault, file=None, path=f"{fault.file}{joint}{fault.path}")


def _read_sheet(data: bytes, form: SheetFormat) -> Documents:
    try:
        return read_sheet(data, form, UPLOAD_NAME)
    except UnreadableDocument as unreadable:
        raise UnreadableDocument(place_in_upload(unreadable.fault)) from unreadable
    except InputRefused as refused:
        raise InputRefused(tuple(place_in_upload(fault) for fault in refused.faults)) from refused


def _as_file(parsed: Parsed) -> Parsed:
    """Return one campaign file of an upload without what only the API writes."""
    if not isinstance(parsed.content, dict):
        return parsed
    return replace(parsed, content={key: value for key, value in parsed.content.items() if key not in READ_ONLY_FIELDS})


def _read_several(parsed: Parsed, content: Mapping[str, object]) -> Documents:
    listed = content["files"]
    faults = list(parsed.faults)
    strangers = [key for key in content if key not in _BESIDE_FILES]
    faults.extend(make_fault((key,), "unknown field beside `files`", None, parsed.positions) for key in strangers)
    files: dict[str, JsonObject] = {}
    positions: dict[str, Positions] = {}
    if not isinstance(listed, list):
        faults.append(make_fault(("files",), "must be a list of campaign files", None, parsed.positions))
        listed = []
    for index, one in enumerate(listed):
        name = f"files[{index}]"
        part = part_of(parsed, ("files", index), one)
        positions[name] = part.positions
        try:
            files[name] = check_campaign_file(_as_file(part), name)
        except InputRefused as refused:
            faults.extend(place_in_upload(fault) for fault in refused.faults)
    if faults:
        raise refusal(faults)
    return Documents(files, positions=positions)
