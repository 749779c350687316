"""What is wrong with the sponsor lines on a publisher's page, and how to mend it. Pure: the page in, findings out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

from adserver.delivery.embeds import PageEmbeds
from adserver.delivery.policies import Fetch, Policy
from adserver.domain.token import read_issued_second
from adserver.processes.findings import Finding, Severity

FRESH_SECONDS: Final = 60.0
"""A page is made, sent and read within that time of its tokens."""
BLOCKED_LABELS: Final = frozenset({"ads", "ads1", "adserv", "adserver", "advert", "adverts"})
"""First labels of a host's name that filter lists of ad blockers stop, whatever is asked: `scripts/filter-lists`."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page as it came. Immutable."""

    embeds: PageEmbeds
    policies: tuple[Policy, ...]
    """All that apply, of headers and of the page itself."""
    cache_control: str | None
    """The header; None: there was no answer, it is a file."""
    came_at: float
    """Unix time."""
    kept_tokens: frozenset[str]
    """Tokens that a second request was given as well."""
    slots: Mapping[str, tuple[str, ...]] | None
    """The origins that may frame each slot, any where there are none; None: no catalog is at hand."""
    place_faults: Mapping[str, str]
    """What is wrong with a location, of those that name no place."""


def examine_page(facts: PageFacts) -> tuple[Finding, ...]:
    """Return what is to be looked at, the worst first."""
    if facts.embeds.is_empty:
        return tuple(_nothing(facts))
    order = list(Severity)
    findings = [finding for check in _CHECKS for finding in check(facts)]
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: order.index(finding.severity)))


def _nothing(facts: PageFacts) -> Iterator[Finding]:
    yield Finding(
        "no_embed",
        Severity.ERROR,
        f"{facts.embeds.url} has no tag, no frame and no fragment",
        "put one of the snippets of docs/embedding.md on it; a template may have left it out",
    )


def _check_includes(facts: PageFacts) -> Iterator[Finding]:
    if facts.embeds.includes:
        yield Finding(
            "include_left",
            Severity.ERROR,
            f"{facts.embeds.includes} includes of a fragment stand on the page as they were written",
            "switch SSI (`ssi on`) or ESI on for this page",
        )


