"""What a mail about alerts says: plain text, and a subject that tells what matters. Pure."""

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from adserver.alerts.notice import Happening, Notice, moment

_SUBJECT_CHARS: Final = 120
_COLUMNS: Final = 76
_MARK: Final = "[adserver]"


def compose(
    sender: str, recipients: Sequence[str], notices: Sequence[Notice], link: str | None, now: float
) -> EmailMessage:
    """Return a mail that tells of some notices, at least one.

    Names of campaigns stand in the subject, so whatever could end a header's line is made a blank.

    Args:
        sender: bare address.
        recipients: bare addresses.
        notices: what to tell.
        link: where all alerts are seen; None: not known.
        now: Unix time.
    """
    mail = EmailMessage(policy=SMTP.clone(utf8=False))
    mail["From"] = Address("Ad server", addr_spec=sender)
    mail["To"] = tuple(Address(addr_spec=recipient) for recipient in recipients)
    mail["Subject"] = subject(notices)
    mail["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    mail["Message-ID"] = f"<{notices[0].id}.{len(notices)}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer from who is on holiday
    mail.set_content(body(notices, link))
    return mail


def subject(notices: Sequence[Notice]) -> str:
    """Return the subject: of one notice its title, of several how many there are and the first title."""
    first = notices[0]
    words = _one_line(_happening(first))
    if len(notices) > 1:
        words = f"{len(notices)} alerts: {words}; and {len(notices) - 1} more"
    text = f"{_MARK} {words}"
    return text if len(text) <= _SUBJECT_CHARS else f"{text[: _SUBJECT_CHARS - 1].rstrip()}…"


def body(notices: Sequence[Notice], link: str | None) -> str:
    """Return the text: each notice with its numbers and what to do."""
    parts = [_paragraphs(notice) for notice in notices]
    if link:
        parts.append(f"All alerts: {link}\n")
    return "\n".join(parts)


def _happening(notice: Notice) -> str:
    title = notice.alert.title
    match notice.event:
        case Happening.ENDED:
            return f"over: {title}"
        case Happening.TEST:
            return title
    return f"{notice.alert.severity}: {title}"


def _paragraphs(notice: Notice) -> str:
    alert = notice.alert
    lines = [_filled(_one_line(_happening(notice)))]
    if notice.event is Happening.ENDED:
        lines.append(_filled(f"It began on {moment(alert.since)} and ended by {moment(notice.at)}. It last said:"))
    lines.append(_filled(_one_line(alert.text)))
    if notice.event is not Happening.ENDED:
        lines.append(_filled(f"What to do: {_one_line(alert.advice)}"))
    return "\n".join(lines) + "\n"


def _filled(text: str) -> str:
    return textwrap.fill(text, _COLUMNS, break_long_words=False, break_on_hyphens=False)


def _one_line(text: str) -> str:
    """Return a text in which every run of blanks, line ends and other characters that do not print is one blank."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
