"""The key of a list of the index: which slot, place and topic bring a request to it, as one number.

    bits 48..63  the slot, 0: any
    bits 24..47  the place, 0: any
    bits  0..23  the topic, 0: none asked for

Sorted by number, the lists of one slot stand together, and within them those of one place.
"""

from typing import Final

PLACE_SHIFT: Final = 24
SLOT_SHIFT: Final = 48
ANY: Final = 0
MOST_SLOTS: Final = 1 << (64 - SLOT_SHIFT)
MOST_PLACES: Final = 1 << (SLOT_SHIFT - PLACE_SHIFT)
MOST_TOPICS: Final = 1 << PLACE_SHIFT


def list_key(slot: int, place: int, topic: int) -> int:
    """Return the key of three numbers."""
    return slot << SLOT_SHIFT | place << PLACE_SHIFT | topic


def prefix_of(key: int) -> int:
    """Return what the lists of one slot and place have in common."""
    return key >> PLACE_SHIFT


def prefix(slot: int, place: int) -> int:
    """Return the same from the numbers of a slot and a place."""
    return slot << (SLOT_SHIFT - PLACE_SHIFT) | place
