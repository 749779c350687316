"""The hashes of what a decision names, so that no request hashes twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from adserver.decision.memo import Memo
from adserver.domain.ids import CreativeId, FlightId, IdHash, Kind, SlotId, Topic, id_hash

REMEMBERED: Final = 20_000

_Id = TypeVar("_Id", bound=str)


class HashBook(Generic[_Id]):
    """The hash of any id of one kind. Shared by all threads; a function with a bounded memory."""

    __slots__ = ("_kind", "_memo")

    def __init__(self, kind: Kind) -> None:
        """Take the kind of its ids."""
        self._kind = kind
        self._memo: Memo[_Id, IdHash] = Memo(REMEMBERED)

    def __getitem__(self, id_: _Id) -> IdHash:
        """Return the hash that stands for an id."""
        hash_ = self._memo.get(id_)
        if hash_ is None:
            hash_ = id_hash(self._kind, id_)
            self._memo.put(id_, hash_)
        return hash_


@dataclass(frozen=True, slots=True)
class IdHashes:
    """The hash of every id that a decision can name. Immutable, but for the memories of its books."""

    flights: HashBook[FlightId]
    creatives: HashBook[CreativeId]
    slots: Mapping[SlotId, IdHash]
    topics: Mapping[Topic, IdHash]
    """Topics that the catalog names; any other is `Kind.TOPIC.unknown`."""
