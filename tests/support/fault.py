"""A kind of harm that can befall a running service, and how it is done at the right moment."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cutting_proxy import Harm
from service import Service
from stage import Stage


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of harm. Immutable."""

    name: str
    inject: Callable[[Stage], str]
    """Does it and returns in words what was done, with pids."""
    slow: bool = False
    """Whether it takes more than a few seconds."""


@contextmanager
def harm(stage: Stage, kind: Harm, *, only: bytes = b"", times: int = 1) -> Iterator[None]:
    """Have the proxy do harm; the body runs once it did it so many times, and before it ends."""
    before = stage.proxy.harmed
    stage.proxy.only, stage.proxy.harm = only, kind
    try:
        Service.await_that(lambda: stage.proxy.harmed >= before + times)
        yield
    finally:
        stage.proxy.harm, stage.proxy.only = Harm.NONE, b""
        stage.proxy.cut_all()


def answers(service: Service) -> bool:
    """Tell whether pages are answered."""
    try:
        return service.call("/v1/slots/masthead")[0] in (200, 204)
    except (OSError, http.client.HTTPException):
        return False
