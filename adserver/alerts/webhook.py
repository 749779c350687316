"""Sends notices to an address of the operator's: one signed POST each."""

import contextlib
import http.client
import ssl
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from adserver.alerts.notice import Notice, payload
from adserver.alerts.signing import NOTICE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from adserver.alerts.way import Delivery, cut_off_after
from adserver.alerts.way_name import WayName

ANSWER_SECONDS: Final = 10.0
"""For a connection, and for an answer."""
_WHOLE_SECONDS: Final = 20.0
_MOST: Final = 20
_BUSY: Final = frozenset({408, 425, 429})
"""Refusals that say nothing of the notice."""


class Webhook:
    """A `Way`. Follows no redirect: what is signed goes to who was named. Immutable."""

    name = WayName.WEBHOOK.value
    most = _MOST

    def __init__(self, url: str, secret: str, link: str | None, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Take the address (`https://`, or `http://` to loopback), the secret, and where people see all alerts."""
        parts = urlsplit(url)
        self._is_encrypted = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._secret = secret
        self._link = link
        self._answer_seconds = answer_seconds

    def send(self, notices: Sequence[Notice], now: float) -> Delivery:
        """Send each; after one that shows that the receiver is down, the rest waits."""
        outcomes: dict[str, bool | None] = dict.fromkeys((notice.id for notice in notices), None)
        fault = ""
        for notice in notices:
            try:
                status = self._post(payload(notice, self._link), notice.id, int(now))
            except (OSError, http.client.HTTPException) as error:
                outcomes[notice.id] = False
                return Delivery(outcomes, f"the receiver cannot be reached: {_words(error)}")
            outcomes[notice.id] = 200 <= status < 300
            if not outcomes[notice.id]:
                fault = f"the receiver answered {status}"
                if status >= 500 or status in _BUSY:
                    break
        return Delivery(outcomes, fault)

    def _post(self, body: bytes, notice: str, now: int) -> int:
        """Return the status of the answer; its body is not read."""
        connection = self._connect()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "adserver-alerts",
            TIMESTAMP_HEADER: str(now),
            NOTICE_HEADER: notice,
            SIGNATURE_HEADER: sign(self._secret, now, body),
        }
        with contextlib.closing(connection), cut_off_after(_WHOLE_SECONDS, lambda: connection.sock):
            connection.request("POST", self._target, body, headers)
            return connection.getresponse().status

    def _connect(self) -> http.client.HTTPConnection:
        if not self._is_encrypted:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._answer_seconds)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._answer_seconds, context=ssl.create_default_context()
        )


def _words(error: Exception) -> str:
    """Return what is wrong in words that hold no address."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
