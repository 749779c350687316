"""What a benchmark writes as a year's counts is what the keeper keeps."""

import pytest

from bench.memory import Traffic, measure, rows

pytestmark = pytest.mark.processes


def test_all_families_are_written_and_weighed() -> None:
    held = measure(Traffic(campaigns=2, slots=2, places=3, topics=2, decisions_a_day=2_000, days=70))
    cells = {part.name: part.cells for part in held.parts}
    assert all(cells[name] > 0 for name in ("hours", "days", "places", "months", "topics"))
    assert all(part.taken > 0 for part in held.parts)
    assert 5 < held.bytes_a_cell < 50
    assert rows(held)[-1][1] == f"{sum(cells.values()):,}"
