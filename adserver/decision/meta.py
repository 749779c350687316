"""What of a compiled catalog every worker holds in memory: little, whatever the number of flights."""

import msgspec

from adserver.decision.hours import Window
from adserver.domain.catalog import Site, Slot
from adserver.domain.ids import IdHash, PlaceId, SlotId, Topic
from adserver.domain.places import Circle
from adserver.domain.reasons import NoFillReason
from adserver.domain.rules import CategoryRule


class Meta(msgspec.Struct, frozen=True):
    """The sites, the slots, and the numbers that stand for ids in the lists. Immutable."""

    revision: int
    digest: str
    """That of the revision's documents, for who keeps them."""
    shards: int
    """Into how many the counts of what is decided by it are cut."""
    sites: tuple[Site, ...]
    slots: tuple[Slot, ...]
    slot_numbers: dict[SlotId, int]
    place_numbers: dict[PlaceId, int]
    """Of all places that flights name, excluded ones too: what these do not tell apart is answered alike."""
    topic_numbers: dict[Topic, int]
    """Of all topics that the catalog names, in the same way."""
    topic_hashes: dict[Topic, IdHash]
    """Of the same."""
    stopped: tuple[tuple[int, NoFillReason], ...]
    """Slots (0: any), and why those of its flights that are in no list, since they never run, do not."""
    circles: tuple[Circle, ...] = ()
    """All that flights name, excluded ones too; numbered as places are, after the last of them."""
    windows: tuple[Window, ...] = ()
    """The hours of flights, numbered from 1."""
    takeovers: tuple[int, ...] = ()
    """Positions of flights that take all of their slots or none, and are in the lists."""
    rules: tuple[CategoryRule, ...] = ()
