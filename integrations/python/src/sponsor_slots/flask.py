"""For Flask, and for Jinja anywhere: `{{ sponsor_slot("masthead", location="Remer,MN") }}`."""

from typing import Final

from flask import Flask
from jinja2 import Environment

from sponsor_slots.client import TIMEOUT_SECONDS, SponsorClient

SETTING: Final = "SPONSOR_SLOTS_URL"
TIMEOUT_SETTING: Final = "SPONSOR_SLOTS_TIMEOUT_SECONDS"


class SponsorSlots:
    """The extension: reads `SPONSOR_SLOTS_URL` of the app's config and gives templates their functions."""

    def __init__(self, app: Flask | None = None) -> None:
        """Take the app, or none: then `init_app` does."""
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Give the app's templates their functions.

        Raises:
            KeyError: the app's config has no `SPONSOR_SLOTS_URL`.
        """
        client = SponsorClient(app.config[SETTING], timeout_seconds=app.config.get(TIMEOUT_SETTING, TIMEOUT_SECONDS))
        app.extensions["sponsor_slots"] = client
        add_to(app.jinja_env, client)


def add_to(environment: Environment, client: SponsorClient) -> None:
    """Give the templates of a Jinja environment `sponsor_slot`, `sponsor_slots`, `sponsor_tag` and `sponsor_script`."""
    environment.globals.update(
        sponsor_slot=client.fragment,
        sponsor_slots=client.fragments,
        sponsor_tag=client.tag,
        sponsor_script=client.script,
    )
