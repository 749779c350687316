"""Files of the data folder that are replaced whole: a reader sees the old one or the new one, never a part."""

import os
from pathlib import Path
from typing import Final

DRAFT_SUFFIX: Final = ".draft"


def replace_file(path: Path, data: bytes) -> None:
    """Write a file beside `path`, sync it, and rename it over `path`; one writer at a time, by agreement.

    Raises:
        OSError: the folder is full or read-only; `path` is as it was.
    """
    draft = path.with_name(path.name + DRAFT_SUFFIX)
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else a power loss may undo the rename, not the data
    finally:
        os.close(folder)
