"""A client that asks at a pace, for how long a call takes when the service has time: a process of its own.

In the process that measures, its calls would wait for the interpreter as well: threads there hand it over each 5 ms.
"""

import http.client
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Self

END_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Pacer:
    """A running client. Immutable."""

    process: "subprocess.Popen[str]"

    @classmethod
    def start(cls, port: int, paths: Sequence[str], a_second: int, processors: Collection[int] = ()) -> Self:
        """Have it ask one call after the other, at most so many a second, until it is ended.

        It keeps to these processors, where any are given.
        """
        process = subprocess.Popen(
            (sys.executable, "-m", "bench.pacer"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if processors:
            os.sched_setaffinity(process.pid, processors)
        print(json.dumps({"port": port, "paths": list(paths), "a_second": a_second}), file=process.stdin, flush=True)
        return cls(process)

    def end(self) -> list[float]:
        """End it, and return the milliseconds of each call.

        Raises:
            RuntimeError: a call was not answered with a decision.
        """
        said, _ = self.process.communicate(timeout=END_SECONDS)
        if self.process.returncode:
            raise RuntimeError("the client that asks at a pace failed; what it said stands above")
        took: list[float] = json.loads(said)
        return took


def pace(port: int, paths: Sequence[str], a_second: int) -> list[float]:
    """Ask until standard input ends; return the milliseconds of each call.

    Raises:
        RuntimeError: a call was not answered with a decision.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    took: list[float] = []
    start = time.perf_counter()
    try:
        while not select.select((sys.stdin,), (), (), max(0.0, start + len(took) / a_second - time.perf_counter()))[0]:
            began = time.perf_counter()
            connection.request("GET", paths[len(took) % len(paths)])
            answer = connection.getresponse()
            answer.read()
            took.append((time.perf_counter() - began) * 1000)
            if answer.status not in (200, 204):
                raise RuntimeError(f"a decision was answered with {answer.status}")
    finally:
        connection.close()
    return took


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    print(json.dumps(pace(asked["port"], asked["paths"], asked["a_second"])))
