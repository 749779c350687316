"""A wall clock that a test sets for the processes it starts, by libfaketime; monotonic clocks go on as they are."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_PLACES: Final = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime")
_HOOK: Final = Path(__file__).parent / "clock_hook"
_ROOT: Final = Path(__file__).parents[2]
_LIBRARY: Final = "libfaketimeMT.so.1"


class FakedClock:
    """One file that says by how many seconds the clock is wrong. Processes started with `environ` follow it in 1 s."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, seconds: float) -> None:
        """Make the clock go by so many seconds before (or, below 0, behind) the real one."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{seconds:+f}")
        draft.replace(self._file)

    @property
    def environ(self) -> Mapping[str, str]:
        """What a process must be started with."""
        return {
            "LD_PRELOAD": str(library()),
            "PYTHONPATH": f"{_HOOK}{os.pathsep}{_ROOT}",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }


def library() -> Path:
    """Return libfaketime's library.

    Raises:
        AssertionError: this machine lacks it.
    """
    for place in _PLACES:
        for folder in sorted(Path("/").glob(place[1:])):
            if (folder / _LIBRARY).exists():
                return folder / _LIBRARY
    raise AssertionError("libfaketime is missing: apt-get install faketime")
