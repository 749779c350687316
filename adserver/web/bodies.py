"""The bodies and parameters of management calls, read within their limits."""

import re
from collections.abc import Mapping
from typing import Final

from flask import request

from adserver.catalog.reading import LIMIT_BYTES
from adserver.catalog.texts import TextRefused, clean_message
from adserver.catalog.upload import Format
from adserver.domain.errors import ParameterRefused, UnsupportedFormat

_FORMATS: Final[Mapping[str, Format]] = {
    "application/json": Format.JSON,
    "application/yaml": Format.YAML,
    "application/x-yaml": Format.YAML,
    "text/yaml": Format.YAML,
    "text/x-yaml": Format.YAML,
}
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE: Final = "text/csv"
_SHEET_FORMATS: Final[Mapping[str, Format]] = {**_FORMATS, CSV_TYPE: Format.CSV, XLSX_TYPE: Format.XLSX}
_ZIP: Final = b"PK\x03\x04"
"""How every workbook begins, and no text of ours."""
_FOREIGN_STARTS: Final = (b"\x1f\x8b", b"<")
"""gzip; SVG and other markup. Nothing of ours begins so."""
_TAKEN: Final = "send application/json or application/yaml, uncompressed"
_TAKEN_AS_SHEETS: Final = f"send application/json, application/yaml, {CSV_TYPE} or {XLSX_TYPE}, uncompressed"
_ENTITY_TAG: Final = re.compile(r'"(0|[1-9][0-9]{0,14})"')
_SWITCHES: Final[Mapping[str, bool]] = {"true": True, "false": False}


def read_upload(*, may_be_sheet: bool = False) -> tuple[bytes, Format]:
    """Return the request's body and its form; no more than the limit is ever read.

    Args:
        may_be_sheet: whether sheets are taken too.

    Raises:
        UnsupportedFormat: a content type or encoding that is not taken.
        RequestEntityTooLarge: by its length, or once that much of a chunked body has come.
    """
    formats, taken = (_SHEET_FORMATS, _TAKEN_AS_SHEETS) if may_be_sheet else (_FORMATS, _TAKEN)
    form = formats.get(request.mimetype)
    if form is None:
        raise UnsupportedFormat(f"this content type is not taken: {taken}")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedFormat(f"this content encoding is not taken: {taken}")
    request.max_content_length = LIMIT_BYTES - 1
    data = request.get_data(cache=False)
    if data.startswith(_ZIP) is not (form is Format.XLSX) or data.startswith(_FOREIGN_STARTS):
        raise UnsupportedFormat(f"the body is not what its content type says: {taken}")
    return data, form


def read_switch(name: str) -> bool:
    """Return a query parameter that is `true` or `false`; false where it is left out.

    Raises:
        ParameterRefused: anything else, or given twice.
    """
    text = read_single(name)
    if text is None:
        return False
    if text not in _SWITCHES:
        raise ParameterRefused(name, "must be true or false")
    return _SWITCHES[text]


def read_message() -> str:
    """Return the query's `message`, one line of at most `MESSAGE_CHARS`; empty where it is left out.

    Raises:
        ParameterRefused: too long, with control or direction characters, or given twice.
    """
    try:
        return clean_message(read_single("message") or "")
    except TextRefused as refused:
        raise ParameterRefused("message", str(refused)) from refused


def read_base() -> int | None:
    """Return the revision that `If-Match` names; None where it is left out or `*`.

    Raises:
        ParameterRefused: it is no entity tag of a revision, such as `"6"`.
    """
    text = request.headers.get("If-Match", "*").strip()
    if text == "*":
        return None
    match = _ENTITY_TAG.fullmatch(text)
    if match is None:
        raise ParameterRefused("If-Match", 'must be the ETag of a revision, in its quotes: "6"')
    return int(match[1])


def read_single(name: str) -> str | None:
    """Return a query parameter, None where it is left out.

    Raises:
        ParameterRefused: it is given twice.
    """
    values = request.args.getlist(name)
    if len(values) > 1:
        raise ParameterRefused(name, "must be given once")
    return values[0] if values else None
