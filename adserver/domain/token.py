"""The signed token that names one decision: its codec, and nothing about keeping or counting it.

Layout, version 1, 55 bytes, written in 74 characters of URL-safe base64 without padding:

    byte   0      version (high half) and key id (low half)
    bytes  1..6   issuer: 48 random bits of the process that issued it
    byte   7      shard
    bytes  8..11  sequence within (issuer, shard), big-endian
    bytes 12..15  second of issue, Unix time, big-endian
    bytes 16..21  flight      bytes 22..27  creative     bytes 28..32  slot
    bytes 33..37  place       bytes 38..41  topic        byte  42      variant asked for
    bytes 43..54  keyed BLAKE2b of bytes 0..42
"""

import base64
import hashlib
import hmac
import re
import struct
from typing import Final, NamedTuple

from adserver.domain.errors import AdserverError
from adserver.domain.ids import IdHash
from adserver.domain.variants import Variant

_VERSION: Final = 1
_BODY: Final = struct.Struct(">B6sBII6s6s5s5s4sB")
_MAC_BYTES: Final = 12
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{74}")
_VARIANTS: Final = {variant.code: variant for variant in Variant}

VIEW_LIFE_SECONDS: Final = 2 * 3600
CLICK_LIFE_SECONDS: Final = 24 * 3600


class TokenInvalid(AdserverError):
    """The token is malformed, or was not signed by a live key. Says nothing more, so as to teach nobody."""


class Token(NamedTuple):
    """What a token says: who issued it, when, for which decision. Immutable; a tuple, for every decision makes one."""

    issuer: bytes
    """6 random bytes."""
    shard: int
    sequence: int
    issued_second: int
    """Unix time."""
    flight: IdHash
    creative: IdHash
    slot: IdHash
    place: IdHash
    topic: IdHash
    variant: Variant
    """What the request asked for: `auto`, or the length it named."""


class TokenCodec:
    """Signs tokens with the newest key and reads those of every live key. Immutable, shared by all threads."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        """Take the secret keys, newest first; each is 16 to 64 bytes.

        Raises:
            ValueError: without a key, or with one of another size.
        """
        if not keys or any(not 16 <= len(key) <= 64 for key in keys):
            raise ValueError("at least one secret key of 16 to 64 bytes is needed")
        self._newest = keys[0]
        self._head = _VERSION << 4 | key_id(keys[0])
        by_id: dict[int, tuple[bytes, ...]] = {}
        for key in keys:
            head = _VERSION << 4 | key_id(key)
            by_id[head] = (*by_id.get(head, ()), key)
        self._keys = by_id

    def encode(self, token: Token) -> str:
        """Return the token's text, `[A-Za-z0-9_-]{74}`."""
        body = _BODY.pack(
            self._head,
            token.issuer,
            token.shard,
            token.sequence,
            token.issued_second,
            token.flight,
            token.creative,
            token.slot,
            token.place,
            token.topic,
            token.variant.code,
        )
        return base64.urlsafe_b64encode(body + _mac(self._newest, body)).rstrip(b"=").decode()

    def decode(self, text: str) -> Token:
        """Return what a token says, if a live key signed exactly this text.

        Raises:
            TokenInvalid: otherwise.
        """
        if _TEXT.fullmatch(text) is None:
            raise TokenInvalid
        raw = base64.urlsafe_b64decode(text + "==")
        if base64.urlsafe_b64encode(raw)[:74].decode() != text:  # four bits of the last character carry nothing
            raise TokenInvalid
        body, mac = raw[: _BODY.size], raw[_BODY.size :]
        if not any(hmac.compare_digest(_mac(key, body), mac) for key in self._keys.get(body[0], ())):
            raise TokenInvalid
        _, issuer, shard, sequence, issued, flight, creative, slot, place, topic, variant = _BODY.unpack(body)
        if variant not in _VARIANTS:
            raise TokenInvalid
        return Token(issuer, shard, sequence, issued, flight, creative, slot, place, topic, _VARIANTS[variant])


def read_issued_second(text: str) -> int | None:
    """Return when a token says that it was issued (Unix time), signed or not; None: it is no token's text."""
    if _TEXT.fullmatch(text) is None:
        return None
    issued: int = _BODY.unpack(base64.urlsafe_b64decode(text + "==")[: _BODY.size])[4]
    return issued


def _mac(key: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, key=key, digest_size=_MAC_BYTES).digest()


def key_id(key: bytes) -> int:
    """Derive a key's four-bit id from itself, so that rotation needs no numbering; two keys may share one."""
    return hashlib.blake2b(key, digest_size=1, person=b"key-id").digest()[0] & 0x0F
