"""What holds for every test: groups are left out only by name and in the open, and nothing else is ever skipped."""

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings
from sharing_out import SideBySide
from xdist.remote import Producer

pytest_plugins = ["shared_valkey"]

GROUPS: Final = ("browser", "cluster", "processes")
"""What `SKIP` takes: the markers of tests that need more than Python."""

FOLDERS: Final = {"browser": "browser", "cluster": "cluster", "fault": "processes", "processes": "processes"}
"""Folders of `tests/` whose tests all bear a group's marker."""

# The machines that run this are shared: a deadline would tell of the neighbours, not of the code.
settings.register_profile("full", deadline=None, print_blob=True)
settings.register_profile("quick", deadline=None, print_blob=True, max_examples=20)
settings.load_profile("full")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a `SKIP` that names no group, rather than run what was to be left out.

    A terminal that is gone, or nohup, leaves SIGHUP ignored, in services that tests start too: there it is a reload.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    unknown = [name for name in _left_out() if name not in GROUPS]
    if unknown:
        raise pytest.UsageError(f"SKIP: no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of a group's folder, and take out the groups that `SKIP` names."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in FOLDERS:
            item.add_marker(FOLDERS[folder])
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in _left_out())]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SideBySide | None:
    """Have files shared out so that those which wait and those which compute run at the same time."""
    return SideBySide(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one: what a machine lacks, `scripts/need` finds, and no test hides."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped file into a failed one, likewise."""
    report = yield
    if report.skipped:
        _fail(report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Close with what was not run."""
    if _left_out() and not hasattr(config, "workerinput"):  # once, not in every process of pytest-xdist
        print(f"NOT RUN: {', '.join(_left_out())} (SKIP)")


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.outcome = "failed"
    report.longrepr = (
        f"skipped: {report.longreprtext or report.longrepr}\nOnly SKIP={'|'.join(GROUPS)} leaves tests out."
    )


def _left_out() -> tuple[str, ...]:
    """Return the names in `SKIP`, each once."""
    return tuple(dict.fromkeys(name.strip() for name in os.environ.get("SKIP", "").split(",") if name.strip()))
