"""Identifiers: slugs people write, and the short hashes that stand for them in tokens, spools and keys."""

import hashlib
from enum import StrEnum
from typing import Final, NewType

AdvertiserId = NewType("AdvertiserId", str)
CampaignId = NewType("CampaignId", str)
FlightId = NewType("FlightId", str)
CreativeId = NewType("CreativeId", str)
SiteId = NewType("SiteId", str)
SlotId = NewType("SlotId", str)
PlaceId = NewType("PlaceId", str)
Topic = NewType("Topic", str)

IdHash = NewType("IdHash", bytes)
"""The leading bytes of a hash of (kind, id); its length is that of its kind, see `Kind.size_bytes`."""

SLUG_PATTERN: Final = r"[a-z0-9][a-z0-9-]{0,63}"


class Kind(StrEnum):
    """The kinds of thing that a hash can stand for."""

    FLIGHT = "flight"
    CREATIVE = "creative"
    SLOT = "slot"
    PLACE = "place"
    TOPIC = "topic"

    @property
    def size_bytes(self) -> int:
        """How many bytes of the hash are kept for this kind."""
        return _SIZE_BYTES[self]

    @property
    def none(self) -> IdHash:
        """The hash that means "there is none" (a no fill's flight, a request without a topic)."""
        return IdHash(bytes(self.size_bytes))

    @property
    def unknown(self) -> IdHash:
        """The hash that means "named, but not known to gazetteer or catalog"."""
        return IdHash(b"\xff" * self.size_bytes)


_SIZE_BYTES: Final = {Kind.FLIGHT: 6, Kind.CREATIVE: 6, Kind.SLOT: 5, Kind.PLACE: 5, Kind.TOPIC: 4}


def id_hash(kind: Kind, id_: str) -> IdHash:
    """Return the short hash that stands for `id_`: the same on every host, after restore, wipe and rollback.

    Collisions within a kind are refused at publish, see `catalog`.
    """
    digest = hashlib.blake2b(f"{kind}\0{id_}".encode(), digest_size=16).digest()
    cut = digest[: kind.size_bytes]
    if cut in (kind.none, kind.unknown):  # one in 2**31 for the shortest kind; keep the two meanings apart
        cut = digest[-kind.size_bytes :]
    return IdHash(cut)
