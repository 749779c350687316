"""Requests a second and their cost: ours between the floors, all in one run, round by round."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from adserver.processes import gunicorn_conf
from bench.load import Round, run_wrk, write_script
from bench.machine import Memory, memory
from bench.servers import Server, floor
from bench.world import paths

ROUNDS: Final = 5
SECONDS: Final = 3
ASKED: Final = 400
"""Different addresses, asked in turn."""
EVEN_ENOUGH: Final = 0.6
"""A round in which one worker did less than this part of the other's work says little, and is run again."""
TRIES: Final = 2
HELLO_BY_OURS: Final = "hello by ours"
"""Flask's hello under our worker class: what of the gain is the worker's, and what the application's."""
WORKERS: Final = 2
THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Speed:
    """The rounds of one server. Immutable."""

    rounds: tuple[Round, ...]
    uneven: int
    """Rounds that were run again."""
    memory: Memory
    """Of its largest worker, after the load."""

    def median(self, name: str) -> float:
        """Return the median of a round's figure."""
        return median(float(getattr(each, name)) for each in self.rounds)


def filled_paths(server: Server) -> tuple[list[str], int]:
    """Return addresses that are answered with a decision, and how long such an answer is (the median)."""
    answers = [(path, *server.call(path)) for path in paths(ASKED, Random(2))]
    filled = [(path, len(body)) for path, status, body in answers if status == 200]
    return [path for path, _ in filled], int(median(length for _, length in filled))


def measure(ours: Server, asked: Sequence[str], body_bytes: int, folder: Path) -> Mapping[str, Speed]:
    """Return the speed of bare WSGI, Flask's hello, the same by our worker class, and ours."""
    with ExitStack() as stack:
        floors = [stack.enter_context(floor(name, WORKERS, THREADS, body_bytes)) for name in ("bare", "hello")]
        by_ours = stack.enter_context(floor("hello", WORKERS, THREADS, body_bytes, gunicorn_conf.worker_class))
        floors.append(replace(by_ours, name=HELLO_BY_OURS))
        scripts = {"ours": folder / "ours.lua", "floor": folder / "floor.lua"}
        write_script(scripts["ours"], asked)
        write_script(scripts["floor"], ["/"])
        servers = {server.name: server for server in (*floors, ours)}
        script_of = {name: scripts["ours" if name == "ours" else "floor"] for name in servers}
        for name, server in servers.items():
            run_wrk(server, script_of[name], 1)
        rounds: dict[str, list[Round]] = {name: [] for name in servers}
        uneven = dict.fromkeys(servers, 0)
        for _ in range(ROUNDS):
            for name, server in servers.items():
                tries = [run_wrk(server, script_of[name], SECONDS)]
                while tries[-1].evenness < EVEN_ENOUGH and len(tries) < TRIES:
                    tries.append(run_wrk(server, script_of[name], SECONDS))
                rounds[name].append(max(tries, key=lambda each: each.evenness))
                uneven[name] += len(tries) - 1
        return {name: Speed(tuple(rounds[name]), uneven[name], _largest(server)) for name, server in servers.items()}


def _largest(server: Server) -> Memory:
    return max((memory(pid) for pid in server.workers()), key=lambda each: each.resident)
