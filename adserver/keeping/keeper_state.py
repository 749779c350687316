"""How the keeper stands: a small file in the data folder that the workers, `/readyz` and `adserver doctor` read."""

import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from adserver.counting.losses import Losses
from adserver.keeping.keeper import KeeperReport

KEEPER_STATE_NAME: Final = "keeper.json"
STALE_SECONDS: Final = 10.0
"""A keeper that has said nothing for so long is not at work: it steps four times a second."""

_VERSION: Final = 1
_REWRITE_SECONDS: Final = 1.0
_LOG: Final = logging.getLogger(__name__)

STATE_UNWRITABLE: Final = "keeper.state_unwritable"
"""Log event: the keeper's state cannot be written; the disk may be full. Counting goes on."""


class KeeperState(msgspec.Struct, frozen=True, kw_only=True):
    """What the keeper last said of itself. Immutable."""

    version: int = _VERSION
    at: float
    """Unix time."""
    pid: int
    redis: bool
    """Whether Redis took all it was asked."""
    trouble: str = ""
    """Why nothing is counted, for the operator; empty while all goes well."""
    refusal: str = ""
    """The same for anybody, where Redis answers and must not be counted into."""
    backlog_bytes: int = 0
    """Spool bytes on disk that are not in the counts yet."""
    behind_since: float | None = None
    """Unix time since when there is a backlog; None: there is none."""
    revision: int = 0
    """The newest on this host; 0: none."""
    catalog_fault: str = ""
    """Why the live revision is not that one though Redis answers, for the operator; empty: it is."""
    archive_fault: str = ""
    """Why what is counted cannot be put into the archive, in the operating system's words; empty: it can."""
    losses: Losses = Losses()
    """What is in no count, of all hosts, as Redis last said."""

    def is_stale(self, now: float) -> bool:
        """Tell whether the keeper has fallen silent; `now` is Unix time."""
        return now - self.at > STALE_SECONDS

    def lag_seconds(self, now: float) -> float:
        """Return for how long the counts have been behind; `now` is Unix time. While it is silent, it is behind."""
        since = self.behind_since
        if since is None and self.is_stale(now):
            since = self.at
        return 0.0 if since is None else max(0.0, now - since)


class KeeperStateFile:
    """Writes the state after each step, once a second at least. For the keeper's one thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEEPER_STATE_NAME
        self._pid = os.getpid()
        self._behind_since: float | None = None
        self._written: KeeperState | None = None
        self._fails = False

    def report(self, report: KeeperReport, now: float) -> None:
        """Write how a step went, if that is news; `now` is Unix time.

        Where the disk takes nothing, the file's time of change is moved, so that readers still see a keeper at work.
        """
        if not report.unapplied_bytes:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now
        state = KeeperState(
            at=now,
            pid=self._pid,
            redis=report.redis,
            trouble=report.trouble,
            refusal=report.refusal,
            backlog_bytes=report.unapplied_bytes,
            behind_since=self._behind_since,
            revision=report.revision,
            catalog_fault=report.catalog_fault,
            archive_fault=report.archive_fault,
            losses=report.losses,
        )
        if self._is_news(state):
            self._write(state)

    def _is_news(self, state: KeeperState) -> bool:
        written = self._written
        if written is None or not 0 <= state.at - written.at < _REWRITE_SECONDS:
            return True
        before, after = (
            (of.redis, of.trouble, of.revision, of.catalog_fault, of.archive_fault) for of in (written, state)
        )
        return before != after

    def _write(self, state: KeeperState) -> None:
        draft = self._path.with_suffix(".draft")
        try:
            draft.write_bytes(msgspec.json.encode(state))
            draft.replace(self._path)
        except OSError as error:
            if not self._fails:
                _LOG.error(STATE_UNWRITABLE, extra={"fault": error.strerror})
            self._fails = True
            self._touch(state.at)
        else:
            self._fails = False
        self._written = state

    def _touch(self, now: float) -> None:
        try:
            os.utime(self._path, (now, now))
        except OSError:
            return


def read_keeper_state(folder: Path) -> KeeperState | None:
    """Return what the keeper of a data folder last said; None: no keeper ever wrote there, or it cannot be read."""
    path = folder / KEEPER_STATE_NAME
    try:
        state = msgspec.json.decode(path.read_bytes(), type=KeeperState)
        touched = path.stat().st_mtime
    except (OSError, msgspec.DecodeError):
        return None
    if state.version != _VERSION:
        return None
    return msgspec.structs.replace(state, at=max(state.at, touched))


def warn_of(state: KeeperState | None, now: float) -> tuple[str, ...]:
    """Return what someone should look at although pages are served, without addresses; `now` is Unix time."""
    if state is None:
        return ("no keeper has been at work yet: events are kept on disk, and not counted",)
    if state.is_stale(now):
        silent = round(now - state.at)
        return (f"the keeper has been silent for {silent} s: events are kept on disk, and not counted",)
    warnings: list[str] = []
    if not state.redis:
        why = state.refusal or "Redis does not answer; the log says more"
        warnings.append(f"events are kept on disk, and not counted: {why}")
    if state.catalog_fault:
        warnings.append("the live revision cannot be served on this host; the keeper's log says why")
    if state.archive_fault:
        warnings.append(f"what is counted cannot be put into the archive, and the spools grow: {state.archive_fault}")
    return tuple(warnings)
