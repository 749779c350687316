"""The address of a mail server, as a setting names it, and addresses of mail. Standard library only."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

TAKES: Final = (
    "smtps://user:password@host:465, smtp+starttls://user:password@host:587, or smtp://host:25, which encrypts "
    "nothing and takes a password on this machine only"
)
MOST_RECIPIENTS: Final = 20

_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_LOOPBACK_NAME: Final = "localhost"
_LAST_PORT: Final = 65_535


class Encryption(StrEnum):
    """How the way to a mail server is encrypted."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"


_PORTS: Final = {Encryption.NONE: 25, Encryption.STARTTLS: 587, Encryption.TLS: 465}


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """Where mail is handed in. Immutable; its repr shows no secret."""

    encryption: Encryption
    host: str
    port: int
    user: str = ""
    """Empty: it asks for none."""
    password: str = field(default="", repr=False)


def parse_smtp_address(text: str) -> SmtpAddress:
    """Read the address of a mail server.

    Raises:
        ValueError: it is none; the message holds no secret.
    """
    if not text.isascii() or re.search(r"[\x00-\x20\x7f\\]", text):
        raise ValueError("it has blanks, control characters, or others than ASCII; %-escape them")
    try:
        parts = urlsplit(text)
        encryption, port = Encryption(parts.scheme), parts.port
    except ValueError:
        raise ValueError("not the address of a mail server") from None
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("it names no host, or more than a host")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if any(not part.isprintable() for part in (user, password)):
        raise ValueError("its user name or password has control characters")
    if bool(user) != bool(password):
        raise ValueError("it names a user without a password, or a password without a user")
    if port == 0:
        raise ValueError("there is no port 0")
    if user and encryption is Encryption.NONE and not is_loopback(parts.hostname):
        raise ValueError("a password would cross the network unencrypted")
    return SmtpAddress(encryption, parts.hostname, port or _PORTS[encryption], user, password)


def is_loopback(host: str) -> bool:
    """Tell whether a host of an address is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == _LOOPBACK_NAME


def parse_mailbox(text: str) -> str:
    """Read one address of mail, bare.

    Raises:
        ValueError: it is none.
    """
    if not _MAILBOX.fullmatch(text):
        raise ValueError(f"{text!r} is no mail address")
    return text


def parse_mailboxes(text: str) -> tuple[str, ...]:
    """Read addresses of mail, separated by commas.

    Raises:
        ValueError: one is none, or they are too many.
    """
    found = tuple(parse_mailbox(part) for part in (part.strip() for part in text.split(",")) if part)
    if not 1 <= len(found) <= MOST_RECIPIENTS:
        raise ValueError("no address, or too many")
    return found
