"""Uploads are read, checked and published in a process of their own, so that no page waits for the interpreter then."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from adserver.catalog.desk import Entered, Outcome, Upload, UploadNotTaken, publish_documents, read_documents
from adserver.catalog.publish import Publisher
from adserver.domain.errors import AdserverError
from adserver.processes.upload_frames import Closed, Done, Drop, Error, Go, Pipes, Read, Reply, TooSlow

UPLOAD_FAULT: Final = "upload.fault"
"""Log event: taking an upload raised what nobody foresaw; its sender is told that it failed."""

_LOG: Final = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-m", "adserver.runtime.uploads")
ANSWER_SECONDS: Final = 60.0
"""How long an upload may take to be read, and again to be published; then the process is killed."""
IDLE_SECONDS: Final = 60.0
"""How long the process is kept for the next upload: it holds about as much memory as a worker."""
AT_ONCE: Final = 3
"""Uploads of one worker: one is taken, two wait for it. One more would take a thread of pages: it is sent away."""


class UploadProcess:
    """Takes uploads in a process that is started for the first of them. Shared by all threads, one upload at a time.

    What dies, or hangs, publishes whole or not at all: the store takes a revision by one script. The sender is told to
    send again, which finds nothing to change if it was published.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        clock: Callable[[], float] = time.monotonic,
        *,
        answer_seconds: Callable[[], float] = lambda: ANSWER_SECONDS,
    ) -> None:
        """Take what to start, a monotonic clock, and what says how long the next answer may take, in seconds."""
        self._command = command
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        """The process that started it: one forked later has its pipes, but must not talk through them."""
        self._used_at = 0.0

    def take(self, upload: Upload, entered: Entered) -> Outcome:
        """Read an upload and publish it; see `UploadDesk`."""
        with self._turn():
            try:
                pipes = self._read(upload)
                return self._publish(pipes, entered)
            except (Closed, TooSlow) as error:
                self._end()
                raise UploadNotTaken(
                    "What takes uploads ended, or took too long. It was published whole or not at all: send it again."
                ) from error
            finally:
                self._used_at = self._clock()

    @property
    def pid(self) -> int | None:
        """The process that takes uploads; None: there is none now."""
        return self._process.pid if self._process is not None else None

    def poll(self) -> bool:
        """End the process when it has not been needed for a while; return whether it was ended."""
        if self._process is None or not self._lock.acquire(blocking=False):
            return False
        try:
            if self._process is None or self._clock() - self._used_at < IDLE_SECONDS:
                return False
            self._end()
            return True
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise UploadNotTaken("As many uploads as are taken at once are being taken. Send it again in a moment.")
        try:
            with self._lock:
                yield
        finally:
            self._room.release()

    def _read(self, upload: Upload) -> Pipes:
        """Have an upload read; where the process turns out to be gone, by a new one, for nothing was published."""
        try:
            return self._read_by(self._pipes(), upload)
        except Closed:
            self._end()
            return self._read_by(self._pipes(), upload)

    def _read_by(self, pipes: Pipes, upload: Upload) -> Pipes:
        pipes.send(upload)
        reply = pipes.receive_reply(self._answer_seconds())
        if isinstance(reply, Error):
            raise reply.to_error()
        return pipes

    def _publish(self, pipes: Pipes, entered: Entered) -> Outcome:
        is_told = False
        try:
            with entered():
                is_told = True
                pipes.send(Go())
                reply = pipes.receive_reply(self._answer_seconds())
                if isinstance(reply, Done):
                    return reply.outcome
                raise reply.to_error() if isinstance(reply, Error) else Closed
        finally:
            if not is_told:
                with suppress(Closed):
                    pipes.send(Drop())

    def _pipes(self) -> Pipes:
        if self._owner != os.getpid():
            self._process = None
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - ours
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
            self._owner = os.getpid()
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process was started without the pipes that were asked for")
        return Pipes(process.stdout.fileno(), process.stdin.fileno())

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()  # it holds nothing that a kill could harm
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def serve_uploads(pipes: Pipes, publisher: Publisher) -> None:
    """Take uploads until the worker at the other end is gone."""
    with suppress(Closed):
        while True:
            _serve(pipes, publisher, pipes.receive_upload())


def _serve(pipes: Pipes, publisher: Publisher, upload: Upload) -> None:
    try:
        documents = read_documents(upload)
    except Exception as error:  # noqa: BLE001 - whoever sent it is told, and the process goes on
        pipes.send(_told(error))
        return
    pipes.send(Read())
    if isinstance(pipes.receive_order(), Drop):
        return
    try:
        reply: Reply = Done(publish_documents(publisher, upload, documents))
    except Exception as error:  # noqa: BLE001 - the same
        reply = _told(error)
    pipes.send(reply)


def _told(error: Exception) -> Error:
    if isinstance(error, AdserverError) and (told := Error.of(error)).name:
        return told
    _LOG.error(UPLOAD_FAULT, exc_info=error)
    return Error("")
