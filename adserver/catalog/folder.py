"""Reads a campaigns folder: every campaign file and sheet, slots.yaml, and rules.yaml."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from adserver.catalog.build import build_catalog
from adserver.catalog.build_targeting import PlaceFinder
from adserver.catalog.checking import check_campaign_file, check_rules_file, check_slots_file
from adserver.catalog.documents import RULES_FILE, SLOTS_FILE, Documents, JsonObject
from adserver.catalog.faults import refusal
from adserver.catalog.merging import Extent, trial_documents
from adserver.catalog.positions import Positions
from adserver.catalog.reading import UnreadableDocument
from adserver.catalog.sheet_documents import SheetFormat, read_sheet
from adserver.catalog.upload import SHEETS, Format, read_document
from adserver.domain.errors import Fault, InputRefused, InputTooLarge

FORMATS: Final = MappingProxyType(
    {".yaml": Format.YAML, ".yml": Format.YAML, ".json": Format.JSON, ".csv": Format.CSV, ".xlsx": Format.XLSX}
)
"""By the ends of file names."""
_KNOWN_STEMS: Final = {Path(name).stem: name for name in (SLOTS_FILE, RULES_FILE)}


def read_folder(folder: Path) -> Documents:
    """Return the documents of a folder: slots.yaml, rules.yaml, and other files of `FORMATS` as campaigns.

    Hidden files and sub-folders are left alone. What is missing, `list_notices` tells.

    Raises:
        InputRefused: with every fault of every file taken alone, its path beginning with the folder's as given; also
            where the folder or a file cannot be read.
    """
    reader = _read(folder)
    reader.refuse_any()
    return reader.documents()


def read_file(file: Path) -> Documents:
    """Return what one file of campaigns, of slots or of rules holds, checked alone.

    Raises:
        InputRefused: with every fault of it; also where it cannot be read, or is none of `FORMATS`.
    """
    reader = _FolderReader(file.parent)
    if file.suffix in FORMATS:
        reader.read(file)
    else:
        reader.faults.append(Fault("", f"must be one of {', '.join(FORMATS)}", file.name))
    reader.refuse_any()
    return reader.documents()


def check_file(file: Path, folder: Path, gazetteer: PlaceFinder) -> Documents:
    """Return what one file holds, as it could be published over a folder.

    Args:
        file: it may be one of the folder's.
        folder: what it is laid over. Its own faults are another matter; without slots of its own, slots go unchecked.
        gazetteer: what places are resolved by.

    Raises:
        InputRefused: with every fault of the file.
    """
    documents = read_file(file)
    around = _FolderReader(folder)
    for path in _documents_in(folder, []):
        if not path.samefile(file):
            around.read(path)
    trial = trial_documents(around.documents(), documents, Extent.NAMED)
    try:
        build_catalog(trial, gazetteer)
    except InputRefused as refused:
        own = [fault for fault in refused.faults if fault.file == file.name]
        if own:
            raise refusal([replace(fault, file=str(file)) for fault in own]) from refused
    return documents


def read_texts(folder: Path) -> dict[str, str]:
    """Return the texts of the files that `read_folder` has read without a fault, by name; sheets are none.

    Raises:
        InputRefused: a file cannot be read any more.
    """
    faults: list[Fault] = []
    texts = {}
    for path in _documents_in(folder, faults):
        if FORMATS[path.suffix] in SHEETS:
            continue
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
        if path.suffix in FORMATS and not path.name.startswith((".", "~$")) and not path.is_dir():
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
        form = FORMATS[path.suffix]
        if form in SHEETS:
            self._take_sheet(path, SHEETS[form])
            return
        parsed = read_document(path.read_bytes(), form, path.name)
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

    def _take_sheet(self, path: Path, form: SheetFormat) -> None:
        sheet = read_sheet(path.read_bytes(), form, path.name)
        self.campaign_files.update(sheet.campaign_files)
        self.positions.update(sheet.positions)
