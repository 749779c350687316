"""Serve the application by gunicorn, as a child of the supervisor."""

import signal
import sys
from collections.abc import Callable, Mapping
from typing import Final

from adserver.processes import gunicorn_conf
from adserver.processes.children import ChildSpec, Progress
from adserver.processes.doors import Doors, FrontDoor

APPLICATION: Final = "adserver.runtime.worker:create_wsgi_app()"
ALIVE_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"

_CONFIG: Final = "python:adserver.runtime.gunicorn_conf"
_START_SECONDS: Final = 30.0
_TAKEOVER_SECONDS: Final = 15.0
"""A worker is up in about one; a successor that needs so many more has a fault, and the old one goes on."""


def web_spec(
    front: FrontDoor,
    workers: int,
    env: Mapping[str, str],
    application: str = APPLICATION,
    *,
    starts_at_once: bool = False,
) -> ChildSpec:
    """Return how the supervisor runs gunicorn. SIGTERM lets requests in flight finish; a reload puts another beside it.

    Args:
        front: where it listens.
        workers: how many processes answer.
        env: its whole environment.
        application: what gunicorn loads in each worker, `module:factory()`.
        starts_at_once: it need not wait for those before it.
    """

    def generation(number: int, before: Doors | None) -> ChildSpec:
        doors = Doors(front)
        return ChildSpec(
            name="web" if number == 1 else f"web-{number}",
            argv=(*_command(doors), "--workers", str(workers), application),
            env=env,
            progress=_progress(doors, before),
            stop_signal=signal.SIGTERM,
            grace_seconds=gunicorn_conf.graceful_timeout + 0.5,
            ready_seconds=_START_SECONDS if before is None else _TAKEOVER_SECONDS,
            doors=doors,
            starts_at_once=starts_at_once,
            successor=lambda: generation(number + 1, doors),
        )

    return generation(1, None)


def _command(doors: Doors) -> tuple[str, ...]:
    binds = (part for descriptor in doors.descriptors for part in ("--bind", f"fd://{descriptor}"))
    return (sys.executable, "-m", "gunicorn", "--config", _CONFIG, *binds)


def _progress(doors: Doors, before: Doors | None) -> Callable[[], Progress]:
    """Return a look at a server: it is up when it is alive, and as ready as the one that it is to replace."""

    def look() -> Progress:
        is_up = doors.ask(ALIVE_PATH) == 200 and (before is None or _is_as_ready(doors, before))
        return Progress.READY if is_up else Progress.WAITING

    return look


def _is_as_ready(new: Doors, old: Doors) -> bool:
    """Compare two servers; an old one that does not answer, as on a busy machine, is taken for one that is ready."""
    return new.ask(READY_PATH) == 200 or old.ask(READY_PATH) not in (200, None)
