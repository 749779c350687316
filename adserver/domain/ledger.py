"""The signed ledger of what one reader was shown of flights with a cap a reader: its codec.

The reader's tag keeps it and sends it along; nobody else does. Two parts, the visit's and the page's, joined by a dot,
so that a tag can keep the first and forget the second with its page. Each, in URL-safe base64 without padding,
version 1:

    byte   0      version (high half) and key id (low half)
    byte   1      0: of the visit, 1: of the page
    bytes  2..5   second of writing, Unix time, big-endian
    then          7 bytes a flight: its hash, and how often it was shown, 255 at most; the latest last
    last 12       keyed BLAKE2b of all bytes before it
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Mapping
from typing import Final

from adserver.domain.ids import IdHash, Kind
from adserver.domain.token import key_id

VISIT_SECONDS: Final = 1800
"""A visit ends with so long a time without a call; what was shown before is not counted any more."""
MOST_FLIGHTS: Final = 40
"""Of more, those shown longest ago are forgotten."""

_VERSION: Final = 1
_HEAD: Final = struct.Struct(">BBI")
_ENTRY: Final = struct.Struct(f">{Kind.FLIGHT.size_bytes}sB")
_MOST_TIMES: Final = 255
_MAC_BYTES: Final = 12
_MOST_BYTES: Final = _HEAD.size + MOST_FLIGHTS * _ENTRY.size + _MAC_BYTES
_MOST_CHARS: Final = 2 * (-(-_MOST_BYTES * 4 // 3)) + 1
_VISIT: Final = 0
_PAGE: Final = 1

Times = Mapping[IdHash, int]
"""How often each flight was shown."""


class LedgerCodec:
    """Signs ledgers with the newest key and reads those of every live key. Immutable, shared by all threads."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        """Take the secret keys, newest first; each is 16 to 64 bytes."""
        self._keys = keys

    def encode(self, visit: Times, page: Times, second: int) -> str:
        """Return the text of a ledger; `second` is Unix time."""
        return f"{self._write(_VISIT, visit, second)}.{self._write(_PAGE, page, second)}"

    def decode(self, text: str, second: int) -> tuple[Times, Times]:
        """Return what a ledger says of the visit and of the page.

        Each is empty where it is missing, is none of ours, or is of a visit that is over: as if nothing had been shown.
        """
        if len(text) > _MOST_CHARS:
            return {}, {}
        visit, _, page = text.partition(".")
        return self._read(_VISIT, visit, second), self._read(_PAGE, page, second)

    def _write(self, part: int, times: Times, second: int) -> str:
        key = self._keys[0]
        latest = list(times.items())[-MOST_FLIGHTS:]
        body = _HEAD.pack(_VERSION << 4 | key_id(key), part, second) + b"".join(
            _ENTRY.pack(flight, min(count, _MOST_TIMES)) for flight, count in latest
        )
        return base64.urlsafe_b64encode(body + _mac(key, body)).rstrip(b"=").decode()

    def _read(self, part: int, text: str, second: int) -> Times:
        try:
            raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
        except (ValueError, binascii.Error):
            return {}
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(body) < _HEAD.size or (len(body) - _HEAD.size) % _ENTRY.size:
            return {}
        head, own, written = _HEAD.unpack_from(body)
        live = (key for key in self._keys if head == _VERSION << 4 | key_id(key))
        if own != part or not any(hmac.compare_digest(_mac(key, body), mac) for key in live):
            return {}
        if not second - VISIT_SECONDS < written <= second + VISIT_SECONDS:
            return {}
        return {IdHash(flight): count for flight, count in _ENTRY.iter_unpack(body[_HEAD.size :])}


def _mac(key: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, key=key, digest_size=_MAC_BYTES, person=b"ledger").digest()
