"""The few steps on the disk whose order keeps records safe; a test can make any of them fail."""

import os
from pathlib import Path
from typing import BinaryIO


class Disk:
    """Does each step at once. Immutable, shared by all threads. Every method raises OSError where the disk refuses."""

    def sync(self, file: BinaryIO) -> None:
        """Bring what was written to the disk."""
        file.flush()
        os.fsync(file.fileno())

    def rename(self, old: Path, new: Path) -> None:
        """Move a file or folder; a file in the new place is replaced."""
        old.replace(new)

    def make_empty(self, path: Path) -> None:
        """Make an empty file, or leave the one that is there."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def unlink(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""
        path.rmdir()

    def sync_folder(self, path: Path) -> None:
        """Bring a folder's entries to the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