def _check_tokens(facts: PageFacts) -> Iterator[Finding]:
    for token in facts.embeds.tokens:
        issued = read_issued_second(token)
        if issued is None:
            continue
        if token in facts.kept_tokens or facts.came_at - issued > FRESH_SECONDS:
            at = datetime.fromtimestamp(issued, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            yield Finding(
                "cached_token",
                Severity.ERROR,
                f"the page holds a token of {at} that others were given too: it counts one reader",
                "keep the page out of caches, or put the tag or the frame on it, which hold no token",
            )
    control = (facts.cache_control or "").lower()
    if facts.embeds.tokens and facts.cache_control is not None and not {"no-store", "private"} & _names(control):
        yield Finding(
            "page_cacheable",
            Severity.WARNING,
            f"the page holds a token, and lets caches keep it (Cache-Control: {control or 'none'})",
            "answer it with `Cache-Control: private, no-store`, or use the tag or the frame",
        )


def _names(control: str) -> set[str]:
    return {part.partition("=")[0].strip() for part in control.split(",")}


def _check_parts(facts: PageFacts) -> Iterator[Finding]:
    embeds = facts.embeds
    if embeds.tags and not embeds.scripts:
        yield Finding(
            "script_missing",
            Severity.ERROR,
            f"{len(embeds.tags)} tags, and no slot.js: their fallbacks stay",
            '<script src="…/slot.js" defer></script> once a page',
        )
    if embeds.beacons and not embeds.stylesheets:
        yield Finding(
            "stylesheet_missing",
            Severity.WARNING,
            "fragments without slot.css show one length at any width",
            '<link rel="stylesheet" href="…/slot.css"> in the head, or its rules in your own stylesheet',
        )
    elif embeds.tags and not embeds.stylesheets:
        yield Finding(
            "stylesheet_missing",
            Severity.INFO,
            "without slot.css no room is kept for the tag's line, and the page moves when it comes",
            '<link rel="stylesheet" href="…/slot.css"> in the head, or a min-height of your own',
        )


def _check_policies(facts: PageFacts) -> Iterator[Finding]:
    for fetch, url, nonce, integrity in _fetched(facts.embeds):
        allowed = (
            policy.allows(fetch, url, facts.embeds.url, nonce=nonce, integrity=integrity) for policy in facts.policies
        )
        if not all(allowed):
            parts = urlsplit(url)
            yield Finding(
                "policy_blocks",
                Severity.ERROR,
                f"the page's Content-Security-Policy blocks {parts.scheme}://{parts.netloc} in {fetch.directive}",
                f"add it: {fetch.directive} {parts.scheme}://{parts.netloc}",
            )
        if url.startswith("http:") and facts.embeds.url.startswith("https:"):
            yield Finding(
                "mixed_content",
                Severity.ERROR,
                f"a page by https asks {urlsplit(url).netloc} by http, and browsers refuse it",
                "give the service TLS, and set ADSERVER_PUBLIC_URL to its https address",
            )


def _check_names_of_hosts(facts: PageFacts) -> Iterator[Finding]:
    hosts = (urlsplit(url).hostname or "" for _, url, _, _ in _fetched(facts.embeds))
    for host in dict.fromkeys(hosts):
        label = host.partition(".")[0]
        if label in BLOCKED_LABELS:
            yield Finding(
                "blocked_name",
                Severity.WARNING,
                f"ad blockers stop whatever comes from {host}, for its name alone",
                f"give the service another one, such as sponsors{host.removeprefix(label)}",
            )


def _fetched(embeds: PageEmbeds) -> Iterator[tuple[Fetch, str, str, str]]:
    """Yield what the page fetches of the service: how, from where, and a script's nonce and integrity."""
    for script in embeds.scripts:
        yield Fetch.SCRIPT, script.url, script.nonce, script.integrity
        if embeds.tags:
            yield Fetch.CONNECT, urljoin(script.url, "v1/decisions"), "", ""
    for url in embeds.stylesheets:
        yield Fetch.STYLE, url, "", ""
    for url in embeds.beacons:
        yield Fetch.IMAGE, url, "", ""
    for frame in embeds.frames:
        yield Fetch.FRAME, frame.url, "", ""


def _check_slots(facts: PageFacts) -> Iterator[Finding]:
    embeds = (*facts.embeds.tags, *facts.embeds.frames)
    for slot in dict.fromkeys(embed.slot for embed in embeds):
        if facts.slots is not None and slot not in facts.slots:
            yield Finding(
                "slot_unknown",
                Severity.ERROR,
                f"there is no slot {slot!r}: it stays empty",
                f"write one of these: {', '.join(sorted(facts.slots)) or 'there is none yet'}",
            )
    for location in dict.fromkeys(embed.location for embed in embeds):
        if location in facts.place_faults:
            yield Finding(
                "place_unknown",
                Severity.WARNING,
                facts.place_faults[location],
                "only sponsors without places show there until it is one",
            )
    if facts.slots is None:
        yield Finding(
            "slots_unchecked",
            Severity.INFO,
            "no catalog is at hand: whether the slots exist was not looked at",
            "run it on the service's host, as its user, with its settings",
        )


def _check_frames(facts: PageFacts) -> Iterator[Finding]:
    page = urlsplit(facts.embeds.url)
    origin = f"{page.scheme}://{page.netloc}"
    for frame in facts.embeds.frames:
        if not frame.titled:
            yield Finding(
                "frame_title", Severity.WARNING, f"the frame of {frame.slot} has no title", 'add title="Sponsor"'
            )
        if frame.sandbox is not None and not {"allow-popups", "allow-popups-to-escape-sandbox"} <= frame.sandbox:
            yield Finding(
                "frame_sandbox",
                Severity.ERROR,
                f"the sandbox of the frame of {frame.slot} keeps the sponsor's page from opening, or its scripts dead",
                'sandbox="allow-popups allow-popups-to-escape-sandbox"',
            )
        origins = (facts.slots or {}).get(frame.slot, ())
        if page.scheme in ("http", "https") and origins and origin not in origins:
            yield Finding(
                "frame_origin",
                Severity.ERROR,
                f"{origin} may not frame {frame.slot}: its site names {', '.join(origins)}",
                "add it to the site's `origins` in slots.yaml",
            )


_CHECKS: Final[tuple[Callable[[PageFacts], Iterator[Finding]], ...]] = (
    _check_includes,
    _check_tokens,
    _check_parts,
    _check_policies,
    _check_names_of_hosts,
    _check_slots,
    _check_frames,
)
