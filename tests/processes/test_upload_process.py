"""Uploads taken by a process of their own: as in one's own, and whole or not at all whatever becomes of it."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from pathlib import Path

import pytest
from catalog_bench import Bench, campaign, campaign_file, flight, slots_file

from adserver.catalog.desk import LocalDesk, Outcome, Upload, UploadDesk, UploadKind, UploadNotTaken
from adserver.catalog.merging import Extent
from adserver.catalog.reading import UnreadableDocument
from adserver.catalog.revisions import RevisionUnreadable
from adserver.catalog.served import ServedUnreadable
from adserver.catalog.upload import Format
from adserver.domain.errors import (
    AdserverError,
    Fault,
    IdTaken,
    InputRefused,
    InputTooLarge,
    StaleBase,
    StoreUnavailable,
    UnreadableInput,
)
from adserver.processes.upload_frames import Error
from adserver.processes.upload_process import ANSWER_SECONDS, IDLE_SECONDS, UploadProcess

CHILD = Path(__file__).parents[1] / "support" / "upload_child.py"
FAULT = Fault("campaigns[0].id", "is taken", "a.yaml", 3, 4)


class Clock:
    """Monotonic seconds that are set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def process(
    *how: str, clock: Clock | None = None, answer_seconds: Callable[[], float] = lambda: ANSWER_SECONDS
) -> Iterator[UploadProcess]:
    taken_by = UploadProcess((sys.executable, str(CHILD), *how), clock or Clock(), answer_seconds=answer_seconds)
    try:
        yield taken_by
    finally:
        taken_by.close()


def upload(document: object, *, base: int | None = None, dry_run: bool = False) -> Upload:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Upload(UploadKind.CAMPAIGNS, data, Format.JSON, Extent.NAMED, "kim", "why", base, dry_run)


UPLOADS = (
    upload(campaign_file(campaign("spring"))),
    upload(campaign_file(campaign("spring"))),
    upload(campaign_file(campaign("summer")), dry_run=True),
    upload(b"{"),
    upload(campaign_file(campaign("spring", flights=[flight("f", share=101, tier="sponsorship")]))),
    upload(campaign_file(campaign("spring", flights=[flight("f", slots=["nowhere"])]))),
    upload(campaign_file(campaign("autumn", flights=[flight("spring-flight")]))),
    upload(campaign_file(campaign("summer")), base=1),
    Upload(
        UploadKind.SLOTS,
        json.dumps(slots_file("masthead", "footer")).encode(),
        Format.JSON,
        Extent.NAMED,
        "kim",
        "",
        2,
        False,
    ),
)


def outcomes(desk: UploadDesk) -> list[object]:
    return [outcome(desk, one) for one in UPLOADS]


def outcome(desk: UploadDesk, one: Upload) -> Outcome | tuple[type[Exception], str]:
    try:
        return desk.take(one, nullcontext)
    except AdserverError as error:
        return type(error), str(error)


def test_every_upload_becomes_what_it_becomes_in_ones_own_process() -> None:
    bench = Bench()
    bench.publish_slots()
    with process() as taken_by:
        found = outcomes(taken_by)
    assert found == outcomes(LocalDesk(bench.publisher))
    kinds = [one[0] for one in found if isinstance(one, tuple)]
    assert kinds == [UnreadableDocument, InputRefused, InputRefused, IdTaken, StaleBase]


@pytest.mark.parametrize(
    "error",
    [
        StaleBase(3, 7),
        InputRefused((FAULT, FAULT)),
        IdTaken((FAULT,)),
        UnreadableInput("no JSON"),
        UnreadableDocument(FAULT),
        InputTooLarge("too large"),
        StoreUnavailable("away"),
        RevisionUnreadable("of a newer version"),
        ServedUnreadable("lost"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_through_as_it_was(error: AdserverError) -> None:
    told = Error.of(error).to_error()
    assert (type(told), str(told), vars(told)) == (type(error), str(error), vars(error))


def test_one_that_died_meanwhile_is_started_again_and_nothing_is_lost() -> None:
    with process() as taken_by:
        assert taken_by.take(UPLOADS[0], nullcontext).revision == 2
        first = taken_by.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert taken_by.take(UPLOADS[0], nullcontext).revision == 2  # its store died with it
        assert taken_by.pid not in (None, first)


@pytest.mark.parametrize("how", ["ends", "hangs"])
def test_one_that_fails_in_the_middle_is_said_to_the_sender_and_ended(how: str) -> None:
    seconds = [60.0, 0.1]  # to read, which starts it, and to publish
    with process(how, answer_seconds=lambda: seconds.pop(0)) as taken_by:
        with pytest.raises(UploadNotTaken, match="send it again"):
            taken_by.take(UPLOADS[0], nullcontext)
        assert taken_by.pid is None


def test_what_comes_when_three_are_there_is_sent_away_and_holds_no_thread() -> None:
    told, release = threading.Semaphore(0), threading.Event()

    @contextmanager
    def held() -> Iterator[None]:
        told.release()
        assert release.wait(30)
        yield

    with process() as taken_by, ThreadPoolExecutor(6) as pool:
        try:
            first = pool.submit(taken_by.take, UPLOADS[0], held)
            assert told.acquire(timeout=30)
            others = [pool.submit(taken_by.take, UPLOADS[0], nullcontext) for _ in range(5)]
            refused = list(islice(as_completed(others, timeout=30), 3))
            assert all(isinstance(one.exception(), UploadNotTaken) for one in refused)
        finally:
            release.set()
        assert {one.result().revision for one in (first, *set(others) - set(refused))} == {2}


def test_one_that_may_not_go_to_the_store_is_dropped_and_the_next_is_taken() -> None:
    def closed() -> AbstractContextManager[None]:
        raise StoreUnavailable("it hangs")

    with process() as taken_by:
        with pytest.raises(StoreUnavailable, match="it hangs"):
            taken_by.take(UPLOADS[0], closed)
        assert taken_by.take(UPLOADS[0], nullcontext).revision == 2


def test_what_cannot_be_read_is_told_without_the_store() -> None:
    def never() -> AbstractContextManager[None]:
        raise AssertionError("it went to the store")

    with process() as taken_by, pytest.raises(UnreadableInput):
        taken_by.take(upload(b"{"), never)


def test_it_is_ended_when_it_was_not_needed_for_a_while() -> None:
    clock = Clock()
    with process(clock=clock) as taken_by:
        assert taken_by.poll() is False
        taken_by.take(UPLOADS[0], nullcontext)
        clock.now += IDLE_SECONDS - 1
        assert taken_by.poll() is False
        clock.now += 1
        assert taken_by.poll() is True
        assert taken_by.pid is None
        assert taken_by.take(UPLOADS[0], nullcontext).revision == 2
