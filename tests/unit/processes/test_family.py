"""The order in which children start, stop and start again; no process is started here."""

from collections.abc import Callable
from signal import SIGTERM

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.processes.children import ChildSpec, Progress, immediately
from adserver.processes.family import MAX_DELAY_SECONDS, STOP_SECONDS, Family
from adserver.processes.members import (
    LOOK_SECONDS,
    LOOP_FAILURES,
    PATIENCE_SECONDS,
    STABLE_SECONDS,
    Action,
    AskToEnd,
    Kill,
    Phase,
    Prepare,
    Say,
    Start,
)

ORDER = ("redis", "keeper", "web")


def spec(
    name: str,
    *,
    grace: float = 2.0,
    ready: float = 30.0,
    before: Callable[[], None] | None = None,
    silence: float | None = None,
    at_once: bool = False,
) -> ChildSpec:
    return ChildSpec(
        name,
        (name,),
        {},
        immediately,
        SIGTERM,
        grace,
        ready_seconds=ready,
        before_first_start=before,
        silence_seconds=silence,
        starts_at_once=at_once,
    )


def family(*specs: ChildSpec) -> Family:
    return Family(specs or tuple(spec(name) for name in ORDER))


def is_up(children: Family) -> bool:
    return children.all_up


def family_up(now: float = 0.0) -> Family:
    up = family()
    for name in ORDER:
        up.step(now)
        up.progressed(name, Progress.READY, now)
    assert is_up(up)
    return up


def said(actions: tuple[Action, ...]) -> str:
    return "\n".join(action.text for action in actions if isinstance(action, Say))


def done(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    return tuple(action for action in actions if not isinstance(action, Say))


def test_each_child_starts_when_the_one_before_it_is_up() -> None:
    children = family()
    assert children.step(0.0) == (Start("redis"),)
    assert children.step(1.0) == ()
    children.progressed("redis", Progress.READY, 1.1)
    assert children.step(1.1) == (Start("keeper"),)
    children.progressed("keeper", Progress.READY, 1.2)
    assert children.step(1.2) == (Start("web"),)
    assert not is_up(children)
    children.progressed("web", Progress.READY, 1.3)
    assert is_up(children)
    assert children.step(1.3) == ()


def test_one_that_has_what_it_needs_starts_at_once_and_those_behind_it_still_wait_for_all() -> None:
    children = family(spec("redis"), spec("keeper"), spec("web", at_once=True), spec("watch"))
    assert children.step(0.0) == (Start("redis"), Start("web"))
    children.progressed("web", Progress.READY, 1.0)
    assert children.step(1.0) == ()
    children.progressed("redis", Progress.READY, 1.1)
    assert children.step(1.1) == (Start("keeper"),)
    assert children.step(1.2) == ()
    children.progressed("keeper", Progress.READY, 1.3)
    assert children.step(1.3) == (Start("watch"),)


def test_one_that_starts_at_once_is_stopped_before_those_it_did_not_wait_for() -> None:
    children = family(spec("redis"), spec("keeper"), spec("web", at_once=True))
    children.step(0.0)
    children.stop(0.1, ["redis", "web"])
    assert children.step(0.1) == (AskToEnd("web"),)
    children.ended("web", "exit 0", 0.2)
    assert children.step(0.2) == (AskToEnd("redis"),)


def test_the_hook_of_a_child_comes_before_its_first_start_only() -> None:
    children = family(spec("redis"), spec("keeper", before=lambda: None))
    children.step(0.0)
    children.progressed("redis", Progress.READY, 0.1)
    assert children.step(0.1) == (Prepare("keeper"), Start("keeper"))
    children.ended("keeper", "exit 1", 0.2)
    assert children.step(1.0) == (Start("keeper"),)


def test_pages_do_not_wait_for_ever_for_a_redis_that_is_slow() -> None:
    children = family()
    children.step(0.0)
    children.progressed("redis", Progress.WORKING, PATIENCE_SECONDS - 0.2)
    assert children.step(PATIENCE_SECONDS - 0.1) == ()
    assert children.step(PATIENCE_SECONDS) == (Start("keeper"),)


def test_pages_do_not_wait_for_a_redis_that_crashes() -> None:
    children = family()
    children.step(0.0)
    children.ended("redis", "exit 1", 0.1)
    assert children.step(0.1) == (Start("keeper"),)


def test_a_start_without_a_sign_of_life_is_killed_and_tried_again() -> None:
    children = family(spec("redis", ready=5.0))
    children.step(0.0)
    assert children.step(4.9) == ()
    actions = children.step(5.0)
    assert done(actions) == (Kill("redis"),)
    assert "redis shows no sign of life after 5 s" in said(actions)
    assert children.step(6.0) == ()
    children.ended("redis", "killed by SIGKILL", 6.1)
    assert children.step(6.3) == (Start("redis"),)


def test_a_start_that_is_at_work_may_take_as_long_as_it_takes() -> None:
    children = family(spec("redis", ready=5.0))
    children.step(0.0)
    for second in range(1, 100):
        children.progressed("redis", Progress.WORKING, float(second))
        assert children.step(second + 0.5) == ()


def test_a_child_that_dies_is_started_again_alone() -> None:
    children = family_up()
    assert "keeper ended unasked (killed by SIGKILL)" in said(children.ended("keeper", "killed by SIGKILL", 100.0))
    assert children.step(100.05) == ()
    assert children.wake_at(100.05) == pytest.approx(100.1)
    assert children.step(100.1) == (Start("keeper"),)
    assert [children.phase(name) for name in ORDER] == [Phase.UP, Phase.STARTING, Phase.UP]


def crash(children: Family, name: str, now: float) -> tuple[float, tuple[Action, ...]]:
    """Let a child end at once, and go on until it is started again; return when, and what was said."""
    actions = children.ended(name, "exit 1", now)
    now = children.wake_at(now)
    assert Start(name) in children.step(now)
    children.progressed(name, Progress.READY, now)
    return now, actions


def test_a_crash_loop_is_said_once_and_slows_down() -> None:
    children, now, words, pauses = family_up(), 0.0, [], []
    for _ in range(20):
        then, actions = crash(children, "web", now)
        words.append(said(actions))
        pauses.append(round(then - now, 3))
        now = then
    assert "ended 5 times in a row (last: exit 1)" in words[LOOP_FAILURES - 1]
    assert not any(words[LOOP_FAILURES:])
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.2
    assert pauses[-1] == pytest.approx(MAX_DELAY_SECONDS)


def test_a_stable_time_ends_the_loop_and_is_said() -> None:
    children, now = family_up(), 0.0
    for _ in range(LOOP_FAILURES):
        now, _ = crash(children, "web", now)
    assert children.step(now + STABLE_SECONDS - 0.1) == ()
    assert "web has been up" in said(children.step(now + STABLE_SECONDS))
    then, actions = crash(children, "web", now + STABLE_SECONDS + 1)
    assert "ended unasked" in said(actions)
    assert then - (now + STABLE_SECONDS + 1) < 0.2


def test_children_stop_one_by_one_from_the_last() -> None:
    children = family_up()
    children.stop(10.0, ORDER)
    for name in reversed(ORDER):
        assert children.step(10.1) == (AskToEnd(name),)
        assert children.step(10.2) == ()
        assert not children.over
        assert children.ended(name, "exit 0", 10.3) == ()
    assert children.over


def test_who_does_not_end_in_its_grace_is_killed() -> None:
    children = family(spec("web", grace=2.0))
    children.step(0.0)
    children.stop(10.0, ("web",))
    assert children.step(10.0) == (AskToEnd("web"),)
    assert children.wake_at(10.0) == pytest.approx(12.0)
    assert children.step(11.9) == ()
    actions = children.step(12.0)
    assert done(actions) == (Kill("web"),)
    assert "web does not end by itself" in said(actions)
    assert children.step(12.1) == ()
    children.ended("web", "killed by SIGKILL", 12.2)
    assert children.over


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=6), st.data())
def test_all_are_gone_within_the_time_for_a_stop_however_long_their_graces_are(
    graces: list[float], data: st.DataObject
) -> None:
    names = [str(number) for number in range(len(graces))]
    children = family(*(spec(name, grace=grace) for name, grace in zip(names, graces, strict=True)))
    now = 0.0
    for name in names:
        children.step(now)
        children.progressed(name, Progress.READY, now)
    stubborn = data.draw(st.sets(st.sampled_from(names)))
    children.stop(now, names)
    while not children.over:
        ended = False
        for action in done(children.step(now)):
            assert isinstance(action, AskToEnd | Kill)
            if isinstance(action, Kill) or action.name not in stubborn:
                children.ended(action.name, "exit 0", now)
                ended = True
        if not ended:
            now = children.wake_at(now)
        assert now <= STOP_SECONDS


