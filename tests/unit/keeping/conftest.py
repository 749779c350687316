"""A host whose spools are counted into an empty Redis."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from audit_stand import DAY, AuditStand


def yesterday_at_noon() -> int:
    """Return a second of the last days, as tokens have, whose place in its day is the same whenever the tests run."""
    return int(time.time()) // DAY * DAY - DAY // 2


@pytest.fixture
def stand(valkey: redis.Redis, tmp_path: Path) -> Iterator[AuditStand]:
    stand = AuditStand(valkey, tmp_path / "host", yesterday_at_noon(), random.Random(7))
    yield stand
    stand.close()
