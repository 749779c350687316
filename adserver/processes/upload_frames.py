"""What a worker and the process that takes its uploads say to each other: frames of MessagePack over two pipes.

A frame is its length, 4 bytes big-endian, and as many bytes. Both ends are of one installation, so there is no version.
The worker sends an `Upload`. The answer is `Read`, or an `Error`. To `Read` the worker sends `Go`; the answer is
`Done`, or an `Error`. It sends `Drop` instead where the upload may not go to the store: there is no answer.
"""

import os
import select
import struct
import time
from typing import Final

import msgspec

from adserver.catalog.desk import Outcome, Upload
from adserver.catalog.reading import UnreadableDocument
from adserver.catalog.revisions import RevisionUnreadable
from adserver.catalog.served import ServedUnreadable
from adserver.domain.errors import (
    AdserverError,
    Fault,
    IdTaken,
    InputRefused,
    InputTooLarge,
    NotLive,
    StaleBase,
    StoreUnavailable,
    UnknownAdvertiser,
    UnreadableInput,
)

_LENGTH: Final = struct.Struct(">I")
_CHUNK_BYTES: Final = 65_536

_BY_MESSAGE: Final = (ServedUnreadable, RevisionUnreadable, UnreadableInput, InputTooLarge, NotLive, StoreUnavailable)
"""Errors that are all in their message; what derives from another stands before it."""
_BY_FAULTS: Final = (InputRefused, IdTaken, UnknownAdvertiser)


class Read(msgspec.Struct, frozen=True, tag="read"):
    """An upload was read, and may go to the store."""


class Go(msgspec.Struct, frozen=True, tag="go"):
    """It is to be published."""


class Drop(msgspec.Struct, frozen=True, tag="drop"):
    """It is not."""


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It was published."""

    outcome: Outcome


class Error(msgspec.Struct, frozen=True, tag="error"):
    """It was refused."""

    name: str
    """Of the error's class; empty: one that is not foreseen."""
    message: str = ""
    faults: tuple[Fault, ...] = ()
    base: int = 0
    live: int = 0

    @classmethod
    def of(cls, error: AdserverError) -> "Error":
        """Return an error to be sent."""
        if isinstance(error, StaleBase):
            return cls(StaleBase.__name__, base=error.base, live=error.live)
        if isinstance(error, UnreadableDocument):
            return cls(UnreadableDocument.__name__, faults=(error.fault,))
        if isinstance(error, _BY_FAULTS):
            return cls(type(error).__name__, faults=error.faults)
        kinds = [kind for kind in _BY_MESSAGE if isinstance(error, kind)]
        return cls(kinds[0].__name__ if kinds else "", str(error))

    def to_error(self) -> Exception:
        """Return the error that was sent."""
        if self.name == StaleBase.__name__:
            return StaleBase(self.base, self.live)
        if self.name == UnreadableDocument.__name__:
            return UnreadableDocument(*self.faults)
        for kind in _BY_FAULTS:
            if self.name == kind.__name__:
                return kind(self.faults)
        for named in _BY_MESSAGE:
            if self.name == named.__name__:
                return named(self.message)
        return RuntimeError("the process that takes uploads met what it did not foresee; its log says what")


Reply = Read | Done | Error
Order = Go | Drop


class Closed(Exception):
    """The other end is gone."""


class TooSlow(Exception):
    """The other end did not answer in time."""


class Pipes:
    """Two descriptors that frames go through. For one thread at a time."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing

    def send(self, message: Upload | Order | Reply) -> None:
        """Send a message whole.

        Raises:
            Closed: the other end is gone.
        """
        data = msgspec.msgpack.encode(message)
        left = memoryview(_LENGTH.pack(len(data)) + data)
        try:
            while left:
                left = left[os.write(self._writing, left) :]
        except OSError as error:
            raise Closed from error

    def receive_upload(self) -> Upload:
        """Return the next upload, however long it takes.

        Raises:
            Closed: the other end is gone.
        """
        return msgspec.msgpack.decode(self._receive(None), type=Upload)

    def receive_order(self) -> Order:
        """Return what becomes of an upload that was read.

        Raises:
            Closed: the other end is gone.
        """
        order: Order = msgspec.msgpack.decode(self._receive(None), type=Order)
        return order

    def receive_reply(self, seconds: float) -> Reply:
        """Return the answer.

        Raises:
            Closed: the other end is gone.
            TooSlow: it did not come in that time.
        """
        reply: Reply = msgspec.msgpack.decode(self._receive(seconds), type=Reply)
        return reply

    def _receive(self, seconds: float | None) -> bytes:
        until = None if seconds is None else time.monotonic() + seconds
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, until))
        return self._exactly(length, until)

    def _exactly(self, size: int, until: float | None) -> bytes:
        parts: list[bytes] = []
        while size:
            left = None if until is None else max(0.0, until - time.monotonic())
            if not select.select([self._reading], [], [], left)[0]:
                raise TooSlow
            part = os.read(self._reading, min(size, _CHUNK_BYTES))
            if not part:
                raise Closed
            parts.append(part)
            size -= len(part)
        return b"".join(parts)
