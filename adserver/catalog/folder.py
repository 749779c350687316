"""Reads a campaigns folder: every campaign file, slots.yaml, and rules.yaml."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from adserver.catalog.build import build_catalog
from adserver.catalog.build_targeting import PlaceFinder
from adserver.catalog.checking import check_campaign_file, check_rules_file, check_slots_file
from adserver.catalog.documents import RULES_FILE, SLOTS_FILE, Documents, JsonObject
from adserver.catalog.faults import refusal
from adserver.catalog.positions import Positions
from adserver.catalog.reading import UnreadableDocument
from adserver.catalog.upload import Format, read_document
from adserver.domain.errors import Fault, InputRefused, InputTooLarge

_FORMATS: Final = {".yaml": Format.YAML, ".yml": Format.YAML, ".json": Format.JSON}
_KNOWN_STEMS: Final = {Path(name).stem: name for name in (SLOTS_FILE, RULES_FILE)}


def read_folder(folder: Path) -> Documents:
    """Return the documents of a folder: slots.yaml, rules.yaml, and other .yaml, .yml and .json files as campaigns.

    Hidden files and sub-folders are left alone. What is missing, `list_notices` tells.

    Raises:
        InputRefused: with every fault of every file taken alone, its path beginning with the folder's as given; also
            where the folder or a file cannot be read.
    """
    reader = _read(folder)
    reader.refuse_any()
    return reader.documents()


def read_texts(folder: Path) -> dict[str, str]:
    """Return the texts of the files that `read_folder` has read without a fault, by name; sheets are none.

    Raises:
        InputRefused: a file cannot be read any more.
    """
    faults: list[Fault] = []
    texts = {}
    for path in _documents_in(folder, faults):
        try:
            texts[path.name] = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault("", f"the file cannot be read: {error}", str(path)))
    if faults:
        raise refusal(faults)
    return texts


def check_folder(folder: Path, gazetteer: PlaceFinder) -> Documents:
    """Return the documents of a folder that can be published as they are.

    Raises:
        InputRefused: with every fault of every file, those that only the whole tells included: as far as the files
            can be read. Paths begin with the folder's as given, so that editors and terminals can follow them.
    """
    reader = _read(folder)
    documents = reader.documents()
    try:
        build_catalog(documents, gazetteer)
    except InputRefused as refused:
        reader.add_of_whole(refused.faults)
    reader.refuse_any()
    return documents


def _read(folder: Path) -> "_FolderReader":
    reader = _FolderReader(folder)
    for path in _documents_in(folder, reader.faults):
        reader.read(path)
    return reader


def _documents_in(folder: Path, faults: list[Fault]) -> Iterator[Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        faults.append(Fault("", f"the folder cannot be read: {error.strerror}", ""))
        return
    for path in paths:
        if path.suffix in _FORMATS and not path.name.startswith(".") and not path.is_dir():
            yield path


class _FolderReader:
    """Collects the documents and faults of one folder. For one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}
        """What the files of slots and of rules are called here."""
        self.campaign_files: dict[str, JsonObject] = {}
        self.slots: JsonObject | None = None
        self.rules: JsonObject | None = None
        self.positions: dict[str, Positions] = {}
        self.faults: list[Fault] = []

    def documents(self) -> Documents:
        """Return what could be read."""
        return Documents(self.campaign_files, self.slots, self.rules, self.positions)

    def add_of_whole(self, faults: Sequence[Fault]) -> None:
        """Note what only the whole tells, but for files that have faults of their own."""
        said = {fault.file for fault in self.faults}
        for fault in faults:
            file = self._names.get(fault.file or "", fault.file)
            if file not in said:
                self.faults.append(replace(fault, file=file))

    def refuse_any(self) -> None:
        """Refuse the folder if anything was noted.

        Raises:
            InputRefused: with all of it, up to a limit.
        """
        if self.faults:
            raise refusal([replace(fault, file=self._path_of(fault.file)) for fault in self.faults])

    def _path_of(self, file: str | None) -> str:
        return str(self._folder / (file or ""))

    def read(self, path: Path) -> None:
        """Take one file, or note what is wrong with it."""
        try:
            self._take(path)
        except InputRefused as refused:
            self.faults.extend(refused.faults)
        except UnreadableDocument as unreadable:
            self.faults.append(unreadable.fault)
        except InputTooLarge as too_large:
            self.faults.append(Fault("", str(too_large), path.name))
        except OSError as error:
            self.faults.append(Fault("", f"the file cannot be read: {error.strerror}", path.name))

    def _take(self, path: Path) -> None:
        parsed = read_document(path.read_bytes(), _FORMATS[path.suffix], path.name)
        known = _KNOWN_STEMS.get(path.stem)
        if known is None:
            self.campaign_files[path.name] = check_campaign_file(parsed, path.name)
            self.positions[path.name] = parsed.positions
        elif known in self._names:
            self.faults.append(Fault("", f"there are two files of {path.stem}; keep {known}", path.name))
        else:
            self._names[known] = path.name
            self.positions[known] = parsed.positions
            if known == SLOTS_FILE:
                self.slots = check_slots_file(parsed, path.name)
            else:
                self.rules = check_rules_file(parsed, path.name)
