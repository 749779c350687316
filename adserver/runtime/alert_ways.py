"""Makes the ways that alerts are sent."""

from adserver.alerts.mail import Mail
from adserver.alerts.way import Way
from adserver.alerts.webhook import Webhook
from adserver.config import Settings


def make_ways(settings: Settings) -> tuple[Way, ...]:
    """Return the ways that the settings name."""
    ways, link = settings.alerts, alerts_link(settings)
    made: list[Way] = []
    if ways.webhook is not None:
        made.append(Webhook(ways.webhook, ways.webhook_secret, link))
    if ways.smtp is not None:
        made.append(Mail(ways.smtp, ways.mail_from, ways.mail_to, link))
    return tuple(made)


def alerts_link(settings: Settings) -> str | None:
    """Return where people see all alerts; None: no setting names the service's address."""
    return None if settings.public_url is None else f"{settings.public_url}/console/alerts"
