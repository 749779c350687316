"""Which creatives are retired: removed so lately that tokens still lead to their links. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from adserver.catalog.revisions import Entry
from adserver.domain.catalog import Catalog, RetiredCreative

RETIRED_LIFE: Final = timedelta(hours=48)
"""Twice as long as a token's click is good for."""


def retire(
    retired: tuple[RetiredCreative, ...], before: Catalog, after: Catalog, at: datetime
) -> tuple[RetiredCreative, ...]:
    """Return the retired creatives once `after` has followed `before` at a moment.

    Folded over the revisions of the last 48 hours it gives every host the same, wherever in them it began.

    Args:
        retired: those of `before`.
        before: what was live till then.
        after: what is live from then on; what stands in it is not retired.
        at: aware UTC.
    """
    live = {creative.id for campaign in after.campaigns for creative in campaign.creatives}
    gone = {one.creative.id: one for one in still_retired(retired, at)}
    for campaign in before.campaigns:
        for creative in campaign.creatives:
            gone[creative.id] = RetiredCreative(creative, campaign.id, at + RETIRED_LIFE)
    return tuple(gone[id_] for id_ in sorted(gone.keys() - live))


def still_retired(retired: tuple[RetiredCreative, ...], now: datetime) -> tuple[RetiredCreative, ...]:
    """Return those whose links still work."""
    return tuple(one for one in retired if one.until > now)


def lately_live(history: Sequence[Entry], now: datetime) -> tuple[Entry, ...]:
    """Return the revisions that were live at some moment of the last 48 hours, oldest first.

    Args:
        history: newest first.
        now: aware UTC.
    """
    count = sum(1 for entry in history if entry.at > now - RETIRED_LIFE)
    return tuple(reversed(history[: count + 1]))  # one more: it was live until the oldest of these came
