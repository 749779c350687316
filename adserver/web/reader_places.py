"""Where a reader is, by a file that the publisher brings; asked only where the page names no place.

The address is looked up and forgotten: it is no key of any memory, and in no log line.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import maxminddb
from maxminddb.types import Record

from adserver.domain.errors import AdserverError
from adserver.domain.places import Place
from adserver.web.parameters import PlaceResolver

LOOKUP_FAULT: Final = "reader_places.fault"
"""Log event: the file is damaged where an address was looked up; the page got what runs without a place."""

_LOG: Final = logging.getLogger(__name__)
_COUNTRY: Final = "US"
_OUTLYING: Final = {"PR": "PR"}
"""States of the gazetteer that such files take for countries."""


class ReaderPlacesUnreadable(AdserverError):
    """The file cannot be opened, or is not in MaxMind's format."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What such a file says of itself. Immutable."""

    kind: str
    """As its maker calls it: `GeoLite2-City`."""
    built: int
    """Unix time."""


class ReaderPlaces:
    """Finds places of addresses. Shared by all threads; the file is mapped, and must be replaced, not written into."""

    def __init__(self, path: Path, places: PlaceResolver) -> None:
        """Open a file.

        Args:
            path: in MaxMind's format, with towns: GeoLite2 City, GeoIP2 City, DB-IP City.
            places: resolves what it says.

        Raises:
            ReaderPlacesUnreadable: it cannot be opened, or is not in that format.
        """
        self._reader = _open(path)
        self._places = places

    def place_of(self, address: str) -> Place | None:
        """Return the place of an address, the finest that file and gazetteer both know, or None. Never raises."""
        try:
            record = self._reader.get(address)
        except ValueError:  # no address: a Unix socket's peer has none
            return None
        except Exception as fault:  # noqa: BLE001 - a page never breaks for us, and the message may hold the address
            _LOG.warning(LOOKUP_FAULT, extra={"fault": type(fault).__name__})
            return None
        return self._resolve(record) if isinstance(record, Mapping) else None

    def _resolve(self, record: Mapping[str, Record]) -> Place | None:
        country = _text(record, "country", "iso_code")
        state = _OUTLYING.get(country) or _text(_first(record, "subdivisions"), "iso_code")
        if country != _COUNTRY and country not in _OUTLYING:
            return None
        town = _text(record, "city", "names", "en")
        for words in (f"{town}, {state}" if town and state else "", _text(record, "postal", "code"), state):
            place = self._places.resolve(words) if words else None
            if place is not None:
                return place
        return self._places.resolve(_COUNTRY)


def read_facts(path: Path) -> FileFacts:
    """Return what a file says of itself.

    Raises:
        ReaderPlacesUnreadable: it cannot be opened, or is not in MaxMind's format.
    """
    with _open(path) as reader:
        metadata = reader.metadata()
        return FileFacts(metadata.database_type, metadata.build_epoch)


def _open(path: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not in MaxMind's format"
        raise ReaderPlacesUnreadable(f"{path} cannot be read: {reason}") from error


def _first(record: Mapping[str, Record], name: str) -> Record:
    listed = record.get(name)
    return listed[0] if isinstance(listed, list) and listed else {}


def _text(record: Record, *path: str) -> str:
    """Return the text at the end of a path, empty where there is none."""
    for name in path:
        record = record.get(name, {}) if isinstance(record, Mapping) else {}
    return record if isinstance(record, str) else ""
