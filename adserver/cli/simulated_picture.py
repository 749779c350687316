"""A picture of delivery against plan, as SVG: a chart for each flight."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from adserver.decision.simulation import FlightResult

_WIDTH: Final = 720
_HEIGHT: Final = 220
_LEFT: Final = 20
_TOP: Final = 44
_STEPS: Final = 120
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#333}.frame{fill:none;stroke:#bbb}"
    ".plan{fill:none;stroke:#888;stroke-dasharray:5 4}.delivered{fill:none;stroke:#0b63c5;stroke-width:2}"
    ".paper{fill:#fff}"
    "@media(prefers-color-scheme:dark){.paper{fill:#14171c}text{fill:#d7dce2}.frame{stroke:#4a5058}"
    ".plan{stroke:#8f98a3}.delivered{stroke:#6cb0ff}}"
)


def draw_results(results: Sequence[FlightResult]) -> str:
    """Return an SVG document: the plan dashed, the delivery solid, both in parts of the goal over the flight."""
    height = (_HEIGHT + _TOP + 24) * len(results)
    charts = "".join(
        f'<g transform="translate({_LEFT},{index * (_HEIGHT + _TOP + 24)})">{"".join(_chart(result))}</g>'
        for index, result in enumerate(results)
    )
    paper = '<rect class="paper" width="100%" height="100%"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH + 2 * _LEFT}" height="{height}" role="img" '
        f'aria-label="Delivery against plan"><style>{_STYLE}</style>{paper}{charts}</svg>\n'
    )


def _chart(result: FlightResult) -> Iterator[str]:
    first, last = result.starts, result.days[-1][0]
    goal = result.flight.goal or max(1, result.delivered)

    def point(second: float, part: float) -> str:
        x = (second - first) / (last - first) * _WIDTH
        return f"{x:.1f},{_TOP + (1 - part) * _HEIGHT:.1f}"

    plan = (first + (last - first) * step / _STEPS for step in range(_STEPS + 1))
    planned = " ".join(point(second, result.flight.planned(second)) for second in plan)
    delivered = " ".join(point(second, count / goal) for second, count in ((first, 0), *result.days))
    title = f"{result.flight.id}: {result.delivered:,} of {goal:,}, {result.flight.pacing}, {result.over:,} over"
    yield f'<text x="0" y="{_TOP - 14}">{escape(title)}</text>'
    key = f"M{_WIDTH - 190} {_TOP - 19}h28"
    yield f'<path class="plan" d="{key}"/><text x="{_WIDTH - 156}" y="{_TOP - 14}">plan</text>'
    key = f"M{_WIDTH - 110} {_TOP - 19}h28"
    yield f'<path class="delivered" d="{key}"/><text x="{_WIDTH - 76}" y="{_TOP - 14}">delivered</text>'
    yield f'<rect class="frame" x="0" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}"/>'
    yield f'<polyline class="plan" points="{planned}"/><polyline class="delivered" points="{delivered}"/>'
    yield f'<text x="0" y="{_TOP + _HEIGHT + 16}">{_day(first)}</text>'
    yield f'<text x="{_WIDTH}" y="{_TOP + _HEIGHT + 16}" text-anchor="end">{_day(last)}</text>'


def _day(second: float) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M")
