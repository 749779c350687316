"""What an audit found, in the words of the catalog: rows for a table and for machines."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from adserver.catalog.names import Names
from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS, VIEWABLE, Family, Metric, Rolled
from adserver.domain.ids import IdHash
from adserver.domain.variants import Variant
from adserver.keeping.audit_findings import Audit, Difference, FlightDifference
from adserver.keeping.audit_rolled import counted_as, first_day
from adserver.statistics.cell_store import Member
from adserver.statistics.dimensions import Dimension
from adserver.statistics.labels import Labels, PlaceBook

_PLAIN: Final = {
    FILLS: "fills",
    IMPRESSIONS: "impressions, over the goal or not",
    VIEWABLE: "viewable, over the goal or not",
    CLICKS: "clicks, over the goal or not",
}
_SHOWN: Final = {
    Family.HOURS: (Dimension.FLIGHT, Dimension.CREATIVE, Dimension.SLOT),
    Family.PLACES: (Dimension.FLIGHT, Dimension.CREATIVE, Dimension.SLOT, Dimension.PLACE),
    Family.TOPICS: (Dimension.FLIGHT, Dimension.SLOT, Dimension.TOPIC),
}
_EPOCH: Final = date(1970, 1, 1)
_VARIANTS: Final = {variant.code: variant for variant in Variant}

Json = dict[str, object]


class AuditWords:
    """Puts what an audit found into words. One thread."""

    def __init__(self, names: Names, places: PlaceBook) -> None:
        self._names = names
        self._labels = Labels(names, places)

    def to_json(self, audit: Audit) -> Json:
        """Return all of it for machines."""
        return {
            "agrees": audit.agrees,
            "records": audit.records,
            "cells": audit.cells,
            "differences": [self.difference(one) for one in audit.differences],
            "flights": [self.flight(one) for one in audit.flights],
            "late": audit.late,
            "explained": audit.explained,
            "unsettled": audit.unsettled,
            "gap_bytes": audit.gap_bytes,
            "complete_from": _moment(audit.complete_from) if audit.complete_from else None,
            "missing": [{"spool": one.spool_id, "from": one.start, "to": one.end} for one in audit.missing],
            "strangers": list(audit.strangers),
        }

    def difference(self, difference: Difference) -> Json:
        """Return a differing cell."""
        spot = difference.spot
        family = counted_as(spot.family)
        second = difference.time * 3600
        if spot.family is not Family.HOURS:
            second = first_day(spot.family, spot.block, difference.offset) * 86_400 + 43_200
        labels = self._labels.at(Member.parse(family, spot.member), second)
        return {
            "kept_by": spot.family.value,
            "time": _time(difference),
            **{dimension.value: labels[dimension] for dimension in _SHOWN[family]},
            "variant": None if difference.variant is None else _VARIANTS[difference.variant].value,
            "metric": _metric(Metric(difference.metric)),
            "expected": difference.expected,
            "found": difference.found,
        }

    def flight(self, difference: FlightDifference) -> Json:
        """Return a flight that does not agree with itself."""
        return {
            "flight": self._flight(difference.flight),
            "impressions": {family.value: count for family, count in difference.impressions.items()},
            "over": {family.value: count for family, count in difference.over.items()},
            "delivered": difference.delivered,
        }

    def _flight(self, hash_: IdHash) -> str:
        name = self._names.flight(hash_)
        return name.id if name else hash_.hex()


def notes(audit: Audit) -> Iterator[str]:
    """Yield what else is to be said of an audit, one sentence each."""
    if audit.gap_bytes:
        yield f"{audit.gap_bytes} bytes of spools were gone before they were counted; --repair counts what is archived"
    if audit.explained:
        yield f"{audit.explained} counts differ by no more than the {audit.late} events that were declared late explain"
    if audit.unsettled:
        yield f"{audit.unsettled} counts differ that were counted into meanwhile; run it again to see"
    if audit.complete_from:
        yield f"what is older than {_moment(audit.complete_from)} was not compared: its records are not kept any more"
    for hole in audit.missing:
        yield f"bytes {hole.start} to {hole.end} of spool {hole.spool_id} stand nowhere any more"
    if audit.strangers:
        yield f"give the folders of all hosts: none holds records of the counted spools {', '.join(audit.strangers)}"


def _metric(metric: Metric) -> str:
    if metric.invalid_parts is not None:
        kind, reason = metric.invalid_parts
        return f"invalid {kind.value}: {reason.value}"
    if metric.no_fill_reason is not None:
        return f"no fill: {metric.no_fill_reason.value}"
    return _PLAIN.get(metric, f"code {metric.code}")


def _time(difference: Difference) -> str:
    spot = difference.spot
    if spot.family is Family.HOURS:
        return _moment(difference.time * 3600)
    day = (_EPOCH + timedelta(days=first_day(spot.family, spot.block, difference.offset))).isoformat()
    return day[:7] if spot.family is Rolled.MONTHS else day


def _moment(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M} UTC"
