"""How a webhook's receiver knows that a notice came from here: HMAC-SHA256 over `<timestamp>.<body>`."""

import hashlib
import hmac
from typing import Final

SIGNATURE_HEADER: Final = "Adserver-Signature"
TIMESTAMP_HEADER: Final = "Adserver-Timestamp"
NOTICE_HEADER: Final = "Adserver-Notice"
_SCHEME: Final = "v1"


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return the value of the signature's header, `v1=<hex>`; `timestamp` in seconds of Unix time."""
    signed = f"{timestamp}.".encode() + body
    return f"{_SCHEME}={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
