"""Ids stand once in the whole catalog, by kind, and so do the short hashes that stand for them."""

from enum import StrEnum
from typing import Final

from adserver.catalog.faults import FaultLog
from adserver.catalog.positions import FieldPath
from adserver.domain.ids import Kind, id_hash


class Thing(StrEnum):
    """What has an id of its own."""

    CAMPAIGN = "campaign"
    FLIGHT = "flight"
    CREATIVE = "creative"
    SITE = "site"
    SLOT = "slot"
    TOPIC = "topic"


_HASHED: Final = {
    Thing.FLIGHT: Kind.FLIGHT,
    Thing.CREATIVE: Kind.CREATIVE,
    Thing.SLOT: Kind.SLOT,
    Thing.TOPIC: Kind.TOPIC,
}


class UniqueIds:
    """Remembers where every id stands. For one thread and one catalog."""

    def __init__(self, faults: FaultLog) -> None:
        """Take where to note what stands twice."""
        self._faults = faults
        self._places: dict[tuple[Thing, str], tuple[str, FieldPath]] = {}
        self._hashes: dict[tuple[Kind, bytes], str] = {}

    def take(self, thing: Thing, id_: str, file: str, path: FieldPath) -> None:
        """Note a fault if the id, or its hash, stands for something already."""
        here = (thing, id_)
        if here in self._places:
            there = self._faults.whereabouts(*self._places[here])
            message = f"the {thing} id `{id_}` stands already at {there}; ids are unique in the whole catalog"
            self._faults.add(file, path, message)
            return
        self._places[here] = (file, path)
        self._take_hash(thing, id_, file, path)

    def take_word(self, thing: Thing, word: str, file: str, path: FieldPath) -> None:
        """Note a fault if another word has the same hash; a word may stand many times."""
        if (thing, word) not in self._places:
            self._places[thing, word] = (file, path)
            self._take_hash(thing, word, file, path)

    def _take_hash(self, thing: Thing, id_: str, file: str, path: FieldPath) -> None:
        kind = _HASHED.get(thing)
        if kind is None:
            return
        other = self._hashes.setdefault((kind, id_hash(kind, id_)), id_)
        if other != id_:
            message = (
                f"`{id_}` has by chance the same hash as `{other}`, and both could not be told apart; choose another"
            )
            self._faults.add(file, path, message)
