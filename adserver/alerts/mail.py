"""Sends notices by mail: all that are due in one message."""

import contextlib
import smtplib
import ssl
from collections.abc import Sequence
from typing import Final

from adserver.alerts.mail_words import compose
from adserver.alerts.notice import Notice
from adserver.alerts.smtp_address import Encryption, SmtpAddress
from adserver.alerts.way import Delivery, cut_off_after
from adserver.alerts.way_name import WayName

ANSWER_SECONDS: Final = 15.0
"""For a connection, and for each answer."""
_WHOLE_SECONDS: Final = 60.0
_MOST: Final = 100
_READY: Final = 220
_WORDS: Final = (
    (smtplib.SMTPAuthenticationError, "the mail server refused user and password"),
    (smtplib.SMTPRecipientsRefused, "the mail server refused all recipients"),
    (
        smtplib.SMTPNotSupportedError,
        "the mail server does not offer what the setting asks of it: encryption, or a password",
    ),
    (smtplib.SMTPServerDisconnected, "the mail server ended the connection, or did not answer in time"),
    (ssl.SSLCertVerificationError, "the mail server's certificate is not believed"),
    (TimeoutError, "the mail server did not answer in time"),
)


class Mail:
    """A `Way`. Immutable."""

    name = WayName.MAIL.value
    most = _MOST

    def __init__(
        self,
        server: SmtpAddress,
        sender: str,
        recipients: Sequence[str],
        link: str | None,
        answer_seconds: float = ANSWER_SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Take where mail is handed in, whom it is from and to, and where people see all alerts.

        `context`: whose certificates are believed; None: those that the system believes.
        """
        self._server = server
        self._sender = sender
        self._recipients = tuple(recipients)
        self._link = link
        self._answer_seconds = answer_seconds
        self._context = context

    def send(self, notices: Sequence[Notice], now: float) -> Delivery:
        """Send them in one mail; it counts as sent once the server has taken it for one of the recipients."""
        message = compose(self._sender, self._recipients, notices, self._link, now)
        try:
            with contextlib.ExitStack() as stack:
                connection = self._client()
                stack.callback(connection.close)
                stack.enter_context(cut_off_after(_WHOLE_SECONDS, lambda: connection.sock))
                self._greet(connection)
                refused = connection.send_message(message, self._sender, self._recipients)
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    connection.quit()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return Delivery(dict.fromkeys((notice.id for notice in notices), False), _words(error))
        fault = f"the server refused {len(refused)} of {len(self._recipients)} recipients" if refused else ""
        return Delivery(dict.fromkeys((notice.id for notice in notices), True), fault)

    def _client(self) -> smtplib.SMTP:
        """Return a client that is not connected yet, so that what cuts it off can begin before it is."""
        if self._server.encryption is Encryption.TLS:
            return smtplib.SMTP_SSL(timeout=self._answer_seconds, context=self._believed())
        return smtplib.SMTP(timeout=self._answer_seconds)

    def _greet(self, connection: smtplib.SMTP) -> None:
        server = self._server
        connection._host = server.host  # type: ignore[attr-defined]  # noqa: SLF001 - whose certificate is wanted
        code, _ = connection.connect(server.host, server.port)
        if code != _READY:
            raise smtplib.SMTPConnectError(code, "")
        if server.encryption is Encryption.STARTTLS:
            connection.starttls(context=self._believed())
        if server.user:
            connection.login(server.user, server.password)

    def _believed(self) -> ssl.SSLContext:
        return self._context or ssl.create_default_context()


def _words(error: Exception) -> str:
    """Return what is wrong in words that hold neither address nor password."""
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server refused the mail ({error.smtp_code})"
    if isinstance(error, OSError) and error.strerror:
        return f"the mail server cannot be reached: {error.strerror}"
    return f"the mail could not be sent: {type(error).__name__}"
