"""`adserver check-page`: what is wrong with the sponsor lines on a page, and how to mend it."""

import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final

import click

from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.watch import CatalogWatch
from adserver.cli.findings import show_findings
from adserver.config import Settings
from adserver.delivery.embeds import read_embeds
from adserver.delivery.policies import Policy
from adserver.domain.errors import SettingRefused
from adserver.places.gazetteer import Gazetteer
from adserver.processes.findings import Finding, Severity
from adserver.processes.page_checks import PageFacts, examine_page

_SECONDS: Final = 10.0
_MOST_BYTES: Final = 10 * 1024 * 1024
_AGENT: Final = "Mozilla/5.0 (compatible; adserver check-page)"


@dataclass(frozen=True, slots=True)
class _Answer:
    """A page as it came. Immutable."""

    url: str
    html: str
    policies: tuple[str, ...]
    cache_control: str | None
    came_at: float


@click.command("check-page")
@click.argument("page", metavar="URL|FILE")
@click.option("--url", help="For a file: the address that the page has.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def check_page_command(page: str, url: str | None, *, as_json: bool) -> None:
    """Say what is wrong with the sponsor lines on a page, by its address (http, https) or from a saved HTML file.

    Exits 1 where readers do not see a line, or do not count, else 0. The page is asked for twice, its scripts and
    images are not: no impression comes of it.
    """
    try:
        findings = _examine_address(page) if page.startswith(("http://", "https://")) else _examine_file(page, url)
    except (OSError, HTTPException, ValueError) as error:
        remedy = "open it in a browser; a page behind a sign-in can be saved, and checked as a file"
        findings = (Finding("page_unreadable", Severity.ERROR, f"{page} cannot be read: {error}", remedy),)
    show_findings(findings, as_json=as_json)


def _examine_address(url: str) -> tuple[Finding, ...]:
    first, again = _fetch(url), _fetch(url)
    kept = set(read_embeds(first.html, first.url).tokens) & set(read_embeds(again.html, again.url).tokens)
    return _examine(first, frozenset(kept))


def _examine_file(name: str, url: str | None) -> tuple[Finding, ...]:
    path = Path(name)
    with path.open("rb") as file:
        html = file.read(_MOST_BYTES).decode(errors="replace")
    return _examine(_Answer(url or path.absolute().as_uri(), html, (), None, path.stat().st_mtime), frozenset())


def _examine(answer: _Answer, kept_tokens: frozenset[str]) -> tuple[Finding, ...]:
    embeds = read_embeds(answer.html, answer.url)
    locations = {embed.location for embed in (*embeds.tags, *embeds.frames)} - {""}
    return examine_page(
        PageFacts(
            embeds=embeds,
            policies=tuple(each for text in (*answer.policies, *embeds.policies) for each in Policy.parse_all(text)),
            cache_control=answer.cache_control,
            came_at=answer.came_at,
            kept_tokens=kept_tokens,
            slots=_slots(),
            place_faults=_place_faults(locations),
        )
    )


def _fetch(url: str) -> _Answer:
    """Return what an address answers.

    Raises:
        OSError, HTTPException: nothing, or an error.
    """
    request = urllib.request.Request(url, headers={"User-Agent": _AGENT})  # noqa: S310 - of http or https, as asked
    try:
        answer = urllib.request.urlopen(request, timeout=_SECONDS)  # noqa: S310 - the same
    except urllib.error.HTTPError as error:
        with error:
            raise OSError(f"it answers {error.code}") from error
    with answer:
        body = answer.read(_MOST_BYTES)
        charset = answer.headers.get_content_charset("utf-8")
        policies = tuple(answer.headers.get_all("Content-Security-Policy", ()))
        control = answer.headers.get("Cache-Control", "")
    try:
        html = body.decode(charset, errors="replace")
    except LookupError:
        html = body.decode(errors="replace")
    return _Answer(answer.url, html, policies, control, time.time())


def _slots() -> dict[str, tuple[str, ...]] | None:
    """Return the slots that this host serves, with who may frame them; None where there is no catalog."""
    try:
        folder = Settings.from_environ(os.environ).data_dir
    except SettingRefused:
        return None
    snapshot = CatalogWatch(folder / COMPILED_NAME).current()
    if snapshot is None:
        return None
    origins = {site.id: site.origins for site in snapshot.sites}
    return {slot.id: tuple(origins[slot.site]) for slot in snapshot.slots}


def _place_faults(locations: Iterable[str]) -> dict[str, str]:
    asked = tuple(locations)
    if not asked:
        return {}
    gazetteer = Gazetteer.load()
    return {text: f"there is no place {text[:60]!r}" for text in asked if gazetteer.resolve(text) is None}
