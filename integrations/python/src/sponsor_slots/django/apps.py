"""The Django app: put `sponsor_slots.django` into INSTALLED_APPS and the service's address into SPONSOR_SLOTS_URL."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from sponsor_slots.client import TIMEOUT_SECONDS, SponsorClient


class SponsorSlotsConfig(AppConfig):
    """Makes the one client of the process when Django starts."""

    name = "sponsor_slots.django"
    label = "sponsor_slots"
    verbose_name = "Sponsor slots"

    client: SponsorClient

    def ready(self) -> None:
        """Make the client.

        Raises:
            ImproperlyConfigured: SPONSOR_SLOTS_URL is missing, or no address.
        """
        try:
            self.client = SponsorClient(
                settings.SPONSOR_SLOTS_URL,
                timeout_seconds=getattr(settings, "SPONSOR_SLOTS_TIMEOUT_SECONDS", TIMEOUT_SECONDS),
            )
        except (AttributeError, ValueError) as error:
            raise ImproperlyConfigured(
                "set SPONSOR_SLOTS_URL to the address of the sponsor service, such as https://sponsors.example"
            ) from error
