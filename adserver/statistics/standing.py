"""What the numbers lack, told with every answer that lacks something; pure."""

from dataclasses import dataclass
from typing import Final, Protocol

from adserver.counting.losses import NO_LOSSES, Losses

IN_TIME_SECONDS: Final = 2.0
"""Events are in the counts so soon while all goes well."""


@dataclass(frozen=True, slots=True)
class CountStanding:
    """How the counts stand beside what was answered. Immutable."""

    losses: Losses = NO_LOSSES
    backlog_bytes: int = 0
    """Of this host, written and not counted yet."""
    lag_seconds: float = 0.0
    """For how long this host's counts have been behind."""

    @property
    def is_behind(self) -> bool:
        """Whether this host's newest events are missing for longer than they should."""
        return self.lag_seconds > IN_TIME_SECONDS

    def warnings(self) -> tuple[str, ...]:
        """Return a sentence for each thing that is lacking."""
        losses = self.losses
        told = (
            (
                losses.gaps,
                f"{losses.gaps} ranges of events were lost before they were counted; `adserver audit` says more",
            ),
            (
                losses.unwritten,
                f"{losses.unwritten} events could not be written when they came: a disk was full or failed",
            ),
            (losses.corrupt, f"{losses.corrupt} records were damaged on a disk and are not counted"),
            (losses.late, f"{losses.late} events came too late to tell whether they had been counted before"),
            (self.is_behind, f"events of the last {self.lag_seconds:.0f} s are written and not counted yet"),
        )
        return tuple(sentence for number, sentence in told if number)


ALL_IS_WELL: Final = CountStanding()


class StandingSource(Protocol):
    """Tells how the counts stand. Fails closed, as the counts themselves do."""

    def read(self) -> CountStanding:
        """Return it.

        Raises:
            StoreUnavailable: the store did not answer in time.
        """
        ...


@dataclass(slots=True)
class MemoryStanding:
    """A `StandingSource` of what it is told, for tests of what stands on the port. One thread."""

    standing: CountStanding = ALL_IS_WELL

    def read(self) -> CountStanding:
        """Return just that."""
        return self.standing
