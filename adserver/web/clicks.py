"""Where a click's token leads: looked up by id, so that no address ever comes out of a request."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from adserver.counting.acceptance import Acceptance, Signals
from adserver.decision.snapshot import Snapshot
from adserver.delivery.links import MacroValues, click_location
from adserver.domain.ids import IdHash
from adserver.domain.places import Place
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token, TokenCodec, TokenInvalid
from adserver.domain.variants import Variant
from adserver.web.serving import CatalogSource

CLICK_FAULT: Final = "click.fault"
"""Log event: a click could not be recorded, or its link not be found; the reader was sent on all the same."""

_LOG: Final = logging.getLogger(__name__)


class PlaceNames(Protocol):
    """Finds the place that a token's hash stands for. The gazetteer is one."""

    def by_hash(self, hash_: IdHash) -> Place | None:
        """Return the place, or None."""
        ...


class FreshCatalog(CatalogSource, Protocol):
    """What is live in this process, and what its host has newer."""

    def newest(self) -> Snapshot | None:
        """Look whether there is a newer snapshot, take it up, and return it."""
        ...


class ClickRouter:
    """Sends readers to sponsors. Shared by all threads of a process; immutable."""

    def __init__(
        self,
        *,
        catalog: FreshCatalog,
        places: PlaceNames,
        codec: TokenCodec,
        acceptance: Acceptance,
        clock: Callable[[], datetime],
        home_url: str | None,
    ) -> None:
        """Take what finds a link.

        Args:
            catalog: the live snapshot.
            places: fills the macro `{place}`.
            codec: reads the tokens of calls that leave no trace.
            acceptance: judges and records the click.
            clock: aware UTC now.
            home_url: where unreadable tokens go; None: the first site's home.
        """
        self._catalog = catalog
        self._places = places
        self._codec = codec
        self._acceptance = acceptance
        self._clock = clock
        self._home_url = home_url

    def follow(self, text: str, reported: Variant, signals: Signals) -> str | None:
        """Record a click on the token `text` and return where it leads; see `locate`. Never raises."""
        try:
            token = self._acceptance.accept(text, EventKind.CLICK, reported, signals).token
        except Exception as fault:  # noqa: BLE001 - the reader is sent on, whatever becomes of the count
            _LOG.error(CLICK_FAULT, exc_info=fault)
            return self.locate(text, reported)
        return self._location(token, reported)

    def locate(self, text: str, reported: Variant) -> str | None:
        """Return where the token `text` leads, and leave no trace. Never raises.

        An expired token still leads to its sponsor; an unreadable one, or one whose creative is gone for good, home.
        None where there is no home either: nothing was ever published.
        """
        try:
            token = self._codec.decode(text)
        except TokenInvalid:
            token = None
        return self._location(token, reported)

    def _location(self, token: Token | None, reported: Variant) -> str | None:
        try:
            snapshot = self._catalog.current()
            found = self._sponsor(token, snapshot, reported)
            if found is None and token is not None:  # another worker may have decided by a revision of a moment ago
                snapshot = self._catalog.newest()
                found = self._sponsor(token, snapshot, reported)
            return found or self._home(snapshot)
        except Exception as fault:  # noqa: BLE001 - the reader is sent somewhere safe
            _LOG.error(CLICK_FAULT, exc_info=fault)
            return self._home_url

    def _sponsor(self, token: Token | None, snapshot: Snapshot | None, reported: Variant) -> str | None:
        if token is None or snapshot is None:
            return None
        target = snapshot.creative_by_hash(token.creative, self._clock())
        if target is None:
            return None
        slot = snapshot.slot_by_hash(token.slot)
        place = self._places.by_hash(token.place) if "{place}" in target.click_url else None
        values = MacroValues(
            slot=slot.id if slot is not None else "",
            place=place.id if place is not None else "",
            campaign=target.campaign,
            creative=target.creative,
            variant=token.variant if token.variant is not Variant.AUTO else reported,
        )
        return click_location(target.click_url, target.utm, values)

    def _home(self, snapshot: Snapshot | None) -> str | None:
        if self._home_url is not None:
            return self._home_url
        sites = snapshot.sites if snapshot is not None else ()
        return sites[0].home if sites else None
