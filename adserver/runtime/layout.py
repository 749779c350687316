"""What the processes of one host agree on: where files lie in the data folder."""

from typing import Final

from adserver.keeping import sources

SPOOLS_NAME: Final = sources.SPOOLS_NAME
WORKER_SUMS_NAME: Final = "metrics"
