"""What the processes of one host agree on: how counts are cut, and where files lie in the data folder."""

from typing import Final

from adserver.keeping import sources

SHARDS: Final = 1
"""On a single server all counts live in one shard."""

SPOOLS_NAME: Final = sources.SPOOLS_NAME
WORKER_SUMS_NAME: Final = "metrics"
