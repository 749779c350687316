"""`{% load sponsor_slots %}`, then `{% sponsor_slot "masthead" location=page.place topics="sports,community" %}`."""

from typing import Final, cast

from django import template
from django.apps import apps

from sponsor_slots.client import SponsorClient
from sponsor_slots.django.apps import SponsorSlotsConfig
from sponsor_slots.markup import Markup

register: Final = template.Library()


@register.simple_tag
def sponsor_slot(slot: str, location: str = "", topics: str = "", variant: str = "auto", exclude: str = "") -> Markup:
    """Print one slot for this reader; topics and what is excluded are separated by commas. Not for cached pages."""
    return _client().fragment(
        slot, location=location or "", topics=_words(topics), variant=variant, exclude=_words(exclude)
    )


@register.simple_tag
def sponsor_tag(slot: str, location: str = "", topics: str = "") -> Markup:
    """Print the tag of a slot, which cached pages may hold."""
    return _client().tag(slot, location=location or "", topics=_words(topics))


@register.simple_tag
def sponsor_script() -> Markup:
    """Print what loads the tags, once a page."""
    return _client().script()


def _words(text: str) -> list[str]:
    return [word for word in (text or "").split(",") if word]


def _client() -> SponsorClient:
    return cast(SponsorSlotsConfig, apps.get_app_config("sponsor_slots")).client
