"""All kinds of harm that one service can go through any number of times; by name in docs/reliability.md."""

from typing import Final

from fault import Fault
from host_faults import OF_THE_HOST
from process_faults import HANGS, OF_PROCESSES
from store_faults import OF_REDIS

FAULTS: Final[tuple[Fault, ...]] = (*OF_PROCESSES, *HANGS, *OF_REDIS, *OF_THE_HOST)
