"""A real mail server on this machine (aiosmtpd): it keeps what it takes, and refuses or hangs as it is told."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from ports import free_port

USER, PASSWORD = "desk", "p@ss:word"


@dataclass(slots=True)
class MailServer:
    """What came, and what it answers. Shared by the server's thread."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    logins: list[bool] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    """Recipients that it does not take."""
    answer: str = "250 taken"
    """To a mail."""
    delay: threading.Event | None = None
    """Its answer to a mail waits for this."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if address in self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 taken"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep a mail, unless it is refused."""
        if self.delay is not None:
            await server.loop.run_in_executor(None, self.delay.wait, 30)
        if self.answer.startswith("250"):
            self.envelopes.append(envelope)
            content = envelope.content
            self.mails.append(message_from_bytes(content if isinstance(content, bytes) else b"", policy=default))
        return self.answer


@contextmanager
def running_mail_server(
    port: int = 0,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    asks_password: bool = False,
) -> Iterator[MailServer]:
    """Run one on a port, or on a free one."""
    mail_server = MailServer(port or free_port())

    def login(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:  # noqa: ANN401 - aiosmtpd's
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        mail_server.logins.append(right)
        return AuthResult(success=right, handled=False)

    controller = Controller(
        mail_server,
        hostname="127.0.0.1",
        port=mail_server.port,
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        auth_required=asks_password,
        auth_require_tls=starttls is not None,
        authenticator=login if asks_password else None,
    )
    controller.start()
    try:
        yield mail_server
    finally:
        if mail_server.delay is not None:
            mail_server.delay.set()
        controller.stop()