def test_a_child_that_dies_during_the_stop_is_not_started_again() -> None:
    children = family_up()
    children.stop(1.0, ORDER)
    children.step(1.0)
    children.ended("redis", "killed by SIGKILL", 1.1)
    children.ended("web", "exit 0", 1.2)
    assert children.step(1.3) == (AskToEnd("keeper"),)
    children.ended("keeper", "exit 0", 1.4)
    assert children.over


def test_a_stop_before_all_are_started_starts_nothing_more() -> None:
    children = family()
    children.step(0.0)
    children.stop(0.1, ("redis",))
    assert children.step(0.1) == (AskToEnd("redis"),)
    children.ended("redis", "exit 0", 0.2)
    assert children.over


def test_a_child_whose_start_never_came_about_is_not_waited_for() -> None:
    children = family()
    children.step(0.0)
    children.stop(0.1, ())
    assert children.over


def test_a_child_that_falls_silent_is_killed_and_one_that_answers_never() -> None:
    children = family(spec("redis", silence=60.0), spec("web"))
    children.step(0.0)
    children.progressed("redis", Progress.READY, 1.0)
    children.step(1.0)
    children.progressed("web", Progress.READY, 1.0)
    now = 1.0
    for now in (10.0, 60.0, 100.0):
        assert [looked.name for looked in children.to_look_at(now)] == ["redis"]
        children.progressed("redis", Progress.WORKING, now)
        assert children.step(now) == ()
        assert children.wake_at(now) == now + LOOK_SECONDS
    children.to_look_at(120.0)
    children.progressed("redis", Progress.WAITING, 120.0)
    assert children.step(159.9) == ()
    actions = children.step(160.0)
    assert done(actions) == (Kill("redis"),)
    assert "redis has not answered for 60 s" in said(actions)
    children.ended("redis", "killed by SIGKILL", 160.1)
    assert children.step(160.3) == (Start("redis"),)
    assert children.phase("web") is Phase.UP


def test_names_are_unique() -> None:
    with pytest.raises(ValueError, match="one name"):
        family(spec("web"), spec("web"))
