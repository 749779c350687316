"""Segments of spools, and the note of since when each is counted: what is put away, and when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from adserver.counting.spool import segment_path
from adserver.keeping.counter import SpoolStanding
from adserver.keeping.disk import Disk

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as the counter sees it. Immutable."""

    standing: SpoolStanding
    start: int
    end: int
    last: bool
    """Whether its spool goes on in it."""

    @property
    def key(self) -> str:
        """What names it in the note; what grows is not the same any more."""
        return f"{self.standing.spool_id}:{self.start}:{self.end}"

    @property
    def path(self) -> Path:
        """Where it stands."""
        return segment_path(self.standing.folder, self.start)

    @property
    def is_counted(self) -> bool:
        """Whether every shard has all of it."""
        return self.standing.applied >= self.end


def segments_of(standing: SpoolStanding) -> Iterator[Segment]:
    """Yield the segments of a spool, oldest first."""
    for number, (start, size) in enumerate(standing.sizes):
        yield Segment(standing, start, start + size, last=number == len(standing.sizes) - 1)


class CountedSince:
    """The note, in a file of the data folder. One thread."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._since = _read(path)

    def __getitem__(self, segment: Segment) -> float | None:
        """Return since when a segment is counted, Unix time; None: it is not."""
        return self._since.get(segment.key)

    def note(self, segments: Iterable[Segment], now: float) -> None:
        """Note that segments are counted, those that were not before since now; a store that fell back takes it away.

        Raises:
            OSError: the disk does not take it.
        """
        counted = {segment.key for segment in segments if segment.is_counted}
        since = {key: min(at, now) for key, at in self._since.items() if key in counted}
        since |= {key: now for key in counted if key not in since}
        if since != self._since:
            draft = self._path.with_suffix(".draft")
            with draft.open("wb") as file:
                file.write(msgspec.json.encode(_State(_VERSION, since), order="sorted"))
                self._disk.sync(file)
            self._disk.rename(draft, self._path)
            self._since = since


class _State(msgspec.Struct, frozen=True):
    version: int
    applied_at: dict[str, float]
    """`<spool>:<start>:<end>` of a segment -> Unix time when all of it was first seen to be counted."""


def _read(path: Path) -> dict[str, float]:
    """Return since when segments are counted; where that is not known, their time begins now."""
    try:
        state = msgspec.json.decode(path.read_bytes(), type=_State)
    except (OSError, msgspec.DecodeError):
        return {}
    return dict(state.applied_at) if state.version == _VERSION else {}
