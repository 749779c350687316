"""The page of figures says what was measured and whether it is enough."""

from dataclasses import replace

import pytest

from bench.calm import Beside, Calm
from bench.counting import CountingSpeed
from bench.decisions import DecisionTime
from bench.http_speed import Speed
from bench.load import Round
from bench.machine import Memory
from bench.memory import Held, Part
from bench.report import Figures, as_document, as_text, targets
from bench.start import Start


def speed(requests_a_second: float, megabytes: float = 80.0) -> Speed:
    return Speed((Round(requests_a_second, 200.0, 1.0, 3.0, 0.9),), 1, Memory(megabytes, megabytes))


def calm(moved: float) -> Calm:
    return Calm(p50=1.0, p99=2.0 * (1 + moved), moved=moved, hello_p99=3.0, hello_moved=0.4, calls=900)


FIGURES = Figures(
    machine="a machine, 2 cores",
    load="0.1",
    when="2026-11-24 12:00 UTC",
    took_seconds=170.0,
    flights=1000,
    body_bytes=1700,
    speed={"bare": speed(9000), "hello": speed(5000), "ours": speed(6000)},
    decisions={1000: DecisionTime(10.0, 20.0, 80.0, 0.02, 0.3, 1.1)},
    counting=CountingSpeed(223_456.0, 1.4, 4.0, 8_000.0, 6.1),
    held=Held((Part("hours", 1_000, 12_000), Part("readers of each day", 0, 70_000))),
    beside=Beside({"quiet": calm(0.0), "backlog": calm(0.05), "publishing": calm(0.15)}, 160_000.0),
    start=Start(2.4, 3.0),
)

BESIDE, COUNTED = FIGURES.beside, FIGURES.counting


def missed(figures: Figures) -> list[str]:
    return [target.name for target in targets(figures) if not target.met]


def test_figures_that_are_good_enough_meet_every_target() -> None:
    assert missed(FIGURES) == []


@pytest.mark.parametrize(
    ("worse", "name"),
    [
        (replace(FIGURES, speed={**FIGURES.speed, "ours": speed(3700)}), "requests a second, of Flask hello's"),
        (replace(FIGURES, speed={**FIGURES.speed, "ours": speed(6000, 151.0)}), "memory of a worker"),
        (
            replace(FIGURES, beside=replace(BESIDE, calm={**BESIDE.calm, "backlog": calm(0.11)})),
            "p99 of decisions, backlog, against quiet",
        ),
        (
            replace(FIGURES, beside=replace(BESIDE, calm={**BESIDE.calm, "publishing": calm(0.21)})),
            "p99 of decisions, publishing, against quiet",
        ),
        (replace(FIGURES, beside=replace(BESIDE, replayed_a_second=149_999.0)), "a backlog beside decisions, a second"),
        (replace(FIGURES, counting=replace(COUNTED, events_a_second=199_999.0)), "events counted a second"),
        (replace(FIGURES, counting=replace(COUNTED, keeper_micros=1.51)), "keeper CPU an event"),
        (replace(FIGURES, counting=replace(COUNTED, events_a_call=999.0)), "events a call"),
        (replace(FIGURES, counting=replace(COUNTED, token_bits=6.6)), "bits a token"),
        (replace(FIGURES, held=Held((Part("hours", 1_000, 16_100),))), "bytes a cell"),
        (replace(FIGURES, start=Start(3.1, 4.0)), "`make run`, warm, until ready"),
    ],
)
def test_a_figure_that_is_not_good_enough_is_said_to_be(worse: Figures, name: str) -> None:
    assert missed(worse) == [name]


def test_the_table_lines_up() -> None:
    requests = as_text(FIGURES).split("\n\n")[2].splitlines()
    assert requests[0] == "Requests"
    assert len({len(line) for line in requests[1:]}) == 1


def test_the_document_has_the_machine_the_command_and_the_raw_output() -> None:
    document = as_document(FIGURES)
    assert FIGURES.machine in document
    assert "## Raw output of `make bench`" in document
    assert as_text(FIGURES) in document
    assert "| JSON decision, counted | 6,000 |" in document
