"""The figures as a table for the terminal, and as docs/performance.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench import http_speed, memory, notes
from bench.calm import Beside
from bench.counting import CountingSpeed
from bench.decisions import DecisionTime
from bench.http_speed import Speed
from bench.memory import Held
from bench.start import Start

COMMAND: Final = "make bench"
Row = tuple[str, ...]

_NAMES: Final = {
    "bare": "bare WSGI",
    "hello": "Flask hello",
    http_speed.HELLO_BY_OURS: "Flask hello, our worker",
    "ours": "JSON decision, counted",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured. Immutable."""

    machine: str
    load: str
    when: str
    took_seconds: float
    flights: int
    body_bytes: int
    speed: Mapping[str, Speed]
    decisions: Mapping[int, DecisionTime]
    counting: CountingSpeed
    held: Held
    beside: Beside
    start: Start | None
    """None where it was left out."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to be. Immutable."""

    name: str
    figure: str
    aim: str
    met: bool

    def row(self) -> Row:
        """Return it as a row of a table."""
        return self.name, self.figure, self.aim, "yes" if self.met else "no"


def targets(figures: Figures) -> list[Target]:
    """Return what was promised, and what came of it."""
    ours, hello = figures.speed["ours"], figures.speed["hello"]
    ratio = ours.median("requests_a_second") / hello.median("requests_a_second")
    found = [
        Target("requests a second, of Flask hello's", f"{ratio:.2f}", "at least 0.75", ratio >= 0.75),
        Target("memory of a worker", f"{ours.memory.resident:.0f} MB", "under 150 MB", ours.memory.resident < 150),
    ]
    for name, most in (("backlog", 0.1), ("publishing", 0.2)):
        moved = figures.beside.calm[name].moved
        aim = f"at most {most:+.0%}".replace("%", " %")
        found.append(Target(f"p99 of decisions, {name}, against quiet", f"{moved:+.0%}", aim, moved <= most))
    found += _counting_targets(figures)
    if figures.start is not None:
        seconds = figures.start.seconds
        found.append(Target("`make run`, warm, until ready", f"{seconds:.1f} s", "under 3 s", seconds < 3))
    return found


def _counting_targets(figures: Figures) -> list[Target]:
    counted, held, replayed = figures.counting, figures.held, figures.beside.replayed_a_second
    speed, micros, bits = counted.events_a_second, counted.keeper_micros, counted.token_bits
    return [
        Target("events counted a second", f"{speed:,.0f}", "at least 200,000", speed >= 200_000),
        Target("events a call", f"{counted.events_a_call:,.0f}", "at least 1,000", counted.events_a_call >= 1_000),
        Target("keeper CPU an event", f"{micros:.2f} \u00b5s", "at most 1.5 \u00b5s", micros <= 1.5),
        Target("a backlog beside decisions, a second", f"{replayed:,.0f}", "at least 150,000", replayed >= 150_000),
        Target("bits a token", f"{bits:.2f}", "at most 6.5", bits <= 6.5),
        Target("bytes a cell", f"{held.bytes_a_cell:.1f}", "at most 16", held.bytes_a_cell <= 16),
    ]


@dataclass(frozen=True, slots=True)
class Table:
    """Figures of one kind. Immutable."""

    title: str
    head: Row
    rows: Sequence[Row]
    note: str = ""
    """What the document says of how they were measured."""


def tables(figures: Figures) -> list[Table]:
    """Return all tables."""
    speed_rows = [
        (
            _NAMES[name],
            f"{speed.median('requests_a_second'):,.0f}",
            f"{speed.median('cpu_micros'):.0f}",
            f"{speed.median('p50_ms'):.1f}",
            f"{speed.median('p99_ms'):.1f}",
            f"{speed.memory.resident:.0f}",
            f"{speed.median('evenness'):.2f}",
            str(speed.uneven),
        )
        for name, speed in figures.speed.items()
    ]
    decision_rows = [
        (
            f"{size:,}",
            f"{each.median:.1f}",
            f"{each.p99:.1f}",
            f"{each.cold:.0f}",
            f"{each.build_seconds:.2f}",
            f"{each.swap_ms:.2f}",
            f"{each.file_mb:.1f}",
        )
        for size, each in figures.decisions.items()
    ]
    counted = figures.counting
    counting_row = (
        f"{counted.events_a_second:,.0f}",
        f"{counted.keeper_micros:.2f}",
        f"{counted.server_micros:.2f}",
        f"{counted.events_a_call:,.0f}",
        f"{counted.token_bits:.2f}",
    )
    calm = figures.beside.calm
    calm_rows = [
        (
            name,
            f"{each.p50:.2f}",
            f"{each.p99:.2f}",
            f"{each.moved:+.0%}",
            f"{each.hello_p99:.2f}",
            f"{each.hello_moved:+.0%}",
            f"{each.calls:,}",
        )
        for name, each in calm.items()
    ]
    calm_head = ("", "p50 ms", "p99 ms", "moved", "Flask hello, p99 ms", "moved", "calls")
    requests_head = ("", "requests/s", "CPU \u00b5s", "p50 ms", "p99 ms", "RSS MB", "evenness", "run again")
    decisions_head = ("flights", "median", "p99", "first of its kind", "compile s", "swap ms", "file MB")
    counting_head = ("events/s", "keeper CPU \u00b5s", "Valkey CPU \u00b5s", "events a call", "bits a token")
    return [
        Table("Targets", ("", "is", "should be", "met"), [target.row() for target in targets(figures)]),
        Table("Requests", requests_head, speed_rows, notes.REQUESTS),
        Table("Decisions, CPU \u00b5s", decisions_head, decision_rows, notes.DECISIONS),
        Table("Counting", counting_head, [counting_row], notes.COUNTING),
        Table("Memory of counts", memory.HEAD, memory.rows(figures.held), notes.HELD),
        Table("Decisions beside other work", calm_head, calm_rows, notes.BESIDE),
    ]


def as_text(figures: Figures) -> str:
    """Return all tables for a terminal."""
    head = f"{figures.machine}; load before {figures.load}; {figures.when}; took {figures.took_seconds:.0f} s"
    return "\n\n".join((head, *(_plain(table) for table in tables(figures)))) + "\n"


def as_document(figures: Figures) -> str:
    """Return docs/performance.md."""
    facts = (
        f"- Machine: {figures.machine}; load before the run {figures.load}.",
        f"- When: {figures.when}; the run took {figures.took_seconds:.0f} s.",
        f"- Served: `adserver serve`, {figures.flights:,} flights, {http_speed.WORKERS} workers, beside its client.",
        f"- An answer has {figures.body_bytes:,} bytes (the median); so have those of the floors.",
    )
    parts = [notes.PREFACE.strip(), "\n".join(facts)]
    for table in tables(figures):
        parts += [f"## {table.title}", _markdown(table), *([table.note] if table.note else [])]
    parts.append(f"## Raw output of `{COMMAND}`\n\n```text\n{as_text(figures)}```")
    return "\n\n".join(parts) + "\n"


def _plain(table: Table) -> str:
    rows = [table.head, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    lines = []
    for row in rows:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join((row[0].ljust(len(first)), *others)))
    return "\n".join((table.title, *lines))


def _markdown(table: Table) -> str:
    marks = ("---", *("---:",) * (len(table.head) - 1))
    return "\n".join("| " + " | ".join(row) + " |" for row in (table.head, marks, *table.rows))
