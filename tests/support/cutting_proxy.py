"""A TCP proxy on loopback that harms what passes: replies late, kept back or cut off, requests in halves."""

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

_CHUNK_BYTES: Final = 65_536
_HEAD_BYTES: Final = 64
_PAUSE_SECONDS: Final = 0.3


class Harm(Enum):
    """What the proxy does to each connection, from the next bytes on."""

    NONE = "passes all"
    LAG = "holds each reply back for 200 ms"
    CUT = "forwards the request, then cuts the connection instead of the reply"
    SWALLOW = "forwards the request, and never gives the reply"
    HALVE = "forwards half of the request, and then nothing more"
    KEEP = "keeps each request, for `deliver_kept`"
    REFUSE = "cuts every connection at once"


@dataclass(slots=True)
class _Call:
    """What one connection's client asked for last."""

    head: bytes = b""


class CuttingProxy:
    """Stands before one port of loopback, in a thread with a loop of its own. `harm` may be set from any thread."""

    LAG_SECONDS: Final = 0.2

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._relays: set[asyncio.Task[None]] = set()
        self.harm = Harm.NONE
        self.only = b""
        """Harms only the calls that have this word near their beginning."""
        self.harmed = 0
        """How many pieces of requests or replies did not pass as they came."""
        self._kept: list[bytes] = []
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut_all(self) -> None:
        """Cut every connection there is."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    def deliver_kept(self) -> int:
        """Forward what was kept, in place of whoever sent it and may have gone; return how many replies came."""
        return asyncio.run_coroutine_threadsafe(self._deliver_kept(), self._loop).result(20)

    async def _deliver_kept(self) -> int:
        kept, self._kept = self._kept, []
        replies = 0
        for data in kept:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            writer.write(data)
            replies += bool(await reader.read(_CHUNK_BYTES))
            writer.close()
            await writer.wait_closed()
        return replies

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _end(self) -> None:
        self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        for relay in (relays := list(self._relays)):
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        try:
            await self._relay(reader, writer)
        except (OSError, asyncio.CancelledError):
            self.harmed += self.harm is Harm.REFUSE
        finally:
            self._relays.discard(task)
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.harm is Harm.REFUSE:
            raise ConnectionRefusedError
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        call = _Call()
        try:
            pumps = [
                asyncio.ensure_future(self._pump_requests(reader, server_writer, call)),
                asyncio.ensure_future(self._pump_replies(server_reader, writer, call)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            server_writer.transport.abort()

    async def _pump_requests(self, client: asyncio.StreamReader, server: asyncio.StreamWriter, call: _Call) -> None:
        while data := await client.read(_CHUNK_BYTES):
            if data.startswith(b"*"):  # a call begins; its name is in its first bytes
                call.head = data[:_HEAD_BYTES]
            harm = self._harm_of(call)
            if harm is Harm.REFUSE:
                return
            if harm is Harm.HALVE:
                self.harmed += 1
                server.write(data[: len(data) // 2])
                await asyncio.Event().wait()
            if harm is Harm.KEEP:
                self._kept.append(data + await _rest_of(client))
                self.harmed += 1
                await asyncio.Event().wait()
            server.write(data)
            with suppress(ConnectionError):
                await server.drain()

    async def _pump_replies(self, server: asyncio.StreamReader, client: asyncio.StreamWriter, call: _Call) -> None:
        while data := await server.read(_CHUNK_BYTES):
            harm = self._harm_of(call)
            self.harmed += harm not in (Harm.NONE, Harm.HALVE, Harm.KEEP)  # which befall requests
            if harm in (Harm.CUT, Harm.REFUSE):
                return
            if harm is Harm.SWALLOW:
                await asyncio.Event().wait()
            if harm is Harm.LAG:
                await asyncio.sleep(self.LAG_SECONDS)
            client.write(data)
            await client.drain()

    def _harm_of(self, call: _Call) -> Harm:
        return self.harm if self.only in call.head else Harm.NONE


async def _rest_of(client: asyncio.StreamReader) -> bytes:
    """Return what else a client sends of one call: all until it waits for the reply."""
    rest = b""
    while True:
        try:
            async with asyncio.timeout(_PAUSE_SECONDS):
                data = await client.read(_CHUNK_BYTES)
        except TimeoutError:
            return rest
        if not data:
            return rest
        rest += data
