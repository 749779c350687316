"""Which of pytest-xdist's processes runs which files: those that wait and those that compute side by side."""

from typing import Final

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

WAITING: Final = ("fault", "cluster", "processes", "browser")
"""Folders of `tests/` whose tests wait for servers and browsers more than they compute."""


class SideBySide(LoadFileScheduling):  # type: ignore[misc]  # its package publishes no types
    """Gives the first process files that wait, the others files that compute; who has none left takes any. One thread.

    Left to itself, pytest-xdist begins with the files of the most tests: those of the longest tests come last, and the
    processors idle.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Bring a file of the kind that is this process's to the front, then have it assigned as any other."""
        waits = node is self.nodes[0]
        mine = next((name for name in self.workqueue if _waits(name) is waits), None)
        if mine is not None:
            self.workqueue.move_to_end(mine, last=False)
        super()._assign_work_unit(node)


def _waits(name: str) -> bool:
    return name.removeprefix("tests/").startswith(tuple(f"{folder}/" for folder in WAITING))
