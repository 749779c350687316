"""Draws differ between workers that were forked from one process."""

import os

from adserver.web.chance import WorkerRandom


def draws_in_a_child(chance: WorkerRandom) -> str:
    """Return what a forked child draws."""
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.write(writing, repr([chance.randrange(1 << 30) for _ in range(4)]).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as drawn:
        return drawn.read()


def test_forked_workers_draw_differently() -> None:
    chance = WorkerRandom()
    drawn = [draws_in_a_child(chance) for _ in range(3)]
    drawn.append(repr([chance.randrange(1 << 30) for _ in range(4)]))
    assert len(set(drawn)) == 4


def test_two_of_them_draw_differently() -> None:
    assert WorkerRandom().random() != WorkerRandom().random()
