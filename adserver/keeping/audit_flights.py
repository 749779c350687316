"""What the families of cells say of each flight, which must be the same, and what is delivered of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from adserver.counting.cells import IMPRESSIONS, Family, parse_member
from adserver.domain.ids import IdHash
from adserver.keeping.audit_findings import FlightDifference
from adserver.keeping.audit_rolled import counted_as
from adserver.keeping.recount import FOLDED, Fields, Spot

_OVER: Final = next(code for code, base in FOLDED.items() if base == IMPRESSIONS.code)

ShardFlight = tuple[int, IdHash]
"""A shard, and a flight that counts in it."""


class FlightSums:
    """Net impressions, and those over the goal, that the store has of each flight, by family. One thread, one audit."""

    def __init__(self) -> None:
        self._net: dict[ShardFlight, dict[Family, int]] = defaultdict(lambda: defaultdict(int))
        self._over: dict[ShardFlight, dict[Family, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, spot: Spot, found: Fields) -> None:
        """Add up what a hash of the store says."""
        flight, family = (spot.shard, parse_member(spot.member)[0]), counted_as(spot.family)
        for number, count in found.items():
            if number & 0xFF == IMPRESSIONS.code:
                self._net[flight][family] += count
            elif number & 0xFF == _OVER:
                self._over[flight][family] += count

    def differences(
        self, delivered: Mapping[int, Mapping[IdHash, int]], moved: AbstractSet[ShardFlight]
    ) -> Iterator[FlightDifference]:
        """Yield the flights whose sums do not agree.

        Args:
            delivered: by shard and flight, what the store says was delivered.
            moved: flights that were counted into meanwhile, of which nothing can be said.
        """
        counted = {(shard, flight): count for shard, flights in delivered.items() for flight, count in flights.items()}
        for key in sorted((self._net.keys() | self._over.keys() | counted.keys()) - moved):
            net = {family: self._net[key][family] for family in Family}
            over = {family: self._over[key][family] for family in Family}
            if len({*net.values(), counted.get(key, 0)}) > 1 or len(set(over.values())) > 1:
                yield FlightDifference(*key, net, over, counted.get(key, 0))
