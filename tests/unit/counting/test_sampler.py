"""Which calls a worker keeps, what of them, and for how long."""

from dataclasses import replace
from pathlib import Path
from random import Random

from reason_scenes import FLIGHT, OPEN, REMER, capped

from adserver.counting.sampler import Sampler
from adserver.counting.samples import KEPT, SAMPLES_NAME, SampledCall, SampledSlot, SampleFile, read_samples
from adserver.decision.paces import Shown
from adserver.domain.catalog import CreativeWeight
from adserver.domain.decisions import Fill, NoFill
from adserver.domain.ids import FlightId, PlaceId, SlotId, Topic
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import Variant

SECOND = 1_781_500_000


class Worker:
    """A sampler, and a clock that the test moves. For one thread."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        self.now = 0.0
        self.sampler = Sampler(folder, lambda: "issuer", lambda: self.now, Random(seed))
        self.decision = OPEN.decide()
        self.snapshot = OPEN.snapshot

    def calls(self, times: int) -> int:
        """Answer so many calls; return how many were kept."""
        kept = 0
        for _ in range(times):
            if self.sampler.is_due():
                self.sampler.take((self.decision,), self.snapshot, SECOND)
                kept += 1
        return kept

    def half_second(self, calls: int) -> int:
        kept = self.calls(calls)
        self.now += 0.5
        self.sampler.flush()
        return kept

    def kept(self) -> tuple[SampledCall, ...]:
        (file,) = read_samples(self.folder)
        return file.calls


def test_a_quiet_worker_keeps_every_call_and_a_busy_one_two_a_second_each_by_chance(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    assert [worker.half_second(1) for _ in range(20)] == [1] * 20
    assert {call.one_in for call in worker.kept()} == {1}

    for _ in range(10):
        worker.half_second(500)
    kept = [worker.half_second(500) for _ in range(400)]  # 200 seconds of 1,000 calls
    assert 330 <= sum(kept) <= 480, "two a second; chance strays by 20"
    assert {call.one_in for call in worker.kept()} == {500}
    assert len(set(kept)) > 3, "not each so-manieth, but each by a chance of its own"


def test_what_the_kept_calls_stand_for_adds_up_to_all_calls(tmp_path: Path) -> None:
    worker, asked, stood_for, seen = Worker(tmp_path, seed=4), 0, 0, 0
    for part in range(2000):
        calls = (3, 40, 200, 1)[part // 500]
        worker.half_second(calls)
        asked += calls
        for call in worker.kept():
            if call.number > seen:
                stood_for, seen = stood_for + call.one_in, call.number
    assert abs(stood_for - asked) < 0.1 * asked


def test_of_a_call_its_question_and_its_outcome_are_kept_and_nothing_of_the_reader(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    page = replace(
        OPEN.request, topics=(Topic("sports"), Topic("what nobody sells")), exclude=frozenset({"shop"}), max_chars=80
    )
    decided = OPEN.decide()
    assert isinstance(decided, Fill)
    won = decided._replace(request=page)
    empty = NoFill(replace(page, slot=SlotId("footer")), NoFillReason.PLACE, (FLIGHT.id,))
    assert worker.sampler.is_due()
    worker.sampler.take((won, empty), worker.snapshot, SECOND)
    worker.sampler.flush()

    assert read_samples(tmp_path) == (
        SampleFile(
            process="issuer",
            calls=(
                SampledCall(
                    1, 1, SECOND, 1, PlaceId(REMER.id), (Topic("sports"),), ("shop",),
                    (
                        SampledSlot(SlotId("masthead"), Variant.AUTO, 80, FLIGHT.id, ()),
                        SampledSlot(SlotId("footer"), Variant.AUTO, 80, None, (FLIGHT.id,)),
                    ),
                    (),
                ),
            ),
        ),
    )  # fmt: skip


def test_of_what_a_reader_was_shown_only_caps_that_are_reached_are_kept(tmp_path: Path) -> None:
    scene = capped("visit", "reader", goal=None)  # twice a visit
    scene = replace(
        scene, others=(replace(scene.flight, id=FlightId("other"), creatives=(CreativeWeight(scene.creatives[0].id),)),)
    )
    worker = Worker(tmp_path)
    decision = scene.decide()
    nobody = NoFill(scene.request, NoFillReason.CAP)
    for number, shown, expected in (
        (1, {FLIGHT.id: Shown(1, 0)}, ()),
        (2, {FLIGHT.id: Shown(2, 0), FlightId("other"): Shown(1, 1)}, (FLIGHT.id,)),
    ):
        assert worker.sampler.is_due()
        worker.sampler.take((nobody,), scene.snapshot, SECOND, shown)
        worker.sampler.flush()
        assert (worker.kept()[-1].number, worker.kept()[-1].capped) == (number, expected)

    assert isinstance(decision, Fill)
    assert worker.sampler.is_due()
    worker.sampler.take((decision,), scene.snapshot, SECOND, {decision.flight.id: Shown(1, 0)})
    worker.sampler.flush()
    assert worker.kept()[-1].capped == (decision.flight.id,), "this fill was the second"


def test_the_file_holds_the_last_calls_only_and_their_numbers_go_on(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    assert worker.calls(KEPT + 20) == KEPT + 20
    worker.sampler.flush()
    assert [call.number for call in worker.kept()] == list(range(21, KEPT + 21))


def test_a_file_that_nobody_can_read_is_passed_over_and_a_worker_that_ends_leaves_its_own(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.calls(1)
    worker.sampler.close()
    (tmp_path / SAMPLES_NAME / "7.json").write_text("{")
    (tmp_path / SAMPLES_NAME / "8.json").write_text('{"version": 2, "process": "p", "calls": []}')
    assert [file.process for file in read_samples(tmp_path)] == ["issuer"]

    following = Worker(tmp_path, seed=2)
    following.calls(2)
    following.sampler.flush()
    assert [len(file.calls) for file in read_samples(tmp_path)] == [2], "the next process goes on in the same file"


def test_what_the_disk_refuses_waits_in_memory(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    (tmp_path / SAMPLES_NAME).write_text("no folder")
    worker.half_second(3)
    (tmp_path / SAMPLES_NAME).unlink()
    worker.half_second(0)
    assert len(worker.kept()) == 3
