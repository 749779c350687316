"""A few of the questions that pages ask, kept for a moment, so that somebody may say later what stopped whom.

    samples/<n>.json     from each worker, replaced by rename: see `SampleFile`

A file holds the last few sampled calls of its worker, numbered, and nothing of who asked: no address, no agent, no
token. They are samples, no counts: what a process had not written when it died is lost, and said by nobody.
"""

from pathlib import Path
from typing import Final

import msgspec

from adserver.counting.held_file import find_files
from adserver.domain.ids import FlightId, PlaceId, SlotId, Topic
from adserver.domain.variants import Variant

SAMPLES_NAME: Final = "samples"
"""The folder of the data folder."""
KEPT: Final = 128
"""Sampled calls that a file holds at most: about 40 kB."""

_VERSION: Final = 1


class SampledSlot(msgspec.Struct, frozen=True, array_like=True):
    """One slot's question in a sampled call, and what came of it. Immutable."""

    slot: SlotId
    variant: Variant
    max_chars: int | None
    flight: FlightId | None
    """Which won; None: nobody."""
    asked: tuple[FlightId, ...]
    """The flights with a pace that had some of it left, as the decision found them."""


class SampledCall(msgspec.Struct, frozen=True, array_like=True):
    """A call that was sampled: the slots of one page view, or one slot. Immutable."""

    number: int
    """Rises by one with each sampled call of a process, from 1."""
    one_in: int
    """Of how many calls it stands for, itself included."""
    second: int
    """Of Unix time."""
    revision: int
    """Of the catalog that decided."""
    place: PlaceId | None
    topics: tuple[Topic, ...]
    """Those of the page that the catalog names."""
    exclude: tuple[str, ...]
    """Advertiser ids, categories and labels that the page keeps out."""
    slots: tuple[SampledSlot, ...]
    capped: tuple[FlightId, ...]
    """Of the flights with a cap a reader, those that had reached it; nothing else of what the reader was shown."""


class SampleFile(msgspec.Struct, frozen=True, kw_only=True):
    """What one file holds. Immutable."""

    version: int = _VERSION
    process: str
    """Which wrote it: its issuer."""
    calls: tuple[SampledCall, ...]
    """The last ones, oldest first."""


def encode_samples(file: SampleFile) -> bytes:
    """Return a file's bytes."""
    return msgspec.json.encode(file)


def read_samples(folder: Path) -> tuple[SampleFile, ...]:
    """Return what the workers of a data folder wrote last, those that are gone included; what is unreadable is not."""
    found = []
    for file in find_files(folder / SAMPLES_NAME):
        try:
            samples = msgspec.json.decode(file.data, type=SampleFile)
        except msgspec.DecodeError:
            continue
        if samples.version == _VERSION:
            found.append(samples)
    return tuple(found)
