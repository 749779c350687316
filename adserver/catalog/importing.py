"""What a campaigns folder has to be written as, so that it says what a sheet says. Pure."""

from collections.abc import Mapping
from pathlib import Path

from adserver.catalog.documents import Documents
from adserver.catalog.folder import FORMATS
from adserver.catalog.merging import Extent, settled_documents
from adserver.catalog.pulling import Pull, plan_pull
from adserver.catalog.upload import SHEETS
from adserver.domain.errors import AdserverError


class NotImported(AdserverError):
    """A sheet is not written into a folder; the message says what to do."""


def plan_import(sheet: Documents, folder: Documents, texts: Mapping[str, str]) -> Pull:
    """Return how a folder comes to say what a sheet says, and all else that it said.

    A campaign stays in the file that it is in, which is edited: comments and order stay. A new one joins its
    advertiser's file, a new advertiser gets one.

    Args:
        sheet: what the sheet says.
        folder: what the folder says.
        texts: its files by name.
    """
    wanted = settled_documents(folder, sheet, Extent.NAMED)
    return plan_pull(wanted, folder, texts)


def refuse_own_sheet(sheet: Path, folder: Path) -> None:
    """Refuse a sheet that the folder reads already.

    Raises:
        NotImported: it lies in the folder.
    """
    if sheet.absolute().parent.resolve() == folder.absolute().resolve():
        raise NotImported(
            f"{sheet} lies in the campaigns folder, which reads sheets as they are; move it elsewhere to import it"
        )


def refuse_to_overwrite(pull: Pull, texts: Mapping[str, str]) -> None:
    """Refuse to change files that are there.

    Raises:
        NotImported: it names them.
    """
    there = [name for name in pull.write if name in texts]
    if there or pull.remove:
        names = ", ".join(sorted({*there, *pull.remove}))
        raise NotImported(
            f"{names} would be changed; --overwrite does that, and keeps them as they were in .before-pull"
        )


def is_sheet(path: Path) -> bool:
    """Tell whether a file is a sheet, by its name."""
    return FORMATS.get(path.suffix) in SHEETS
