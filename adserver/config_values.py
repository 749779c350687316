"""How the text of a setting becomes its value. A reader raises ValueError with what is wrong, never with a secret."""

import base64
import re
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final

import ada_url

from adserver.alerts.smtp_address import is_loopback
from adserver.store.address import parse_address

Network = IPv4Network | IPv6Network

MAX_WORKERS: Final = 64
MOST_RETENTION_HOURS: Final = 137
"""What is replayed after a loss must not be older than what is kept of its tokens, see `keeping.retention`."""
MOST_ARCHIVE_DAYS: Final = 36_500
LEAST_ROLL_UP_DAYS: Final = 9
"""More than the seven days in which events still count, and a day for each zone."""
MOST_ROLL_UP_DAYS: Final = 36_500
MAX_RATE_EVENTS: Final = 1_000_000
SECRET_KEY_BYTES: Final = (16, 64)
"""Smallest and largest size of a secret key."""

_HOST_NAME: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{16,512}")
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})


class LogFormat(StrEnum):
    """How log lines are written."""

    CONSOLE = "console"
    JSON = "json"


def redis_url(text: str) -> str:
    """Read the address of a Redis, see `parse_address`."""
    parse_address(text)
    return text


def path(text: str) -> Path:
    """Read the path of a folder or a file; whether it is there is not looked at."""
    if "\0" in text:
        raise ValueError("a path cannot hold a NUL")
    return Path(text)


def _web_url(text: str) -> ada_url.URL:
    if not re.match(r"https?://", text, re.IGNORECASE) or re.search(r"[\x00-\x20\x7f\\]", text):
        raise ValueError("not a web address")
    try:
        url = ada_url.URL(text)
    except ValueError:
        raise ValueError("not a web address") from None
    if url.username or url.password:
        raise ValueError("an address with a user name or password is not taken")
    return url


def base_url(text: str) -> str:
    """Read a web address to build on: canonical, without query, fragment and slash at its end."""
    url = _web_url(text)
    if url.search or url.hash:
        raise ValueError("a query or fragment cannot be part of it")
    return f"{url.origin}{url.pathname}".rstrip("/")


def page_url(text: str) -> str:
    """Read the address of a web page: canonical."""
    return str(_web_url(text).href)


def webhook_url(text: str) -> str:
    """Read the address that alerts are sent to: canonical, encrypted unless it is on this machine."""
    url = _web_url(text)
    if url.hash:
        raise ValueError("a fragment cannot be part of it")
    if url.protocol != "https:" and not is_loopback(url.hostname.strip("[]")):
        raise ValueError("what is sent there would cross the network unencrypted")
    return str(url.href)


def host_names(text: str) -> frozenset[str]:
    """Read names or addresses as `Host` carries them: lower case, without port; IPv6 in brackets."""
    return frozenset(_host_name(part) for part in _listed(text))


def _host_name(text: str) -> str:
    name = text.lower()
    if name.startswith("[") and name.endswith("]"):
        return f"[{ip_address(name[1:-1])}]"
    if not _HOST_NAME.fullmatch(name):
        raise ValueError(f"{text!r} is not a host name")
    return name.removesuffix(".")


def secret_keys(text: str) -> tuple[bytes, ...]:
    """Read keys, newest first; what is hex digits only is hex, all else is base64url, padded or not."""
    keys = tuple(_secret_key(number, part) for number, part in enumerate(_listed(text), start=1))
    if len(set(keys)) != len(keys):
        raise ValueError("a key stands in it twice")
    return keys


def _secret_key(number: int, text: str) -> bytes:
    try:
        key = bytes.fromhex(text) if _HEX.fullmatch(text) else _from_base64url(text)
    except ValueError:
        raise ValueError(f"key {number} is neither hex nor base64url") from None
    low, high = SECRET_KEY_BYTES
    if not low <= len(key) <= high:
        raise ValueError(f"key {number} has {len(key)} bytes")
    return key


def _from_base64url(text: str) -> bytes:
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    bare = text.rstrip("=")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def admin_token(text: str) -> str:
    """Read a token that a header can carry and nobody can guess."""
    if not _TOKEN.fullmatch(text):
        raise ValueError("too short, too long, or with blanks or other than ASCII")
    return text


def networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks."""
    try:
        return tuple(ip_network(part) for part in _listed(text))
    except ValueError as error:
        raise ValueError(f"{error}") from error


def workers(text: str) -> int:
    """Read a number of processes."""
    return _whole_number(text, 1, MAX_WORKERS)


def retention_hours(text: str) -> int:
    """Read a number of hours."""
    return _whole_number(text, 1, MOST_RETENTION_HOURS)


def archive_days(text: str) -> int:
    """Read a number of days."""
    return _whole_number(text, 0, MOST_ARCHIVE_DAYS)


def roll_up_days(text: str) -> int:
    """Read a number of days; 0 stands for never."""
    return 0 if text == "0" else _whole_number(text, LEAST_ROLL_UP_DAYS, MOST_ROLL_UP_DAYS)


def _whole_number(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise ValueError("not such a number")
    return int(text)


def rate_events(text: str) -> int:
    """Read a number of events; 0 stands for any number."""
    if not re.fullmatch(r"[0-9]{1,7}", text) or int(text) > MAX_RATE_EVENTS:
        raise ValueError("not such a number")
    return int(text)


def log_format(text: str) -> LogFormat:
    """Read the name of a log format."""
    try:
        return LogFormat(text)
    except ValueError:
        raise ValueError("no such format") from None


def flag(text: str) -> bool:
    """Read yes or no."""
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError("neither yes nor no")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)
