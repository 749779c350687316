"""Builds the targeting of a flight from its row, and notes every fault on the way."""

from dataclasses import dataclass
from typing import Final, Protocol

from adserver.catalog.faults import FaultLog
from adserver.catalog.positions import FieldPath
from adserver.catalog.rows import HoursRow, NearRow, TargetingRow
from adserver.catalog.unique import Thing, UniqueIds
from adserver.domain.catalog import Targeting
from adserver.domain.hours import WEEKDAYS, Hours
from adserver.domain.ids import PlaceId, Topic
from adserver.domain.places import Circle, Place, PlaceLevel
from adserver.places.errors import PlaceAmbiguous, PlaceNotFound

KILOMETRES_A_MILE: Final = 1.609344
"""The international mile, exactly."""


class PlaceFinder(Protocol):
    """What the campaigns' places are looked up in: the gazetteer, or a few places in a test."""

    def find(self, text: str) -> Place:
        """Return the place that a text names.

        Raises:
            PlaceNotFound, PlaceAmbiguous: worded for the person who wrote it.
        """


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a campaign is checked against. For one thread and one catalog."""

    gazetteer: PlaceFinder
    slots: frozenset[str] | None
    """Ids of all slots; None: there is no slots.yaml, which is a fault of its own."""
    faults: FaultLog
    ids: UniqueIds


class TargetingBuilder:
    """Builds targetings of one file. For one thread."""

    def __init__(self, around: Surroundings, file: str) -> None:
        self._around = around
        self._file = file

    def build(self, row: TargetingRow, path: FieldPath) -> Targeting:
        """Return the targeting that stands at a path of the file; with faults noted, it is not fit to be served."""
        places, near = self._places(row.places, (*path, "places"))
        exclude_places, exclude_near = self._places(row.exclude_places, (*path, "exclude_places"))
        return Targeting(
            places=places,
            exclude_places=exclude_places,
            topics=self._topics(row.topics, (*path, "topics")),
            exclude_topics=self._topics(row.exclude_topics, (*path, "exclude_topics")),
            near=near,
            exclude_near=exclude_near,
            hours=_hours(row.hours) if row.hours else None,
        )

    def _places(
        self, listed: tuple[str | NearRow, ...], path: FieldPath
    ) -> tuple[frozenset[PlaceId], tuple[Circle, ...]]:
        places: set[PlaceId] = set()
        circles: dict[Circle, None] = {}
        for number, one in enumerate(listed):
            if isinstance(one, str):
                place = self._place(one, (*path, number))
                places.update((place.id,) if place else ())
            else:
                circle = self._circle(one, (*path, number, "near"))
                circles.update({circle: None} if circle else {})
        return frozenset(places), tuple(circles)

    def _place(self, words: str, path: FieldPath) -> Place | None:
        try:
            return self._around.gazetteer.find(words)
        except (PlaceNotFound, PlaceAmbiguous) as error:
            self._around.faults.add(self._file, path, str(error))
            return None

    def _circle(self, row: NearRow, path: FieldPath) -> Circle | None:
        centre = self._place(row.near, path)
        if centre is None:
            return None
        if centre.level not in (PlaceLevel.TOWN, PlaceLevel.ZIP):
            message = f"must be a town or a ZIP code; {centre.name} is a {centre.level}, which has no middle to go by"
            self._around.faults.add(self._file, path, message)
            return None
        kilometres = row.km if row.km is not None else (row.miles or 0) * KILOMETRES_A_MILE
        return Circle(centre.id, centre.latitude, centre.longitude, float(kilometres))

    def _topics(self, words: tuple[str, ...], path: FieldPath) -> frozenset[Topic]:
        for number, word in enumerate(words):
            self._around.ids.take_word(Thing.TOPIC, word, self._file, (*path, number))
        return frozenset(Topic(word) for word in words)


def _hours(row: HoursRow) -> Hours:
    return Hours(frozenset(map(WEEKDAYS.index, row.days)), _minute(row.from_), _minute(row.to))


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)
