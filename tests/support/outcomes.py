"""What came of each fault: printed, and on request kept in a file from which docs/reliability.md has its tables."""

import json
import os
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

OUTCOMES: Final = "FAULT_OUTCOMES"
"""Names, in the environment, the file to which outcomes are added, one JSON object a line."""
_TABLE: Final = re.compile(r"(<!-- (\w+) -->\n)(.*?)(<!-- /\2 -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one fault came out. Immutable."""

    fault: str
    before: int
    """Events answered before it."""
    during: int
    """Events answered from its beginning until it was over."""
    after: int
    answered: int
    """Events answered in all, in the life of the service so far."""
    recorded: int
    dropped: int
    cells: int
    """How many equal the oracle's; a test fails where one does not."""
    settled_seconds: float
    """From the end of the load until the counts had all, and went on having it."""


def note(outcome: Outcome, said: str) -> None:
    """Print an outcome, and keep it where that is asked for."""
    print(
        f"{outcome.fault}: {said}; events answered before {outcome.before}, during {outcome.during}, after "
        f"{outcome.after}; recorded {outcome.recorded}, declared as dropped {outcome.dropped}; {outcome.cells} cells "
        f"equal the oracle's {outcome.settled_seconds:.1f} s after the load"
    )
    file = os.environ.get(OUTCOMES)
    if file:
        with Path(file).open("a") as lines:
            lines.write(json.dumps(asdict(outcome)) + "\n")


def row_of(outcome: Outcome) -> str:
    """Return an outcome as a row of the table of faults."""
    numbers = (
        outcome.before,
        outcome.during,
        outcome.after,
        outcome.recorded,
        outcome.dropped,
        f"{outcome.cells} of {outcome.cells}",
        f"{outcome.settled_seconds:.1f}",
    )
    return f"| {outcome.fault} | {' | '.join(map(str, numbers))} |"


def put_rows(page: str, table: str, rows: list[str], *, keep_others: bool = False) -> str:
    """Return a page with the rows of one of its tables replaced, or only those that begin alike and the new ones added.

    A table stands between `<!-- name -->` and `<!-- /name -->`; its first two lines are its head.
    """

    def replace(match: re.Match[str]) -> str:
        if match[2] != table:
            return match[0]
        head, old = match[3].splitlines()[:2], match[3].splitlines()[2:]
        new = {_first(row): row for row in rows}
        kept = {_first(row): row for row in old} if keep_others else {}
        return match[1] + "\n".join([*head, *(kept | new).values()]) + "\n" + match[4]

    return _TABLE.sub(replace, page)


def _first(row: str) -> str:
    return row.split("|")[1]


def main() -> None:
    """Write the table of faults: outcomes.py OUTCOMES PAGE."""
    lines, page = Path(sys.argv[1]), Path(sys.argv[2])
    outcomes = [Outcome(**json.loads(line)) for line in lines.read_text().splitlines()]
    rows = [row_of(outcome) for outcome in sorted(outcomes, key=lambda outcome: outcome.fault)]
    page.write_text(put_rows(page.read_text(), "faults", rows))
    print(f"{len(rows)} faults, written to {page}")


if __name__ == "__main__":
    main()
