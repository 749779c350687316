"""What the keeper found of cached markup: a small file in the data folder, for `/metrics` and `adserver doctor`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

CACHED_EMBEDS_NAME: Final = "cached-embeds.json"
MOST_SHOWN: Final = 20

_VERSION: Final = 1


class CachedEmbed(msgspec.Struct, frozen=True):
    """One token that many readers were given. Immutable."""

    slot: str
    place: str
    """Its name; empty where the page named none."""
    issued: int
    """Unix time of the hour in which it was issued."""
    beacons: int

    @property
    def issued_at(self) -> str:
        """That hour, as `2026-11-24T15:00Z`."""
        return datetime.fromtimestamp(self.issued, UTC).strftime("%Y-%m-%dT%H:%MZ")


class CachedEmbeds(msgspec.Struct, frozen=True, kw_only=True):
    """All of them. Immutable."""

    version: int = _VERSION
    tokens: int = 0
    worst: tuple[CachedEmbed, ...] = ()
    """Those with the most beacons, most first; `MOST_SHOWN` at most."""


NO_CACHED_EMBEDS: Final = CachedEmbeds()


def write_cached_embeds(folder: Path, embeds: CachedEmbeds) -> None:
    """Write it whole.

    Raises:
        OSError: the disk refuses.
    """
    path = folder / CACHED_EMBEDS_NAME
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(embeds))
    draft.replace(path)


def read_cached_embeds(folder: Path) -> CachedEmbeds:
    """Return what the keeper last found; nothing where it never did, or the file cannot be read."""
    try:
        embeds = msgspec.json.decode((folder / CACHED_EMBEDS_NAME).read_bytes(), type=CachedEmbeds)
    except (OSError, msgspec.DecodeError):
        return NO_CACHED_EMBEDS
    return embeds if embeds.version == _VERSION else NO_CACHED_EMBEDS
