"""The salts of reach: agreed on with all hosts through Redis, made here where it is away, and ended in time."""

import logging
import secrets
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from adserver.counting.salts import SALT_BYTES, SALT_LIFE_SECONDS, Salt, read_salts, write_salts
from adserver.domain.errors import StoreUnavailable
from adserver.domain.token import VIEW_LIFE_SECONDS

SALTS_UNWRITABLE: Final = "salts.unwritable"
"""Log event: the salts of reach cannot be written; the disk may be full. Counting goes on, reach may not."""

AGREE_SECONDS: Final = 60.0
"""How often all salts are agreed on anew: Redis may have fallen back to a time when it had none."""
RETRY_SECONDS: Final = 5.0

_AHEAD: Final = timedelta(minutes=10)
"""A day's salt is there before the day begins."""
_BEHIND: Final = timedelta(seconds=VIEW_LIFE_SECONDS)
"""Views may come as long after the day's end."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_LOG: Final = logging.getLogger(__name__)


class Agreed(NamedTuple):
    """The salt that all hosts use. Immutable; not to be shown."""

    secret: str
    ends_in_seconds: float


class SaltStore(Protocol):
    """Where hosts agree. Fails closed."""

    def agree(self, day: int, secret: str, life_seconds: int) -> Agreed:
        """Put a day's salt where there is none yet, to be forgotten after its life; return the one that holds.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def forget(self, day: int) -> None:
        """Forget a day's salt, in the files that the store can be told to write anew as well.

        Raises:
            StoreUnavailable: the store did not answer, or cannot do it now.
        """
        ...


class SaltKeeper:
    """Holds the salts of the days that are, or are about to be, somewhere. For the keeper's one thread."""

    def __init__(self, folder: Path, store: SaltStore, make: Callable[[], str] | None = None) -> None:
        """Take the data folder, where hosts agree, and for tests what makes a salt (in hex)."""
        self._folder = folder
        self._store = store
        self._make = make or (lambda: secrets.token_hex(SALT_BYTES))
        self._salts = {salt.day: salt for salt in read_salts(folder)}
        self._written: tuple[Salt, ...] | None = None
        self._agree_at = 0.0
        self._disk_fails = False

    def step(self, zones: Iterable[ZoneInfo], now: datetime, monotonic: float) -> None:
        """Have a salt for each day that views may be of, and end those whose time is over. Never raises.

        Args:
            zones: those of all sites; UTC is always among them.
            now: aware UTC.
            monotonic: the same moment, in monotonic seconds.
        """
        days = _days_of((ZoneInfo("UTC"), *zones), now)
        for day, salt in self._salts.items():
            if salt.secret and salt.has_ended(now.timestamp()):
                self._salts[day] = Salt(day, "", salt.made, agreed=False)
                self._agree_at = 0.0
        for day in sorted(days - self._salts.keys()):
            self._salts[day] = Salt(day, self._make(), now.timestamp(), agreed=False)
            self._agree_at = 0.0
        if monotonic >= self._agree_at:
            self._agree_at = monotonic + (AGREE_SECONDS if self._settle(now.timestamp()) else RETRY_SECONDS)
        self._write()

    def _settle(self, now: float) -> bool:
        """Tell the store what has ended, and agree on the rest; return whether it took all."""
        try:
            for day, salt in sorted(self._salts.items()):
                if salt.secret:
                    self._salts[day] = self._agreed(salt, now)
                else:
                    self._store.forget(day)
                    del self._salts[day]
        except StoreUnavailable:  # the keeper says so, from what it counts with
            return False
        return True

    def _agreed(self, salt: Salt, now: float) -> Salt:
        life = max(1, round(salt.made + SALT_LIFE_SECONDS - now))
        secret, ends_in = self._store.agree(salt.day, salt.secret, life)
        if secret == salt.secret and salt.agreed:
            return salt
        return Salt(salt.day, secret, min(salt.made, now + ends_in - SALT_LIFE_SECONDS), agreed=True)

    def _write(self) -> None:
        salts = tuple(self._salts[day] for day in sorted(self._salts))
        if salts == self._written:
            return
        try:
            write_salts(self._folder, salts)
        except OSError as error:
            if not self._disk_fails:
                _LOG.error(SALTS_UNWRITABLE, extra={"fault": error.strerror})
            self._disk_fails = True
        else:
            self._written, self._disk_fails = salts, False


def _days_of(zones: Iterable[ZoneInfo], now: datetime) -> set[int]:
    """Return the days since 1970 that views may be of now, or very soon, in any of the zones."""
    moments = (now - _BEHIND, now, now + _AHEAD)
    return {moment.astimezone(zone).date().toordinal() - _EPOCH for zone in zones for moment in moments}
