"""Where a click goes: the sponsor's own address with its macros filled in and its UTM names added."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import quote

_MACRO: Final = re.compile(r"\{(slot|place|campaign|creative|variant)\}")
_WEB_SCHEMES: Final = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class MacroValues:
    """What the macros of a click URL stand for. Immutable."""

    slot: str
    place: str
    """The place's id; empty where the page named none."""
    campaign: str
    creative: str
    variant: str
    """The length on screen, as far as it is known."""


def click_location(click_url: str, utm: tuple[tuple[str, str], ...], values: MacroValues) -> str:
    """Return the address to redirect to.

    Macros are filled in query values only, percent-encoded, and once: a value that looks like a macro stays as it is.
    `utm` is added as `utm_<name>`, but for names that the sponsor's own link carries already. `mailto:` and `tel:` are
    returned untouched.

    Args:
        click_url: canonical URL (WHATWG href) as published.
        utm: pairs such as ("source", "america-one").
        values: what the macros stand for.
    """
    if not click_url.startswith(_WEB_SCHEMES):
        return click_url
    before, hash_, fragment = click_url.partition("#")
    address, _, query = before.partition("?")
    by_name: Mapping[str, str] = asdict(values)
    pairs = [_filled(pair, by_name) for pair in query.split("&")] if query else []
    present = {pair.partition("=")[0] for pair in pairs}
    pairs += [
        f"{name}={quote(value, safe='')}" for key, value in utm if (name := f"utm_{quote(key, safe='')}") not in present
    ]
    return address + ("?" + "&".join(pairs) if pairs else "") + hash_ + fragment


def _filled(pair: str, by_name: Mapping[str, str]) -> str:
    name, equals, value = pair.partition("=")
    return name + equals + _MACRO.sub(lambda macro: quote(by_name[macro[1]], safe=""), value)
