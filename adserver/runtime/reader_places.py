"""The file that tells where readers are: looked at before a service starts, and opened by each worker."""

import logging
from typing import Final

from adserver.config import GEOIP_DB, Settings
from adserver.domain.errors import SettingRefused
from adserver.processes.facts import ReaderPlacesFacts
from adserver.web.parameters import PlaceResolver
from adserver.web.reader_places import ReaderPlaces, ReaderPlacesUnreadable, read_facts

UNREADABLE: Final = "reader_places.unreadable"
"""Log event: the file cannot be read; pages that name no place have none, as if it were unset."""

_LOG: Final = logging.getLogger(__name__)


def open_reader_places(settings: Settings, places: PlaceResolver) -> ReaderPlaces | None:
    """Return what finds readers' places; None where no file is set, or it cannot be read: pages go on without."""
    if settings.geoip_db is None:
        return None
    try:
        return ReaderPlaces(settings.geoip_db, places)
    except ReaderPlacesUnreadable as error:
        _LOG.warning(UNREADABLE, extra={"fault": str(error)})
        return None


def check_reader_places(settings: Settings) -> None:
    """Refuse to start with a file that cannot be read.

    Raises:
        SettingRefused: it is set, and cannot be.
    """
    facts = examine_reader_places(settings)
    if facts is not None and facts.fault is not None:
        raise SettingRefused(GEOIP_DB.name, f"{facts.fault}; it takes {GEOIP_DB.takes}")


def examine_reader_places(settings: Settings) -> ReaderPlacesFacts | None:
    """Return what there is to say of the file; None: none is set."""
    if settings.geoip_db is None:
        return None
    try:
        return ReaderPlacesFacts(None, read_facts(settings.geoip_db).built)
    except ReaderPlacesUnreadable as error:
        return ReaderPlacesFacts(str(error), 0)
