"""A reload of a family: new beside old, and nothing changes unless the new comes up; no process is started here."""

from signal import SIGTERM

import pytest

from adserver.processes.children import ChildSpec, Progress, immediately
from adserver.processes.family import Family
from adserver.processes.members import Action, AskToEnd, Forget, Kill, Phase, Prepare, Say, Start


def spec(name: str, *, stays: bool = False) -> ChildSpec:
    return ChildSpec(
        name,
        (name,),
        {},
        immediately,
        SIGTERM,
        grace_seconds=2.0,
        ready_seconds=30.0,
        before_first_start=lambda: None,
        stays_at_reload=stays,
    )


NEW_WEB = spec("web-2")


def family_up() -> Family:
    children = Family([spec("redis", stays=True), spec("keeper"), spec("web"), spec("watch")])
    for name in ("redis", "keeper", "web", "watch"):
        assert children.step(0.0) == (Prepare(name), Start(name))
        children.progressed(name, Progress.READY, 0.0)
    assert children.step(0.0) == ()
    return children


def said(actions: tuple[Action, ...]) -> str:
    return "\n".join(action.text for action in actions if isinstance(action, Say))


def done(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    return tuple(action for action in actions if not isinstance(action, Say))


def take_over(children: Family, now: float) -> None:
    """Bring a reload to where the successor is up and the old server is asked to end."""
    children.reload({"web": NEW_WEB})
    assert children.step(now) == (Prepare("web-2"), Start("web-2"))
    children.progressed("web-2", Progress.READY, now)
    assert children.step(now) == (AskToEnd("web"),)


def test_the_old_server_ends_only_when_its_successor_is_up() -> None:
    children = family_up()
    children.reload({"web": NEW_WEB})
    assert children.step(1.0) == (Prepare("web-2"), Start("web-2"))
    assert children.step(5.0) == ()
    assert children.phase("web") is Phase.UP
    children.progressed("web-2", Progress.READY, 6.0)
    assert children.step(6.0) == (AskToEnd("web"),)
    assert children.phase("keeper") is Phase.UP


def test_the_others_are_restarted_one_by_one_and_the_store_is_left_alone() -> None:
    children = family_up()
    take_over(children, 1.0)
    assert children.step(1.0) == (AskToEnd("keeper"),)
    assert children.step(1.1) == ()
    assert children.ended("keeper", "exit 0", 1.2) == ()
    assert children.step(1.2) == (Start("keeper"),)
    assert children.step(1.3) == ()
    children.progressed("keeper", Progress.READY, 1.4)
    assert children.step(1.4) == (AskToEnd("watch"),)
    assert children.ended("watch", "exit 0", 1.5) == ()
    assert children.step(1.5) == (Start("watch"),)
    children.progressed("watch", Progress.READY, 1.6)
    assert children.step(1.6) == ()
    assert "reloaded" not in said(children.step(1.6))  # the old server still finishes its requests
    assert "reloaded" in said(children.ended("web", "exit 0", 1.7))
    assert children.phase("redis") is Phase.UP
    assert [child.name for child in children.children()] == ["redis", "keeper", "web-2", "watch"]
    assert children.all_up


def test_the_end_is_said_once_whichever_comes_last() -> None:
    children = family_up()
    take_over(children, 1.0)
    words = said(children.ended("web", "exit 0", 1.1))
    for name in ("keeper", "watch"):
        words += said(children.step(1.2))
        words += said(children.ended(name, "exit 0", 1.3))
        words += said(children.step(1.3))
        children.progressed(name, Progress.READY, 1.4)
    words += said(children.step(1.5)) + said(children.step(1.6))
    assert words == "reloaded"
    assert not children.reloading


@pytest.mark.parametrize("how", ["exit 1", "killed by SIGKILL"])
def test_a_successor_that_ends_before_it_is_up_changes_nothing(how: str) -> None:
    children = family_up()
    children.reload({"web": NEW_WEB})
    children.step(1.0)
    actions = children.ended("web-2", how, 1.5)
    assert done(actions) == (Forget(NEW_WEB),)
    assert f"all goes on as before: web-2 ended before it was up ({how})" in said(actions)
    assert not children.reloading
    assert children.step(2.0) == ()
    assert children.all_up
    assert [child.name for child in children.children()] == ["redis", "keeper", "web", "watch"]


def test_a_successor_that_hangs_is_killed_and_changes_nothing() -> None:
    children = family_up()
    children.reload({"web": NEW_WEB})
    children.step(1.0)
    assert done(children.step(31.0)) == (Kill("web-2"),)
    assert "the reload is refused" in said(children.ended("web-2", "killed by SIGKILL", 31.1))
    assert children.all_up


def test_after_a_refusal_the_next_reload_is_tried_anew() -> None:
    children = family_up()
    children.reload({"web": NEW_WEB})
    children.step(1.0)
    children.ended("web-2", "exit 1", 1.1)
    take_over(children, 2.0)


def test_an_old_server_that_does_not_end_is_killed() -> None:
    children = family_up()
    take_over(children, 1.0)
    assert Kill("web") in children.step(3.0)
    assert children.ended("web", "killed by SIGKILL", 3.1)[0] == Forget(children_spec("web"))


def children_spec(name: str) -> ChildSpec:
    """Match a spec by its name: two with a hook are never equal."""

    class Named(ChildSpec):
        def __eq__(self, other: object) -> bool:
            return isinstance(other, ChildSpec) and other.name == self.name

        __hash__ = None  # type: ignore[assignment]

    return Named(name, (), {}, immediately, SIGTERM, 0.0)


def test_a_server_in_a_crash_loop_is_replaced_at_once() -> None:
    children = family_up()
    children.ended("web", "exit 3", 1.0)
    children.reload({"web": NEW_WEB})
    assert Start("web-2") in children.step(1.05)
    children.progressed("web-2", Progress.READY, 1.06)
    assert AskToEnd("web") not in children.step(1.06)
    assert [child.name for child in children.children()] == ["redis", "keeper", "web-2", "watch"]


def test_a_child_that_rests_is_started_at_once_with_its_failures_forgiven() -> None:
    children = family_up()
    for now in (1.0, 2.0, 4.0, 8.0):
        children.ended("keeper", "exit 1", now)
        assert children.step(now + 1.9) == (Start("keeper"),)
    children.ended("keeper", "exit 1", 10.0)
    take_over(children, 10.1)
    assert children.step(10.2) == (Start("keeper"),)
    assert "ended unasked" in said(children.ended("keeper", "exit 1", 10.3))


def test_a_child_that_crashes_while_it_is_restarted_holds_up_none_for_ever() -> None:
    children = family_up()
    take_over(children, 1.0)
    children.step(1.0)
    children.ended("keeper", "exit 0", 1.1)
    assert children.step(1.1) == (Start("keeper"),)
    assert "keeper ended unasked (exit 1)" in said(children.ended("keeper", "exit 1", 1.2))
    assert children.step(1.4) == (Start("keeper"),)
    assert children.step(1.5) == (AskToEnd("watch"),)


def test_a_reload_during_a_reload_begins_no_second_one() -> None:
    children = family_up()
    children.reload({"web": NEW_WEB})
    children.reload({"web": spec("web-3")})
    assert [child.name for child in children.children()] == ["redis", "keeper", "web", "web-2", "watch"]


def test_a_stop_ends_old_and_new() -> None:
    children = family_up()
    children.reload({"web": NEW_WEB})
    children.step(1.0)
    running = ["redis", "keeper", "web", "web-2", "watch"]
    children.stop(1.5, running)
    asked = []
    for _ in running:
        [action] = children.step(1.5)
        assert isinstance(action, AskToEnd)
        asked.append(action.name)
        children.ended(action.name, "exit 0", 1.6)
    assert asked == ["watch", "web-2", "web", "keeper", "redis"]
    assert children.over


def test_after_a_stop_there_is_no_reload() -> None:
    children = family_up()
    children.stop(1.0, ["redis", "keeper", "web", "watch"])
    children.reload({"web": NEW_WEB})
    assert not children.reloading
