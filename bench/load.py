"""wrk, as fast as it goes."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.machine import cpu_seconds
from bench.servers import Server

CONNECTIONS: Final = 8
"""Two workers with four threads each have one for each connection."""

_SCRIPT: Final = """
local calls, at = {{}}, 0
function init(args)
  for path in ([[{paths}]]):gmatch("%S+") do calls[#calls + 1] = wrk.format("GET", path) end
end
function request()
  at = at % #calls + 1
  return calls[at]
end
function done(summary, latency)
  local e = summary.errors
  print("DONE", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout)
end
"""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of wrk against one server. Immutable."""

    requests_a_second: float
    cpu_micros: float
    """Processor time of all workers, a request."""
    p50_ms: float
    p99_ms: float
    evenness: float
    """The work of the worker that did least, of that of the one that did most."""


def write_script(path: Path, paths: Sequence[str]) -> None:
    """Write what tells wrk to ask for these addresses in turn."""
    path.write_text(_SCRIPT.format(paths="\n".join(paths)))


def run_wrk(server: Server, script: Path, seconds: int) -> Round:
    """Load a server for so long.

    Raises:
        RuntimeError: wrk failed, or a request did.
    """
    workers = server.workers()
    before = [cpu_seconds(pid) for pid in workers]
    command = ("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "-s", str(script), f"http://127.0.0.1:{server.port}")
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    used = [cpu_seconds(pid) - start for pid, start in zip(workers, before, strict=True)]
    line = next((line for line in run.stdout.splitlines() if line.startswith("DONE")), None)
    if run.returncode or line is None:
        raise RuntimeError(f"wrk failed: {run.stdout}{run.stderr}")
    requests, micros, p50, p99, errors = map(float, line.split()[1:])
    if errors:
        raise RuntimeError(f"{errors:.0f} of {requests:.0f} requests to {server.name} failed")
    return Round(
        requests_a_second=requests / micros * 1e6,
        cpu_micros=sum(used) / requests * 1e6,
        p50_ms=p50 / 1000,
        p99_ms=p99 / 1000,
        evenness=min(used) / max(*used, 1e-9),
    )
