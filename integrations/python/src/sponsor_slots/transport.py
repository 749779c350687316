"""One bounded call to the service: within its time altogether, looking up the name included, or not at all."""

import logging
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import urllib3

from sponsor_slots.breaker import Breaker

_LOG: Final = logging.getLogger(__name__)
_THREADS: Final = 16
_ANSWER_BYTES_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said. Immutable."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Means:
    """What calls are made with, in one process. Shared by its threads."""

    pid: int
    pool: urllib3.PoolManager
    threads: ThreadPoolExecutor


class Transport:
    """Calls the service. Shared by all threads, and by processes that are forked with it."""

    def __init__(self, timeout_seconds: float) -> None:
        """Take how long a call may take from the caller's side, whatever hangs: name server, connection, service."""
        self._timeout_seconds = timeout_seconds
        self._breaker = Breaker(time.monotonic)
        self._lock = threading.Lock()
        self._means: _Means | None = None

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer | None:
        """Return the answer, or None on any fault; never raises for the service.

        Calls run in threads of their own: a time limit on a socket bounds each of its steps, not their sum.
        """
        if not self._breaker.lets_through():
            return None
        try:
            running = self._ready().threads.submit(self._fetch, method, url, headers, body)
            answer = running.result(self._timeout_seconds)
        except (urllib3.exceptions.HTTPError, TimeoutError, OSError, RuntimeError, ValueError) as error:
            _LOG.debug("no sponsor line: %s", type(error).__name__)
            answer = None
        if answer is None or answer.status >= 500:
            self._breaker.failed()
            return None
        self._breaker.succeeded()
        return answer

    def _fetch(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        response = self._ready().pool.request(method, url, headers=headers, body=body, preload_content=False)
        try:
            content = response.read(_ANSWER_BYTES_MAX)
        finally:
            response.release_conn()
        return Answer(response.status, response.headers.get("Content-Type", ""), content)

    def _ready(self) -> _Means:
        """Return what calls are made with; threads and connections are not handed on to a forked child."""
        with self._lock:
            if self._means is None or self._means.pid != os.getpid():
                self._means = _Means(
                    os.getpid(),
                    urllib3.PoolManager(
                        maxsize=_THREADS, retries=False, timeout=urllib3.Timeout(total=self._timeout_seconds)
                    ),
                    ThreadPoolExecutor(_THREADS, thread_name_prefix="sponsor-slots"),
                )
            return self._means
