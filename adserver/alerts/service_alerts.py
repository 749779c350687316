"""What is amiss with slots and counts: over-booked, cached markup, gaps, drops. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from adserver.alerts.alert import SEVERITY_OF, Alert, AlertKind
from adserver.alerts.scene import OverSold, Scene
from adserver.keeping.cached_embeds_file import CachedEmbed

_CAUSES: Final = {
    "unwritten": "could not be written: a disk was full or failed",
    "corrupt": "were damaged on a disk",
    "late": "came too late to be told from those counted before",
}


def find_service_alerts(scene: Scene) -> Iterator[Alert]:
    """Yield what is amiss with slots and counts."""
    yield from _over_booked(scene.over_sold)
    yield from _cached_embeds(scene.embeds.worst)
    yield from _gaps(scene.gaps)
    yield from _drops(scene.lost_lately.by_cause)


def _over_booked(over_sold: Sequence[OverSold]) -> Iterator[Alert]:
    """Yield one for a slot: of the days on which most is sold."""
    by_slot: dict[str, list[OverSold]] = {}
    for each in over_sold:
        by_slot.setdefault(each.slot, []).append(each)
    for slot, found in by_slot.items():
        worst = max(found, key=lambda each: each.percent)
        shares = ", ".join(f"{flight} {share} %" for flight, _, share in worst.shares)
        days = f"on {worst.first}" if worst.first == worst.last else f"from {worst.first} to {worst.last}"
        pages = f"pages {worst.where}" if worst.where else "its pages"
        more = f" There are {len(found) - 1} further such times." if len(found) > 1 else ""
        yield Alert(
            id=f"{AlertKind.OVER_BOOKED}:{slot}",
            kind=AlertKind.OVER_BOOKED,
            severity=SEVERITY_OF[AlertKind.OVER_BOOKED],
            title=f"Slot {slot} is over-booked: {worst.percent} % of it is sold",
            text=f"{days.capitalize()}, sponsorships want {worst.percent} % of {pages}: {shares}.{more}",
            advice="Lower a share, or move a flight's dates, places, topics or hours, so that at most 100 % is sold. "
            "Until then each of them gets less than it was sold.",
            advertisers=tuple(sorted({advertiser for each in found for _, advertiser, _ in each.shares})),
            slot=slot,
        )


def _cached_embeds(embeds: Sequence[CachedEmbed]) -> Iterator[Alert]:
    """Yield one for a slot: pages keep markup of it that is one reader's."""
    by_slot: dict[str, list[CachedEmbed]] = {}
    for each in embeds:
        by_slot.setdefault(each.slot, []).append(each)
    for slot, found in by_slot.items():
        worst = max(found, key=lambda each: each.beacons)
        tokens = "A token was" if len(found) == 1 else f"{len(found)} tokens were each"
        where = f" on a page about {worst.place}" if worst.place else ""
        yield Alert(
            id=f"{AlertKind.CACHED_EMBED}:{slot}",
            kind=AlertKind.CACHED_EMBED,
            severity=SEVERITY_OF[AlertKind.CACHED_EMBED],
            title=f"A page keeps slot {slot} in a cache",
            text=f"{tokens} shown to over 20 readers, the worst {worst.beacons:,} times{where}, "
            f"issued {worst.issued_at}. Each counts once.",
            advice="Put the tag or the frame on that page, whose markup holds no token, or keep the page out of "
            "caches. It ends two days after the last such view.",
            slot=slot,
        )


def _gaps(gaps: int) -> Iterator[Alert]:
    if gaps:
        yield Alert(
            id=AlertKind.GAPS.value,
            kind=AlertKind.GAPS,
            severity=SEVERITY_OF[AlertKind.GAPS],
            title="Events are missing from the counts",
            text=f"{gaps:,} {'range' if gaps == 1 else 'ranges'} of events were gone from a host's disk before they "
            "were counted.",
            advice="`adserver audit` says which; where an archive or a copy of the data folder has them, "
            "`adserver audit --repair` counts them.",
        )


def _drops(lost: Mapping[str, int]) -> Iterator[Alert]:
    total = sum(lost.values())
    if total:
        parts = "; ".join(f"{lost[cause]:,} {words}" for cause, words in _CAUSES.items() if lost[cause])
        yield Alert(
            id=AlertKind.DROPS.value,
            kind=AlertKind.DROPS,
            severity=SEVERITY_OF[AlertKind.DROPS],
            title=f"{total:,} {'event was' if total == 1 else 'events were'} lost in the last day",
            text=f"Answered, and in no count: {parts}.",
            advice="`adserver doctor` says what is wrong now; mostly the data folder's disk needs room. What is lost "
            "cannot be counted any more. It ends a day after the last loss.",
        )
