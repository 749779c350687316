"""One running service for all tests of a file; a test that fails leaves it to nobody."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from fault import Fault
from outcomes import Outcome, note
from stage import Stage, running_stage


class Stages:
    """Has one stage at a time. One thread."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._stack = ExitStack()
        self._stage: Stage | None = None

    def sound_one(self) -> Stage:
        """Return the stage that the last test left sound, or a new one."""
        if self._stage is None or not self._stage.sound:
            self.end()
            self._stage = self._stack.enter_context(running_stage(self._factory.mktemp("stage"), faked_clock=True))
        return self._stage

    def end(self) -> None:
        """Leave nothing running."""
        self._stack.close()
        self._stage = None


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    stages = Stages(tmp_path_factory)
    try:
        yield stages
    finally:
        stages.end()


@pytest.fixture
def stage(stages: Stages) -> Stage:
    """A service under no load, exact so far. A test says itself that it leaves it sound, by `survive` or in words."""
    stage = stages.sound_one()
    stage.sound = False
    return stage


@pytest.fixture
def survive(stage: Stage) -> Callable[[Fault], None]:
    """Do one fault under load; all is exact then, and the outcome is noted."""

    def survive(fault: Fault) -> None:
        before = stage.readers.answered
        with stage.load():
            begun = stage.readers.answered
            said = fault.inject(stage)
            over = stage.readers.answered
        ended = stage.readers.answered
        stopped = time.monotonic()
        balance = stage.assert_exact()
        outcome = Outcome(
            fault=fault.name,
            before=begun - before,
            during=over - begun,
            after=ended - over,
            answered=balance.answered,
            recorded=balance.recorded,
            dropped=balance.dropped,
            cells=balance.cells,
            settled_seconds=round(time.monotonic() - stopped, 1),
        )
        note(outcome, said)
        stage.sound = True

    return survive
