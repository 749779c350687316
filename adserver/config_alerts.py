"""The settings of where alerts are sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from adserver import config_values
from adserver.alerts import smtp_address
from adserver.alerts.smtp_address import SmtpAddress
from adserver.alerts.way_name import WayName
from adserver.config_setting import Setting
from adserver.domain.errors import SettingRefused

ALERT_WEBHOOK: Final[Setting[str | None]] = Setting(
    "ADSERVER_ALERT_WEBHOOK",
    None,
    "unset",
    "address",
    "an https:// address, or an http:// one of this machine",
    "Where each alert is sent as JSON, when it begins and when it ends. Unset: nowhere.",
    config_values.webhook_url,
)
ALERT_WEBHOOK_SECRET: Final[Setting[str | None]] = Setting(
    "ADSERVER_ALERT_WEBHOOK_SECRET",
    None,
    "unset",
    "text",
    "16 to 512 visible ASCII characters",
    "What these are signed with; must be set where the webhook is.",
    config_values.admin_token,
)
SMTP_URL: Final[Setting[SmtpAddress | None]] = Setting(
    "ADSERVER_SMTP_URL",
    None,
    "unset",
    "address",
    smtp_address.TAKES,
    "The mail server that mail about alerts is handed to. Unset: no mail.",
    smtp_address.parse_smtp_address,
)
ALERT_MAIL_FROM: Final[Setting[str | None]] = Setting(
    "ADSERVER_ALERT_MAIL_FROM",
    None,
    "unset",
    "mail address",
    "one mail address such as ads@news.example",
    "Whom mail about alerts is from; must be set where the mail server is.",
    smtp_address.parse_mailbox,
)
ALERT_MAIL_TO: Final[Setting[tuple[str, ...]]] = Setting(
    "ADSERVER_ALERT_MAIL_TO",
    (),
    "none",
    "mail addresses, by comma",
    f"1 to {smtp_address.MOST_RECIPIENTS} mail addresses, separated by commas",
    "Whom mail about alerts is for; must be set where the mail server is.",
    smtp_address.parse_mailboxes,
)

ALERT_SETTINGS: Final[tuple[Setting[object], ...]] = (
    ALERT_WEBHOOK,
    ALERT_WEBHOOK_SECRET,
    SMTP_URL,
    ALERT_MAIL_FROM,
    ALERT_MAIL_TO,
)


@dataclass(frozen=True, slots=True)
class AlertWays:
    """Where alerts are sent. Immutable; its repr shows no secret."""

    webhook: str | None = field(default=None, repr=False)
    """None: nowhere. Its path may be a secret."""
    webhook_secret: str = field(default="", repr=False)
    """Set where the webhook is."""
    smtp: SmtpAddress | None = None
    """None: no mail."""
    mail_from: str = ""
    """Set where `smtp` is."""
    mail_to: tuple[str, ...] = ()
    """At least one where `smtp` is set."""

    @property
    def names(self) -> tuple[WayName, ...]:
        """The ways that are set."""
        ways = ((WayName.WEBHOOK, self.webhook), (WayName.MAIL, self.smtp))
        return tuple(name for name, value in ways if value is not None)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read and check them.

        Raises:
            SettingRefused: a value cannot be taken, or one is missing that another needs.
        """
        ways = cls(
            webhook=ALERT_WEBHOOK.read(environ),
            webhook_secret=ALERT_WEBHOOK_SECRET.read(environ) or "",
            smtp=SMTP_URL.read(environ),
            mail_from=ALERT_MAIL_FROM.read(environ) or "",
            mail_to=ALERT_MAIL_TO.read(environ),
        )
        needed: tuple[tuple[str, object, str, object], ...] = (
            (ALERT_WEBHOOK.name, ways.webhook, ALERT_WEBHOOK_SECRET.name, ways.webhook_secret),
            (SMTP_URL.name, ways.smtp, ALERT_MAIL_FROM.name, ways.mail_from),
            (SMTP_URL.name, ways.smtp, ALERT_MAIL_TO.name, ways.mail_to),
        )
        for name, value, needs, found in needed:
            if value and not found:
                raise SettingRefused(needs, f"must be set where {name} is")
            if found and not value:
                raise SettingRefused(needs, f"is set, and {name} is not: no alert would be sent; set both, or neither")
        return ways


NO_ALERT_WAYS: Final = AlertWays()
