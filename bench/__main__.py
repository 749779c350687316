"""Measure all, print the tables and write docs/performance.md: python -m bench [--quick] [--output FILE]."""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adserver.places.gazetteer import Gazetteer
from bench import calm, counting, decisions, http_speed, machine, memory, start
from bench.events import Readers
from bench.report import Figures, as_document, as_text
from bench.servers import ROOT, service

FLIGHTS: Final = 1_000


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs/performance.md", help="the page that is written")
    output: Path = parser.parse_args().output
    figures = measure()
    print(as_text(figures), end="")
    output.write_text(as_document(figures))
    print(f"\nwritten to {output}")


def measure() -> Figures:
    """Return all figures of this machine, saying on the way what is being measured."""
    began, load, when = time.monotonic(), machine.load(), f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    gazetteer = Gazetteer.load()
    _say("decisions in one process")
    decided = decisions.measure(gazetteer)
    _say("make run, warm")
    started = start.measure()
    _say("memory of counts")
    held = memory.measure(memory.SAMPLE)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        data_dir = folder / "data"
        with service(folder, FLIGHTS, http_speed.WORKERS) as ours:
            asked, body_bytes = http_speed.filled_paths(ours)
            _say("requests, in turns with the floors")
            speed = http_speed.measure(ours, asked, body_bytes, folder)
            readers = Readers.of(data_dir, gazetteer)
            _say("counting")
            counted = counting.measure(ours, data_dir, readers)
            _say("decisions beside other work")
            beside = calm.measure(ours, asked, data_dir, readers, body_bytes)
    return Figures(
        machine=machine.describe(),
        load=load,
        when=when,
        took_seconds=time.monotonic() - began,
        flights=FLIGHTS,
        body_bytes=body_bytes,
        speed=speed,
        decisions=decided,
        counting=counted,
        held=held,
        beside=beside,
        start=started,
    )


def _say(what: str) -> None:
    print(f"measuring {what} \u2026", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
