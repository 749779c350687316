"""The chance that decisions draw by."""

from random import Random

from adserver.counting.forks import forget_after_fork


class WorkerRandom(Random):
    """Draws that differ between forked workers: each begins anew. Shared by all threads, for a draw is one call in C.

    The system's own source costs a system call a draw, a twentieth of a whole decision; nobody gains by foreseeing
    which line shows.
    """

    def __init__(self) -> None:
        super().__init__()
        forget_after_fork(self.seed)
