"""What somebody wants to publish, on its way from page to page: it travels in the forms, and no server keeps it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Self

from flask import request

from adserver.catalog.documents import JsonObject
from adserver.catalog.reading import LIMIT_BYTES
from adserver.catalog.upload import Format
from adserver.domain.errors import UnsupportedFormat

MAX_FORM_BYTES: Final = LIMIT_BYTES + 1_000_000
"""A draft of the largest size, with what a form puts around it: browsers send each line's end as two characters."""
_FORMS: Final = {**{f".{form}": form for form in Format}, ".yml": Format.YAML}
_BINARY: Final = frozenset({".xlsx"})
_FOREIGN_STARTS: Final = (b"\x1f\x8b", b"PK\x03\x04", b"<")
"""gzip; zip; SVG and other markup."""
_NAME_CHARS: Final = 100


class NoDraft(ValueError):
    """A form held neither a file nor a text."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign file, or several, as somebody sent it; unread. Immutable."""

    data: bytes
    form: Format
    name: str
    """What the file is called; empty: it was written into the form."""

    @classmethod
    def of_files(cls, files: Sequence[JsonObject]) -> Self:
        """Return campaign files as a draft."""
        return cls(
            json.dumps({"files": list(files)}, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass"),
            Format.JSON,
            "",
        )

    @classmethod
    def of_file(cls, file: JsonObject) -> Self:
        """Return one campaign file as a draft."""
        return cls(json.dumps(file, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass"), Format.JSON, "")

    @property
    def text(self) -> str | None:
        """The draft as people read and mend it; None where it is not text."""
        if PurePath(self.name).suffix.lower() in _BINARY:
            return None
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None


def accepted_files() -> str:
    """Return the endings of files that are taken, as a field for files names them."""
    return ",".join(sorted(_FORMS))


def read_draft() -> Draft:
    """Return the draft in the present form: its file, where one was chosen, else its text.

    Raises:
        NoDraft: there is neither.
        UnsupportedFormat: a file of another kind.
    """
    file = request.files.get("file")
    if file is not None and file.filename:
        return _of_file(file.filename, file.read())
    text = request.form.get("text", "").replace("\r\n", "\n")
    if not text.strip():
        raise NoDraft
    name = request.form.get("name", "")[:_NAME_CHARS]
    return Draft(text.encode("utf-8", "surrogatepass"), _form_of_text(text, name), name)


def _of_file(filename: str, data: bytes) -> Draft:
    name = PurePath(filename.replace("\\", "/")).name[:_NAME_CHARS]
    suffix = PurePath(name).suffix.lower()
    form = _FORMS.get(suffix)
    taken = ", ".join(sorted(_FORMS))
    if form is None:
        raise UnsupportedFormat(f"this kind of file is not taken; choose one that ends in {taken}")
    if suffix not in _BINARY and data.startswith(_FOREIGN_STARTS):
        raise UnsupportedFormat(f"the file is not what its name says: it is packed, or a picture or page; send {taken}")
    return Draft(data, form, name)


def _form_of_text(text: str, name: str) -> Format:
    """Return the form of what was pasted: by the file's name, where it came from one, else by how it begins."""
    named = _FORMS.get(PurePath(name).suffix.lower())
    if named is not None:
        return named
    return Format.JSON if text.lstrip().startswith(("{", "[")) else Format.YAML
