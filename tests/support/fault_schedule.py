"""A random schedule of faults from a seed: fault_schedule.py --seed N --minutes M --page docs/reliability.md."""

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cutting_proxy import Harm
from exactness import Balance
from fault import Fault
from faults import FAULTS
from outcomes import put_rows
from stage import Stage, running_stage


@dataclass(slots=True)
class Course:
    """What a schedule did, and how it came out. One thread."""

    seed: int
    seconds: float = 0.0
    injected: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    balance: Balance | None = None

    def row(self) -> str:
        """Return it as a row of the table of schedules."""
        assert self.balance is not None
        one = self.balance
        numbers = (
            f"{self.seconds / 60:.0f}",
            f"{self.injected.total()} of {len(self.injected)} kinds",
            self.checks,
            one.answered,
            one.recorded,
            one.dropped,
            f"{one.cells} of {one.cells}",
        )
        return f"| {self.seed} | {' | '.join(map(str, numbers))} |"


def run_schedule(
    stage: Stage, faults: Sequence[Fault], seed: int, seconds: float, say: Callable[[str], None] = print
) -> Course:
    """Do harm under load for so long, one to four faults between two looks at every cell; all is drawn from the seed.

    Raises:
        AssertionError: a look found anything inexact.
    """
    rng = random.Random(seed)
    stage.rng = random.Random(seed)
    course = Course(seed)
    begin = time.monotonic()
    while course.checks == 0 or time.monotonic() - begin < seconds:
        stage.readers.start()
        try:
            for _ in range(rng.randint(1, 4)):
                _do_harm(stage, rng, rng.choice(faults), course, say)
        finally:
            stage.readers.stop()
        course.balance = stage.assert_exact()
        course.checks += 1
        course.seconds = time.monotonic() - begin
        say(f"{course.seconds:4.0f} s  exact: {course.balance}")
    return course


def _do_harm(stage: Stage, rng: random.Random, fault: Fault, course: Course, say: Callable[[str], None]) -> None:
    stage.readers.await_answers(rng.randint(5, 60), 120)
    if rng.random() < 0.3:
        stage.take_copy()
    if lagging := rng.random() < 0.25:
        stage.proxy.harm = Harm.LAG
    before = stage.readers.answered
    try:
        said = fault.inject(stage)
    finally:
        stage.proxy.harm = Harm.NONE
    course.injected[fault.name] += 1
    say(f"        {said}{' (under 200 ms of lag)' if lagging else ''}; events answered before {before}, during "
        f"{stage.readers.answered - before}")  # fmt: skip


def main() -> None:
    """Run one schedule on a service of its own, and add its row to the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--page", type=Path)
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    print(f"SEED={seed} MINUTES={chosen.minutes:g}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as folder,
        running_stage(Path(folder), seed=seed, faked_clock=True) as stage,
    ):
        stage.hang_seconds = 30.0
        course = run_schedule(stage, FAULTS, seed, chosen.minutes * 60, lambda line: print(line, flush=True))
    for name, times in sorted(course.injected.items()):
        print(f"{times:5}  {name}")
    if chosen.page:
        chosen.page.write_text(put_rows(chosen.page.read_text(), "schedules", [course.row()], keep_others=True))


if __name__ == "__main__":
    main()
